// What node:dgram takes for libuv's handle of a datagram socket: a socket of our loop. Errors are
// answered as libuv does, by their negative numbers.
import { AsyncResource } from 'node:async_hooks';
import { constants } from 'node:os';
import { Command, Control, PENDING_OVER } from '../runtime/protocol.js';
import { type Runtime, runtime } from '../runtime/runtime.js';
import { uncaught } from '../runtime/ticks.js';
import { recordOf } from '../udp/destination.js';
import { UdpOption } from '../udp/kernel_options.js';
import type { Packet } from '../udp/packet.js';
import { COUNTED_BYTES, type Route, sendBytes } from '../udp/sending.js';
import { PACKET_BYTES_MAX } from '../udp/socket.js';
import { keepSocket, leaveSocket, type Named } from '../udp/tables.js';
import '../udp/events.js';
import { bufferSize, type SizeError } from './buffer_size.js';
import type { NodeHandle } from './seams.js';

const { errno } = constants;
const EAGAIN = -errno.EAGAIN;
const EBADF = -errno.EBADF;
const EEXIST = -errno.EEXIST;
const EINVAL = -errno.EINVAL;
const EMSGSIZE = -errno.EMSGSIZE;
const ENOBUFS = -errno.ENOBUFS;
const ENOTCONN = -errno.ENOTCONN;

/** libuv's flags of bind(), and what they are in udpOpen(). */
const FLAGS = [
  { libuv: 1, ours: 4 }, // IPv6 alone
  { libuv: 4, ours: 1 }, // SO_REUSEADDR
  { libuv: 8, ours: 2 }, // SO_REUSEPORT
] as const;
const REUSE_ADDRESS = 4;
// epoll or kqueue, where there is one: its sockets are closed within the call, as libuv's are, and
// the port is free at once. The ring has to let go of a socket first.
const HINT_POLL = 2;
const RECEIVED_BYTES_MAX = 65_535;
/** Bytes that wait for the kernel; more are refused with ENOBUFS. libuv knows no limit. */
export const QUEUED_BYTES_MAX = 64 * 1024 * 1024;

interface Rinfo {
  address: string;
  family: string;
  port: number;
  size: number;
}
type OnMessage = (count: number, handle: DatagramHandle, bytes?: Buffer, rinfo?: Rinfo) => void;

/** Those whose descriptor nobody else may take. */
const bound = new Set<DatagramHandle>();

/** Node hands on whatever view on memory it was given. */
function bytesOf(view: ArrayBufferView): Uint8Array {
  if (view instanceof Uint8Array) return view;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

export class DatagramHandle implements Named {
  onmessage: OnMessage | undefined;
  onerror: unknown;
  lookup: unknown;
  /** Node's own, as long as this one is not bound. */
  readonly #nodes: NodeHandle;
  readonly #giveBack: (nodes: NodeHandle) => void;
  readonly #scope = new AsyncResource('UDPWRAP');
  readonly #runtime: Runtime = runtime();
  readonly #ipv6: boolean;
  readonly #route: Route = { slot: -1, generation: 0, record: undefined, packet: undefined };
  #bound = false;
  #closed = false;
  #connected = false;
  #receiving = false;
  #referenced = true;
  #queued = 0;
  #onClose: (() => void) | undefined;

  /** `giveBack`: Node's own handle is to serve the socket after all. */
  constructor(ipv6: boolean, nodes: NodeHandle, giveBack: (nodes: NodeHandle) => void) {
    this.#ipv6 = ipv6;
    this.#nodes = nodes;
    this.#giveBack = giveBack;
    this.lookup = nodes.lookup;
  }

  /** @internal */
  get _generation(): number {
    return this.#route.generation;
  }

  getAsyncId(): number {
    return this.#scope.asyncId();
  }

  get fd(): number {
    return this.#open ? this.#runtime.native.descriptor(this.#slot, this._generation) : EBADF;
  }

  get #slot(): number {
    return this.#route.slot;
  }

  get #open(): boolean {
    return this.#bound && !this.#closed;
  }

  bind(address: string, port: number, flags: number): number {
    if (this.#closed) return EBADF;
    if (this.#bound) return EINVAL;
    const { native, control } = this.#runtime;
    const bits = FLAGS.reduce((all, { libuv, ours }) => (flags & libuv ? all | ours : all), 0);
    // A listener may stand in the place of the port.
    native.udpOpen(address, Number(port) >>> 0, '', 0, bits, RECEIVED_BYTES_MAX, HINT_POLL);
    const error = control[Control.resultError];
    if (error !== 0) return -error;
    this.#route.slot = control[Control.resultSlot];
    this.#route.generation = control[Control.resultGeneration];
    this.#bound = true;
    bound.add(this);
    keepSocket(this.#slot, this);
    if (!this.#receiving) this.#command(Command.pause);
    if (!this.#referenced) native.setConnectionReferenced(this.#slot, this._generation, false);
    this.#nodes.close();
    return 0;
  }

  /** A descriptor of somebody else's: Node's own handle serves it. */
  open(fd: number): number {
    if (this.#bound || this.#closed) return EINVAL;
    for (const other of bound) {
      if (other.fd === fd) return EEXIST;
    }
    this.#closed = true;
    this.#giveBack(this.#nodes);
    this.#scope.emitDestroy();
    return this.#nodes.open(fd);
  }

  connect(address: string, port: number): number {
    if (!this.#open) return EBADF;
    const { native } = this.#runtime;
    native.flush();
    const result = native.udpConnect(this.#slot, this._generation, address, port);
    if (result === 0) this.#connected = true;
    return result;
  }

  disconnect(): number {
    if (!this.#open) return EBADF;
    if (!this.#connected) return ENOTCONN;
    this.#connected = false;
    const { native } = this.#runtime;
    native.flush();
    return native.udpConnect(this.#slot, this._generation, '', 0);
  }

  /** `to`: port, address and whether there is a callback; of a connected socket the last alone. */
  send(_request: unknown, list: ArrayBufferView[], count: number, ...to: unknown[]): number {
    if (!this.#open) return EBADF;
    const bytes = count === 1 ? bytesOf(list[0]) : Buffer.concat(list.map(bytesOf));
    const { length } = bytes;
    if (length > PACKET_BYTES_MAX) return EMSGSIZE;
    const called = to.at(-1) === true;
    const route = this.#route;
    route.record = undefined;
    if (to.length > 1) {
      const [port, address] = to as [number, string];
      try {
        route.record = recordOf({ address, port }, this.#ipv6);
      } catch {
        return EINVAL;
      }
    }
    if (called) {
      // Whoever is called back wants to hear what the kernel says of this very datagram.
      const { native } = this.#runtime;
      if (this.#waiting > 0) native.flush();
      const sent = native.udpSendNow(this.#slot, this._generation, bytes, route.record);
      if (sent !== EAGAIN) return sent < 0 ? sent : sent + 1;
    }
    const waiting = this.#waiting;
    if (waiting + length + COUNTED_BYTES > QUEUED_BYTES_MAX) return ENOBUFS;
    if (!sendBytes(this.#runtime, route, bytes)) return ENOBUFS;
    this.#queued = waiting === 0 ? 1 : this.#queued + 1;
    return length + 1;
  }

  /** Bytes that wait, with what is counted for each datagram. */
  get #waiting(): number {
    if (!this.#open) return 0;
    const bytes = this.#runtime.memory.pending[this.#slot];
    return bytes === PENDING_OVER ? 0 : bytes;
  }

  getSendQueueSize(): number {
    return this.#waiting - this.getSendQueueCount() * COUNTED_BYTES;
  }

  /** At most, once some of several have left. */
  getSendQueueCount(): number {
    return Math.min(this.#queued, Math.floor(this.#waiting / COUNTED_BYTES));
  }

  recvStart(): number {
    if (this.#closed) return EBADF;
    if (this.#receiving) return 0;
    this.#receiving = true;
    if (this.#bound) this.#command(Command.resume);
    return 0;
  }

  recvStop(): number {
    if (this.#closed) return EBADF;
    this.#receiving = false;
    if (this.#bound) this.#command(Command.pause);
    return 0;
  }

  getsockname(out: object): number {
    return this.#name(out, false);
  }

  getpeername(out: object): number {
    return this.#connected ? this.#name(out, true) : ENOTCONN;
  }

  #name(out: object, remote: boolean): number {
    if (!this.#open) return EBADF;
    const found = this.#runtime.native.address(this.#slot, this._generation, remote);
    if (found === undefined) return EBADF;
    Object.assign(out, found);
    return 0;
  }

  /** Of the kernel's buffers: gets with 0, else sets. undefined: `context` says why not. */
  bufferSize(size: number, receives: boolean, context: SizeError): number | undefined {
    const socket = this.#open ? this : undefined;
    return bufferSize(
      this.#runtime.native,
      this.#slot,
      socket?._generation,
      size,
      receives,
      context,
    );
  }

  setBroadcast(on: number): number {
    return this.#option(UdpOption.broadcast, on);
  }

  setTTL(hops: number): number {
    return hops < 1 || hops > 255 ? EINVAL : this.#option(UdpOption.hops, hops);
  }

  setMulticastTTL(hops: number): number {
    return hops < 0 || hops > 255 ? EINVAL : this.#option(UdpOption.multicastHops, hops);
  }

  setMulticastLoopback(on: number): number {
    return this.#option(UdpOption.multicastLoop, on ? 1 : 0);
  }

  #option(option: UdpOption, value: number): number {
    if (!this.#open) return EBADF;
    return this.#runtime.native.udpSetOption(this.#slot, this._generation, option, value);
  }

  setMulticastInterface(address: string): number {
    if (!this.#open) return EBADF;
    if (address === '') return EINVAL;
    const { native } = this.#runtime;
    const result = native.udpMulticastInterface(this.#slot, this._generation, address);
    // libuv takes a zone that is not there for the system's choice.
    if (result !== EINVAL || !this.#ipv6 || !address.startsWith('::%')) return result;
    return native.udpMulticastInterface(this.#slot, this._generation, '');
  }

  addMembership(group: string, on?: string): number {
    return this.#membership(true, group, '', on);
  }

  dropMembership(group: string, on?: string): number {
    return this.#membership(false, group, '', on);
  }

  addSourceSpecificMembership(source: string, group: string, on?: string): number {
    return this.#membership(true, group, source, on);
  }

  dropSourceSpecificMembership(source: string, group: string, on?: string): number {
    return this.#membership(false, group, source, on);
  }

  /** As libuv does, a socket that is not bound is bound to any address first. */
  #membership(join: boolean, group: string, source: string, on: string | undefined): number {
    if (!this.#bound) {
      const result = this.bind(this.#ipv6 ? '::' : '0.0.0.0', 0, REUSE_ADDRESS);
      if (result !== 0) return result;
    }
    if (!this.#open) return EBADF;
    const { native } = this.#runtime;
    return native.udpMembership(this.#slot, this._generation, join, group, source, on ?? '');
  }

  ref(): void {
    this.#reference(true);
  }

  unref(): void {
    this.#reference(false);
  }

  hasRef(): boolean {
    return this.#referenced && !this.#closed;
  }

  #reference(on: boolean): void {
    this.#referenced = on;
    if (!this.#open) return;
    this.#runtime.native.setConnectionReferenced(this.#slot, this._generation, on);
  }

  /** Sends what the kernel takes now. */
  close(closed?: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose = closed;
    if (this.#bound) {
      this.#runtime.native.flush();
      this.#command(Command.udpClose);
      this.#runtime.native.flush();
      return;
    }
    this.#nodes.close();
    setImmediate(() => this._close());
  }

  #command(command: Command): void {
    this.#runtime.command(command, this.#slot, this._generation);
  }

  /** @internal */
  _data(packets: readonly Packet[]): boolean {
    this.#scope.runInAsyncScope(() => {
      for (const packet of packets) this.#tell(packet);
    });
    return false;
  }

  #tell(packet: Packet): void {
    const { onmessage } = this;
    if (this.#closed || !this.#receiving || onmessage === undefined) return;
    const bytes = packet.copy();
    const { address, family, port } = packet;
    const rinfo = { address, family, port, size: bytes.length };
    try {
      onmessage(bytes.length, this, bytes, rinfo);
    } catch (thrown) {
      // As in node:dgram: the socket goes on.
      uncaught(thrown);
    }
  }

  /** @internal What comes of a datagram that was sent concerns Node's sockets when connected. */
  _error(error: NodeJS.ErrnoException): void {
    const { onmessage } = this;
    if (!this.#connected || this.#closed || onmessage === undefined) return;
    if (error.syscall !== 'recvmsg' || error.errno === undefined) return;
    try {
      this.#scope.runInAsyncScope(onmessage, undefined, error.errno, this);
    } catch (thrown) {
      uncaught(thrown);
    }
  }

  /** @internal */
  _drain(): void {}

  /** @internal */
  _failed(thrown: unknown): void {
    uncaught(thrown);
  }

  /** @internal */
  _close(): void {
    if (this.#bound) leaveSocket(this.#slot, this);
    bound.delete(this);
    this.#closed = true;
    this.#scope.emitDestroy();
    this.#onClose?.();
  }
}
