// Waiting for "nothing happened" without sleeping: while other traffic makes so many round trips
// through the same loop, whatever was on its way has arrived.
import { type Connection, listen } from 'ringpoll';
import { onTestFinished } from 'vitest';
import { connectPeer } from './peer.js';

const ROUND_TRIPS = 20;

/** Resolves after some round trips of a connection that nothing else uses. */
export async function roundTrips(count = ROUND_TRIPS): Promise<void> {
  const listener = listen({
    host: '127.0.0.1',
    port: 0,
    data: (connection: Connection, chunk) => void connection.write(chunk),
  });
  onTestFinished(() => listener.destroy());
  const { address } = listener;
  if (!('port' in address)) throw new Error('no port');
  const peer = await connectPeer({ port: address.port });
  for (let trip = 1; trip <= count; trip += 1) {
    peer.send('x');
    await peer.received(trip);
  }
  peer.destroy();
  listener.destroy();
}
