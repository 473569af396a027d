// node:net on this package's loop.
import nodeNet from 'node:net';
import { oneFace } from './active.js';
import { nativeSide } from './face.js';
import { begin, guard, ListeningHandle, listeningHandle, StreamHandle } from './native_side.js';

export { type Installed, installNet, uninstallNet } from './install.js';

// Whoever imports this wants sockets: what serves them is there at once.
nativeSide.load = () => ({ begin, guard, ListeningHandle, listeningHandle, StreamHandle });
nativeSide.now = true;
const { face } = oneFace.tried;

type NodeNet = typeof nodeNet;

/** A constructor of chosen ones, which may be called without `new`. */
function constructorOf<T extends object>(of: T): T {
  if (face === undefined) return of;
  return new Proxy(of, {
    construct: (target, given, newTarget) =>
      face.choose(Reflect.construct(target as never, given, newTarget)),
    apply: (target, _, given) => face.choose(Reflect.construct(target as never, given)),
  });
}

/** As net.Socket. What connects is served by this package. */
export const Socket: NodeNet['Socket'] = constructorOf(nodeNet.Socket);
/** As net.Socket. */
export const Stream: NodeNet['Socket'] = Socket;
/** As net.Server. What listens is served by this package. */
export const Server: NodeNet['Server'] = constructorOf(nodeNet.Server);

/** As net.createServer. */
export const createServer = ((...given: ConstructorParameters<NodeNet['Server']>) =>
  new Server(...given)) as NodeNet['createServer'];

/** As net.connect. */
export const connect = ((...given: unknown[]) => {
  const [first] = given;
  const options = typeof first === 'object' && first !== null ? first : {};
  const socket = new Socket(options);
  const { timeout } = options as { timeout?: number };
  if (timeout) socket.setTimeout(timeout);
  return Reflect.apply(socket.connect, socket, given);
}) as NodeNet['connect'];
/** As net.createConnection. */
export const createConnection: NodeNet['createConnection'] = connect;

export const {
  BlockList,
  SocketAddress,
  isIP,
  isIPv4,
  isIPv6,
  getDefaultAutoSelectFamily,
  setDefaultAutoSelectFamily,
  getDefaultAutoSelectFamilyAttemptTimeout,
  setDefaultAutoSelectFamilyAttemptTimeout,
} = nodeNet;

/** Whether sockets and servers are served by this package; else they are Node's own. */
export const active: boolean = face !== undefined;

export default {
  ...nodeNet,
  Socket,
  Stream,
  Server,
  createServer,
  connect,
  createConnection,
} as NodeNet;
