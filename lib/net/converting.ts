// Some of Node's own code looks behind a handle: TLS over a socket that is there already, and
// process.send() with a socket. Before that the socket gets a handle of Node's on the same
// connection.
import net from 'node:net';
import { RingpollError } from '../errors.js';
import { systemError } from '../runtime/system_error.js';
import { ListeningHandle } from './listening_handle.js';
import type { NodeSocket, Seams } from './seams.js';
import { StreamHandle } from './stream_handle.js';

/** What is used of a handle of Node's. */
interface NativeHandle {
  reading: boolean;
  close(): void;
  connect(...goal: unknown[]): number;
}
type NativeClass = new (type: number) => NativeHandle;

/** Native code's number of the call. */
const SHUTDOWN = 9;
const SOCKET = 0;

export class Converter {
  readonly #seams: Seams;

  constructor(seams: Seams) {
    this.#seams = seams;
  }

  /**
   * The socket gets a handle of Node's, and goes on where it was. False: it had one.
   * @throws RingpollError ERR_RINGPOLL_CONNECTION_BUSY while a write has not left
   */
  socket(socket: NodeSocket): boolean {
    const own = socket._handle;
    if (!(own instanceof StreamHandle)) return false;
    if (socket.connecting) this.#connecting(socket, own);
    else this.#connected(socket, own);
    return true;
  }

  #connected(socket: NodeSocket, own: StreamHandle): void {
    const received: Buffer[] = [];
    const wasReading = own.reading;
    this.#give(socket, released(own, received));
    for (const bytes of received) socket.push(bytes);
    if (wasReading) socket._read(1);
  }

  /** It begins anew, to where it was connecting. */
  #connecting(socket: NodeSocket, own: StreamHandle): void {
    const goal = own._goal;
    const handle = new (this.#nativeClass())(SOCKET);
    this.#give(socket, handle);
    if (goal === undefined) return;
    const [request, address, port] = goal;
    const refused = address.includes(':')
      ? (handle as NativeHandle & { connect6: NativeHandle['connect'] }).connect6(
          request,
          address,
          port,
        )
      : handle.connect(request, address, port);
    if (refused !== 0) socket.destroy(systemError(-refused, 3, { host: address, port }));
  }

  #give(socket: NodeSocket, handle: NativeHandle): void {
    this.#seams.reinitialize.call(socket, handle);
  }

  /** Node's class of TCP handles: that of a socket which has not begun to connect. */
  #nativeClass(): NativeClass {
    const socket = new net.Socket() as NodeSocket;
    this.#seams.connect.call(socket, { host: '127.0.0.1', port: 1 } as never);
    const made = socket._handle as object;
    socket.destroy();
    return made.constructor as NativeClass;
  }

  /** What all of Node's stream handles have in common. */
  streamPrototype(): object {
    let prototype: object = this.#nativeClass().prototype;
    while (!Object.hasOwn(prototype, 'writeUtf8String')) {
      const next = Object.getPrototypeOf(prototype);
      if (next === null) return {};
      prototype = next;
    }
    return prototype;
  }

  /** A handle of Node's in the place of one of ours, for whoever takes its descriptor. */
  native(own: unknown): unknown {
    if (own instanceof StreamHandle) {
      const handle = released(own, []);
      own._closeWith(handle);
      return handle;
    }
    if (!(own instanceof ListeningHandle)) return own;
    const fd = own._duplicate();
    if (fd < 0) throw systemError(-fd, SHUTDOWN);
    const handle = nativeHandle(fd);
    own._closeWith(handle);
    return handle;
  }
}

/** @throws RingpollError ERR_RINGPOLL_CONNECTION_BUSY while a write has not left */
function released(own: StreamHandle, received: Buffer[]): NativeHandle {
  const fd = own._release(received);
  if (fd >= 0) return nativeHandle(fd);
  const cause = systemError(-fd, SHUTDOWN);
  const message =
    'The socket has bytes to send still, and cannot be given away before they have left';
  throw new RingpollError('ERR_RINGPOLL_CONNECTION_BUSY', message, { cause });
}

/** A handle of Node's for a descriptor, which is its own from now on. */
function nativeHandle(fd: number): NativeHandle {
  const options = { fd, manualStart: true, allowHalfOpen: true };
  const donor = new net.Socket(options) as NodeSocket;
  const handle = donor._handle as NativeHandle;
  donor._handle = null;
  donor.destroy();
  return handle;
}
