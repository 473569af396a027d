// A datagram socket.
import { boolean, integer } from '../checks.js';
import { invalidArgType, outOfRange } from '../errors.js';
import type { SocketAddress } from '../runtime/native.js';
import { Command, PENDING_OVER } from '../runtime/protocol.js';
import { onRejection } from '../runtime/rejection.js';
import { type Runtime, runtime } from '../runtime/runtime.js';
import { lengthOf } from '../runtime/staging.js';
import { uncaught } from '../runtime/ticks.js';
import { stopWithWorker } from '../tcp/cluster.js';
import { HandlerContext } from '../tcp/handler_context.js';
import type { UdpStats } from './counts.js';
import { type Destination, recordOf } from './destination.js';
import type { UdpHandlersOf } from './handlers.js';
import { PacketIterator } from './iteration.js';
import {
  changeMembership,
  getOption,
  setMulticastInterface,
  setOption,
  UdpOption,
} from './kernel_options.js';
import { Packet } from './packet.js';
import { COUNTED_BYTES, type Route, sendBytes, sendPacket } from './sending.js';
import { keepSocket, leaveSocket } from './tables.js';

/** The most that one datagram can carry: over IPv4, whose header says 65,535 with both headers. */
export const PACKET_BYTES_MAX = 65_507;
const BYTE_MAX = 255;

export type UdpHandlers = UdpHandlersOf<UdpSocket>;

/** @internal What bind() and connect() have made of their options. */
export interface Opened {
  slot: number;
  generation: number;
  queuedBytesMax: number;
  signal: AbortSignal | undefined;
}

export class UdpSocket {
  /** @internal */
  readonly _slot: number;
  /** @internal */
  readonly _generation: number;
  readonly #runtime: Runtime;
  readonly #handlers: UdpHandlers;
  readonly #context = new HandlerContext();
  readonly #queuedBytesMax: number;
  readonly #address: SocketAddress;
  readonly #remote: SocketAddress | undefined;
  readonly #ipv6: boolean;
  readonly #route: Route;
  readonly #closed: Promise<void>;
  readonly #leaveWorker: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.destroy();
  #counts = new Float64Array(7);
  #iterator: PacketIterator | undefined;
  #resolveClosed: () => void = () => {};
  #dropped = 0;
  #wantsDrain = false;
  #closing = false;
  #over = false;

  /** @internal */
  constructor(handlers: UdpHandlers, opened: Opened) {
    const loop = runtime();
    const bind = <Args extends unknown[]>(handler?: (...args: Args) => unknown) =>
      handler === undefined ? undefined : this.#context.bind(handler);
    this.#runtime = loop;
    this._slot = opened.slot;
    this._generation = opened.generation;
    this.#queuedBytesMax = opened.queuedBytesMax;
    this.#handlers = {
      data: bind(handlers.data),
      drain: bind(handlers.drain),
      error: bind(handlers.error),
      close: bind(handlers.close),
    };
    const named = (remote: boolean) =>
      loop.native.address(opened.slot, opened.generation, remote) as SocketAddress | undefined;
    this.#address = named(false) as SocketAddress;
    this.#remote = named(true);
    this.#ipv6 = this.#address.family === 'IPv6';
    const { slot, generation } = opened;
    this.#route = { slot, generation, record: undefined, packet: undefined };
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#leaveWorker = stopWithWorker(() => this.close());
    this.#signal = opened.signal;
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    keepSocket(slot, this);
    if (handlers.data === undefined) this.pause();
  }

  /** Where it is bound. */
  get address(): SocketAddress {
    return this.#address;
  }

  /** Shorthand for `address.port`. */
  get port(): number {
    return this.#address.port;
  }

  /** Where connect() has connected it to. */
  get remoteAddress(): SocketAddress | undefined {
    return this.#remote;
  }

  /** 'closing': close() was called, and the close event is on its way. */
  get readyState(): 'open' | 'closing' | 'closed' {
    if (this.#over) return 'closed';
    return this.#closing ? 'closing' : 'open';
  }

  /** Bytes that wait for the kernel, and 64 for each datagram of them. */
  get queuedBytes(): number {
    const bytes = this.#over ? 0 : this.#runtime.memory.pending[this._slot];
    return bytes === PENDING_OVER ? 0 : bytes;
  }

  /**
   * Sends one datagram: text as UTF-8, bytes (one copy), or a packet from where it lies (no copy).
   * It leaves with the turn, in one system call with the others. Never waits.
   *
   * `to`: a packet stands for its sender; without it, where connect() has connected the socket to.
   * @returns false: it was dropped, and counted. Either more than `maxQueuedBytes` would wait for
   *   the kernel, and a drain event comes, or the socket is over.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE for more than 65,507 bytes
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE
   * @throws RingpollError ERR_RINGPOLL_CHUNK_RELEASED for a packet that is over
   */
  send(data: string | Uint8Array | Packet, to?: Packet | Destination): boolean {
    const packet = data instanceof Packet ? data : undefined;
    const bytes = packet === undefined ? bytesOf(data as string | Uint8Array) : undefined;
    const length = packet === undefined ? lengthOf(bytes as Uint8Array) : packet.length;
    if (length > PACKET_BYTES_MAX) {
      throw outOfRange('data', `of at most ${PACKET_BYTES_MAX} bytes`, length);
    }
    const route = this.#route;
    this.#direct(route, to);
    if (!this.#hasRoom(length)) {
      this.#dropped++;
      return false;
    }
    const loop = this.#runtime;
    const queued =
      packet?._inArena === true
        ? sendPacket(loop, route, packet)
        : sendBytes(loop, route, bytes ?? (packet as Packet).bytes);
    if (!queued) this.#dropped++;
    return queued;
  }

  #direct(route: Route, to: Packet | Destination | undefined): void {
    route.packet = undefined;
    route.record = undefined;
    if (to === undefined) {
      if (this.#remote !== undefined) return;
      throw invalidArgType('to', 'given, as the socket is not connected', to);
    }
    if (!(to instanceof Packet)) {
      route.record = recordOf(to, this.#ipv6);
      return;
    }
    to._check();
    if (to._recordInArena) route.packet = to;
    else route.record = to._words;
  }

  #hasRoom(length: number): boolean {
    if (this.#closing || this.#over) return false;
    const { memory, native } = this.#runtime;
    const most = this.#queuedBytesMax - length - COUNTED_BYTES;
    if (memory.pending[this._slot] <= most) return true;
    // What was queued in this turn may leave first.
    native.flush();
    if (this.#runtime.memory.pending[this._slot] <= most) return true;
    this.#wantsDrain = true;
    return false;
  }

  /** Receives nothing until resume(); what comes waits in the socket's buffer, and then is lost. */
  pause(): void {
    if (!this.#closing) this.#runtime.command(Command.pause, this._slot, this._generation);
  }

  resume(): void {
    if (!this.#closing) this.#runtime.command(Command.resume, this._slot, this._generation);
  }

  /** Counts since it was opened. */
  get stats(): UdpStats {
    const counts = this.#counts;
    if (!this.#over) this.#runtime.native.udpCounts(this._slot, this._generation, counts);
    const [received, truncated, sent, refused, missed, bytesReceived, bytesSent] = counts;
    const dropped = this.#dropped;
    return { received, truncated, missed, sent, dropped, refused, bytesReceived, bytesSent };
  }

  /** Lets it send to broadcast addresses. */
  setBroadcast(on: boolean): void {
    setOption(this, UdpOption.broadcast, boolean('on', on, false) ? 1 : 0);
  }

  /** Hops that a datagram may make, 1 to 255. */
  setTtl(ttl: number): void {
    setOption(this, UdpOption.hops, integer('ttl', ttl, 1, BYTE_MAX, 1));
  }

  /** The same for multicast, 0 to 255. */
  setMulticastTtl(ttl: number): void {
    setOption(this, UdpOption.multicastHops, integer('ttl', ttl, 0, BYTE_MAX, 1));
  }

  /** Whether this machine hears what the socket sends to a group. The system's default: true. */
  setMulticastLoopback(on: boolean): void {
    setOption(this, UdpOption.multicastLoop, boolean('on', on, true) ? 1 : 0);
  }

  /** By which interface multicast leaves: its IPv4 address, or '::%name' of an IPv6 socket. */
  setMulticastInterface(interfaceAddress?: string): void {
    setMulticastInterface(this, interfaceAddress);
  }

  /** The traffic class of what it sends, 0 to 255: six bits of DSCP, two of ECN. */
  setTrafficClass(value: number): void {
    setOption(this, UdpOption.trafficClass, integer('value', value, 0, BYTE_MAX, 0));
  }

  /** Bytes of the kernel's buffer; Linux answers twice what was asked for. */
  get receiveBufferSize(): number {
    return getOption(this, UdpOption.receiveBuffer);
  }

  get sendBufferSize(): number {
    return getOption(this, UdpOption.sendBuffer);
  }

  /** Joins a multicast group, on the interface with this address or one of the system's choice. */
  addMembership(group: string, interfaceAddress?: string): void {
    changeMembership(this, true, group, undefined, interfaceAddress);
  }

  dropMembership(group: string, interfaceAddress?: string): void {
    changeMembership(this, false, group, undefined, interfaceAddress);
  }

  /** Joins a group for what comes from `source` alone. */
  addSourceMembership(source: string, group: string, interfaceAddress?: string): void {
    changeMembership(this, true, group, source, interfaceAddress);
  }

  dropSourceMembership(source: string, group: string, interfaceAddress?: string): void {
    changeMembership(this, false, group, source, interfaceAddress);
  }

  /** Sends what the kernel takes now, and closes. Resolves when it is closed. */
  close(): Promise<void> {
    this.#end(Command.udpClose);
    return this.#closed;
  }

  /** Closes now: what waits to be sent is dropped. */
  destroy(): void {
    this.#end(Command.destroy);
  }

  #end(command: Command): void {
    if (this.#closing || this.#over) return;
    // So that the counts have the last datagrams too.
    if (command === Command.udpClose) this.#runtime.native.flush();
    this.#runtime.native.udpCounts(this._slot, this._generation, this.#counts);
    this.#closing = true;
    this.#runtime.command(command, this._slot, this._generation);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Batches of packets, which are valid until the next one is asked for. */
  [Symbol.asyncIterator](): AsyncIterableIterator<readonly Packet[]> {
    if (this.#iterator !== undefined && !this.#iterator.ended) return this.#iterator;
    this.#iterator = new PacketIterator(this);
    if (this.#over) this.#iterator.close();
    return this.#iterator;
  }

  /** @internal True: they are kept for longer than the turn. */
  _data(packets: readonly Packet[]): boolean {
    if (this.#closing) return false;
    if (this.#iterator !== undefined && !this.#iterator.ended) {
      this.#iterator.data(packets);
      return true;
    }
    if (this.#handlers.data !== undefined) this.#call(this.#handlers.data, packets);
    return false;
  }

  /** @internal */
  _drain(): void {
    if (!this.#wantsDrain || this.#closing) return;
    this.#wantsDrain = false;
    if (this.#handlers.drain !== undefined) this.#call(this.#handlers.drain, undefined);
  }

  /** @internal */
  _error(error: Error): void {
    const { error: handler } = this.#handlers;
    if (handler === undefined || this.#over) return;
    try {
      onRejection(handler(this, error), uncaught);
    } catch (thrown) {
      uncaught(thrown);
    }
  }

  /** @internal */
  _close(error: Error | undefined): void {
    leaveSocket(this._slot, this);
    this.#over = true;
    this.#closing = true;
    this.#leaveWorker();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.#handlers.close !== undefined) this.#call(this.#handlers.close, error);
    this.#iterator?.close(error);
    this.#context.over();
    this.#resolveClosed();
  }

  #call<Argument>(
    handler: (socket: UdpSocket, argument: Argument) => unknown,
    argument: Argument,
  ): void {
    try {
      onRejection(handler(this, argument), (thrown) => this._failed(thrown));
    } catch (thrown) {
      this._failed(thrown);
    }
  }

  /** @internal A handler threw: the socket goes on, with other peers. */
  _failed(thrown: unknown): void {
    if (this.#handlers.error === undefined || this.#over) uncaught(thrown);
    else this._error(thrown instanceof Error ? thrown : new Error(String(thrown)));
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (data instanceof Uint8Array) return data;
  throw invalidArgType('data', 'a string, a Uint8Array or a packet', data);
}
