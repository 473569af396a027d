// The relays of the suite over TLS, one behind the other: nothing of ours is in between.
import { expect, it } from 'vitest';
import { connectPeer, PeerServer } from '../support/peer.js';
import { pattern } from '../support/serve.js';
import { relayFromTls, relayToTls } from '../support/tls/relay.js';

it.each([false, true])('relays pass bytes, ends and resets (split: %s)', async (splits) => {
  const server = await PeerServer.listen();
  const port = relayToTls(relayFromTls(server.port, splits).port, splits).port;
  const bytes = pattern(1_000_000);
  const peer = await connectPeer({ port });
  peer.send(bytes);
  const other = await server.next();
  await other.received(bytes.length);
  expect(Buffer.concat(other.chunks).equals(bytes)).toBe(true);
  peer.end();
  await other.untilEnd();
  other.send('answer');
  other.end();
  expect(await peer.untilEnd()).toBe('answer');
  await other.untilClosed();
  expect(other.error).toBeUndefined();

  const resetting = await connectPeer({ port });
  resetting.send('x');
  const told = await server.next();
  await told.received(1);
  resetting.reset();
  await told.untilClosed();
  expect(told.error?.code).toBe('ECONNRESET');
});
