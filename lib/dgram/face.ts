// Sockets of node:dgram over handles of ours. A socket is given one when it is made; those that
// were not chosen stay as they are.
import cluster from 'node:cluster';
import dgram from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import { runtime } from '../runtime/runtime.js';
import { DatagramHandle } from './handle.js';
import { findSeams, type NodeDatagramSocket, type Seams, type State } from './seams.js';

type CreateSocket = typeof dgram.createSocket;
type SocketClass = typeof dgram.Socket;

export class Face {
  readonly #seams: Seams;
  readonly #createSocket: CreateSocket = dgram.createSocket;
  /** As dgram.createSocket; it may be called with `new`. */
  readonly createSocket: CreateSocket;
  /** As dgram.Socket; it may be called without `new`. */
  readonly Socket: SocketClass;

  constructor() {
    this.#seams = findSeams();
    // Where there is no loop of ours, that is found out now.
    runtime();
    const make = this.#createSocket;
    this.createSocket = function createSocket(...given: unknown[]) {
      return choose(Reflect.apply(make, dgram, given));
    } as CreateSocket;
    const choose = (socket: object) => this.#choose(socket as NodeDatagramSocket);
    this.Socket = new Proxy(dgram.Socket, {
      construct: (target, given, newTarget) => choose(Reflect.construct(target, given, newTarget)),
      apply: (target, _, given) => choose(Reflect.construct(target as never, given)),
    });
  }

  /** It will be served by a handle of ours. In a worker of a cluster the primary binds: Node's. */
  #choose(socket: NodeDatagramSocket): NodeDatagramSocket {
    if (cluster.isWorker) return socket;
    const { state: stateSymbol, owner } = this.#seams;
    const state = socket[stateSymbol] as State;
    const { handle: nodes } = state;
    if (nodes === null) return socket; // its signal has aborted
    const handle = new DatagramHandle(socket.type === 'udp6', nodes, () => {
      state.handle = nodes;
    });
    (handle as unknown as Record<symbol, unknown>)[owner] = socket;
    state.handle = handle as never;
    return socket;
  }

  #everywhere = false;

  /** Every socket that is made in this process. */
  get everywhere(): boolean {
    return this.#everywhere;
  }

  set everywhere(on: boolean) {
    if (on === this.#everywhere) return;
    this.#everywhere = on;
    const mutable = dgram as { createSocket: CreateSocket; Socket: SocketClass };
    if (on) {
      this.#nodes = { createSocket: dgram.createSocket, Socket: dgram.Socket };
      mutable.createSocket = this.createSocket;
      mutable.Socket = this.Socket;
    } else {
      Object.assign(mutable, this.#nodes);
    }
    syncBuiltinESMExports();
  }

  #nodes: { createSocket: CreateSocket; Socket: SocketClass } | undefined;
}
