// Listeners and connections of the package that do not outlive their test.
import { type Connection, connect, type Listener, listen } from 'ringpoll';
import { onTestFinished } from 'vitest';
import { type Address, connectPeer, type Peer } from './peer.js';
import { type Handlers, Recorder, Recorders, within } from './recorder.js';

type ListenOptions = Parameters<typeof listen>[0];
type ConnectOptions = Parameters<typeof connect>[0];

/** Listens on a free port of loopback unless the options say otherwise. */
export function serve(options: Partial<ListenOptions> = {}): Listener {
  const elsewhere = 'path' in options || 'fd' in options;
  const where = elsewhere ? {} : { host: '127.0.0.1', port: 0 };
  const listener = listen({ ...where, ...options } as ListenOptions);
  onTestFinished(() => listener.destroy());
  return listener;
}

/** Where to connect to reach a listener. */
export function addressOf({ address }: Listener): Address {
  if ('path' in address) return { path: address.path };
  return { port: address.port };
}

export function portOf(listener: Listener): number {
  const address = addressOf(listener);
  if ('path' in address) throw new Error('a Unix socket has no port');
  return address.port;
}

/** Connects to a port of loopback; the connection is reset when the test is over. */
export async function dial(options: Partial<ConnectOptions>): Promise<Connection> {
  const where = 'path' in options ? {} : { host: '127.0.0.1' };
  const connecting = connect({ ...where, ...options } as ConnectOptions);
  const connection = await within(connecting, () => 'connect');
  onTestFinished(() => {
    if (connection.readyState !== 'closed') connection.reset();
  });
  return connection;
}

export interface Pair {
  listener: Listener;
  /** What happens on the listener's side. */
  server: Recorder;
  /** The raw socket on the other side. */
  peer: Peer;
}

/** One connection: a raw peer on one side, a listener of the package on the other. */
export async function pair(
  handlers: Handlers = {},
  options: Partial<ListenOptions> = {},
): Promise<Pair> {
  const recorders = new Recorders(handlers);
  const listener = serve({ ...options, ...recorders.recording });
  const peer = await connectPeer(addressOf(listener));
  return { listener, server: await recorders.at(0), peer };
}

export interface Both {
  listener: Listener;
  server: Recorder;
  client: Recorder;
}

/** One connection with the package on both sides. */
export async function bothSides(
  serverHandlers: Handlers = {},
  clientHandlers: Handlers = {},
  options: Partial<ListenOptions> = {},
  clientOptions: Partial<ConnectOptions> = {},
): Promise<Both> {
  const recorders = new Recorders(serverHandlers);
  const listener = serve({ ...options, ...recorders.recording });
  const client = new Recorder(clientHandlers);
  await dial({ ...addressOf(listener), ...clientOptions, ...client.recording });
  return { listener, server: await recorders.at(0), client };
}

/** Bytes that differ everywhere, so that what is lost, doubled or swapped is seen. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let index = 0; index < length; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state;
  }
  return bytes;
}
