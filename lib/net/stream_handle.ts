// What stands in the place of libuv's TCP and pipe handles under a Socket of node:net: the same
// members, over a connection of this package's loop. It inherits from none of Node's classes: a
// native method that gets an object which is not its own ends the process.
//
//   new --connect()--> connecting --connected--> open --close(), reset() or a failure--> over
//      \--accepted(), adopted()------------------^
import { executionAsyncId } from 'node:async_hooks';
import { later } from '../later.js';
import { eventsAhead } from '../runtime/dispatch.js';
import type { PathAddress, SocketAddress } from '../runtime/native.js';
import { Command, Control, Event } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { systemError } from '../runtime/system_error.js';
import { HandlerContext } from '../tcp/handler_context.js';
import { giveEndpoint, type Taker } from '../tcp/tables.js';
import { UV } from './errno.js';
import { command, type OpenHandle } from './open_handle.js';
import { Reading } from './reading.js';
import { symbols } from './symbols.js';
import { Writing } from './writing.js';

/** Bytes that have left JavaScript and that a peer does not take keep a closed socket so long. */
const LINGER_MS = 60_000;

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535;
}

/** Native code's kChannelsMax. */
const SLOTS_MAX = 2 ** 24;

function isSlot(slot: unknown): slot is number {
  return Number.isInteger(slot) && (slot as number) >= 0 && (slot as number) < SLOTS_MAX;
}

/** Handles by native code's number of them. */
class Handles {
  readonly #all: (StreamHandle | undefined)[] = [];

  keep(handle: StreamHandle): void {
    while (this.#all.length < handle._slot) this.#all.push(undefined);
    this.#all[handle._slot] = handle;
  }

  at(slot: number, generation: number): StreamHandle | undefined {
    const handle = this.#all[slot];
    return handle?._generation === generation ? handle : undefined;
  }

  /** Native code may use the number again. */
  forget(slot: number): void {
    this.#all[slot] = undefined;
  }
}
const handles = new Handles();

const IPV6_ONLY = 1;

/** Of Node: its callback is told how a connect or a shutdown has ended. */
interface Request {
  oncomplete?(...given: unknown[]): void;
}
interface Name {
  address?: string;
  port?: number;
  family?: string;
}

export class StreamHandle implements OpenHandle {
  /** Node's own, as those of its handles. */
  reading = false;
  onread: unknown = undefined;
  // Private, so that nothing but a handle is a receiver of what asks for them.
  #slot = -1;
  #generation = 0;
  #over = true;
  #closed = false;
  /** @internal */
  readonly _reading = new Reading(this);
  /** @internal */
  readonly _writing = new Writing(this);
  #endpointId = -1;
  #bound = -1;
  #referenced = true;
  #connecting: Request | undefined;
  #shutdown: Request | undefined;
  #successor: { close(): void } | undefined;
  #goal: [Request, string, number] | undefined;
  #context: HandlerContext | undefined;

  /** @internal `isPath`: of a Unix socket, whose handle has no names in Node. */
  constructor(isPath: boolean) {
    (this as Record<symbol, unknown>)[symbols.owner] = null;
    if (isPath) Object.assign(this, { getsockname: undefined, getpeername: undefined });
  }

  get _slot(): number {
    return this.#slot;
  }
  get _generation(): number {
    return this.#generation;
  }
  /** Native code has it no more, or has never had it. */
  get _over(): boolean {
    return this.#over;
  }
  /** Node has closed it. */
  get _closed(): boolean {
    return this.#closed;
  }

  /** It keeps the process alive, whatever is written. */
  get _holds(): boolean {
    return this.#referenced && this._reading.active;
  }

  /** @internal Native code has accepted it. */
  _accepted(slot: number, generation: number): void {
    // Programs reach it by a socket's _handle, and may give anything.
    if (this.#slot >= 0 || this.#closed || !isSlot(slot) || !Number.isInteger(generation)) return;
    this.#slot = slot;
    this.#generation = generation;
    this.#over = false;
    handles.keep(this);
    this._reading.open();
  }

  bind(address: string, port?: number): number {
    return this.#bind(address, port ?? 0, false);
  }

  bind6(address: string, port?: number, flags = 0): number {
    return this.#bind(address, port ?? 0, (flags & IPV6_ONLY) !== 0);
  }

  #bind(address: string, port: number, ipv6Only: boolean): number {
    if (this.#bound >= 0 || !this.#over || this.#closed) return UV.EINVAL;
    if (typeof address !== 'string' || !isPort(port)) return UV.EINVAL;
    const fd = runtime().native.bindSocket(address, port, ipv6Only);
    if (fd < 0) return fd;
    this.#bound = fd;
    return 0;
  }

  connect(request: Request, address: string, port = -1): number {
    if (this.#closed || !this.#over || this.#connecting !== undefined) return UV.EINVAL;
    if (typeof address !== 'string' || !(port === -1 || isPort(port))) return UV.EINVAL;
    this.#goal = [request, address, port];
    const loop = runtime();
    const fd = this.#bound;
    this.#bound = -1;
    loop.native.connect(address, port, '', 0, 0, 0, 0, undefined, undefined, fd, true);
    return this.#opened(request);
  }

  connect6(request: Request, address: string, port: number): number {
    return this.connect(request, address, port);
  }

  #opened(request: Request): number {
    const { control, native } = runtime();
    if (control[Control.resultError] !== 0) return -control[Control.resultError];
    this.#slot = control[Control.resultSlot];
    this.#generation = control[Control.resultGeneration];
    this.#over = false;
    this.#connecting = request;
    handles.keep(this);
    this.#context = new HandlerContext();
    this.#endpointId = control[Control.resultEndpoint];
    giveEndpoint(this.#endpointId, this.#context.bind(takeEvents) as Taker);
    if (!this.#referenced) native.setConnectionReferenced(this.#slot, this.#generation, false);
    return 0;
  }

  /** @internal */
  _connected(): void {
    const request = this.#connecting;
    this.#connecting = undefined;
    if (this.#closed) return;
    this._reading.open();
    request?.oncomplete?.(0, this, request, true, true);
    this._reading.settle();
  }

  readStart(): number {
    return this.#closed ? UV.EINVAL : this._reading.start();
  }

  readStop(): number {
    this._reading.stop();
    return 0;
  }

  /** Its end is told behind all that was written. */
  shutdown(request: Request): number {
    if (this.#over || this.#closed) return UV.ENOTCONN;
    this.#shutdown = request;
    command(this, Command.end);
    return 0;
  }

  /** @internal */
  _finSent(): void {
    const request = this.#shutdown;
    this.#shutdown = undefined;
    if (!this.#closed) request?.oncomplete?.(0);
  }

  /** @internal Node closes it when it is done with it. */
  _closeWith(successor: { close(): void }): void {
    this.#successor = successor;
  }

  close(callback?: () => void): void {
    this.#successor?.close();
    this.#successor = undefined;
    if (this.#closed) return;
    this.#closed = true;
    if (this.#bound >= 0) runtime().native.closeSocket(this.#bound);
    this.#bound = -1;
    if (!this.#over) this.#end();
    this._reading.drop();
    this._writing.drop();
    if (typeof callback === 'function') later(() => callback.call(this));
  }

  /** What was written and told to have left does leave, as it would from the kernel's buffer. */
  #end(): void {
    const { pending } = this._writing;
    if (pending > 0) runtime().native.flush();
    if (this.#over || this._writing.waits || this._writing.pending === 0) {
      command(this, Command.destroy);
      return;
    }
    command(this, Command.timeout, LINGER_MS);
    command(this, Command.close);
  }

  reset(callback?: () => void): number {
    if (this.#closed) return UV.EINVAL;
    if (!this.#over) command(this, Command.reset);
    this.#over = true;
    this.close(callback);
    return 0;
  }

  /** @internal A closed socket whose peer takes nothing. */
  _timedOut(): void {
    if (this.#closed) command(this, Command.destroy);
  }

  /** @internal Native code is done with it. */
  _ended(errno: number, error: Error | undefined): void {
    this.#over = true;
    if (this.#endpointId >= 0) giveEndpoint(this.#endpointId, undefined);
    this.#context?.over();
    if (this.#closed) return;
    const request = this.#connecting;
    this.#connecting = undefined;
    if (request !== undefined) {
      request.oncomplete?.(-errno || UV.ECANCELED, this, request, false, false);
      return;
    }
    this._writing.failed(error);
    this._reading.failed(error);
    this.#shutdown = undefined;
  }

  ref(): void {
    this.#refer(true);
  }

  unref(): void {
    this.#refer(false);
  }

  hasRef(): boolean {
    return this.#referenced && !this.#closed;
  }

  #refer(on: boolean): void {
    this.#referenced = on;
    if (this.#over) return;
    runtime().native.setConnectionReferenced(this.#slot, this.#generation, on);
  }

  setNoDelay(on?: unknown): number {
    if (this.#over) return UV.EBADF;
    return runtime().native.setNoDelay(this.#slot, this.#generation, Boolean(on));
  }

  setKeepAlive(on: unknown, seconds = 0): number {
    if (this.#over) return UV.EBADF;
    const ms = on ? Math.min(Math.max(Math.trunc(seconds) || 0, 0), 32_767) * 1000 : -1;
    return runtime().native.setKeepAlive(this.#slot, this.#generation, ms);
  }

  setBlocking(): number {
    return 0;
  }

  /** Node looks for the buffer on the socket. */
  useUserBuffer(): void {}

  getAsyncId(): number {
    return executionAsyncId() || 1;
  }

  get fd(): number {
    if (this.#over) return this.#bound;
    return runtime().native.descriptor(this.#slot, this.#generation);
  }

  get bytesRead(): number {
    return this._reading.bytes;
  }

  get bytesWritten(): number {
    return this._writing.bytes;
  }

  get writeQueueSize(): number {
    return this._writing.pending;
  }

  getsockname(out: Name): number {
    return this.#nameInto(false, out);
  }

  getpeername(out: Name): number {
    return this.#nameInto(true, out);
  }

  #nameInto(remote: boolean, out: Name): number {
    const { native } = runtime();
    let name: SocketAddress | PathAddress | undefined;
    if (!this.#over) name = native.address(this.#slot, this.#generation, remote);
    else if (this.#bound >= 0 && !remote) name = native.socketName(this.#bound);
    if (name === undefined || 'path' in name) return this.#over ? UV.EBADF : UV.ENOTCONN;
    out.address = name.address;
    out.family = name.family;
    out.port = name.port;
    return 0;
  }

  /** @internal What it is connecting to; undefined: nothing, or it is connected. */
  get _goal(): readonly [Request, string, number] | undefined {
    return this.#connecting === undefined ? undefined : this.#goal;
  }

  /**
   * @internal Its socket leaves the loop, open as it is: the answer is a descriptor for it, or the
   * negative errno. Whatever was received and not delivered is in `received`.
   */
  _release(received: Buffer[]): number {
    if (this.#over || this.#closed || this._writing.waits) return UV.EAGAIN;
    const loop = runtime();
    const untold: Uint8Array[] = [];
    const fd = loop.native.release(this.#slot, this.#generation, untold);
    if (fd < 0) return fd;
    received.push(...this._reading.takeHeld());
    for (const at of eventsAhead(loop, Event.data, this.#slot, this.#generation)) {
      const slab = loop.memory.slabs[loop.events[at + 3]];
      received.push(Reading.copied(slab, loop.events[at + 4], loop.events[at + 5]));
    }
    received.push(...(untold as Buffer[]));
    this.#closed = true;
    return fd;
  }
}

/** The events of connections: which member of their handle each is for. */
export function takeEvents(kind: number, at: number, events: Int32Array): void {
  const handle = handles.at(events[at + 1], events[at + 2]);
  if (handle === undefined) return;
  switch (kind) {
    case Event.data: {
      const slab = runtime().memory.slabs[events[at + 3]];
      handle._reading.data(slab, events[at + 4], events[at + 5]);
      break;
    }
    case Event.readable:
      handle._reading.readable();
      break;
    case Event.drain:
      handle._writing.drained();
      break;
    case Event.end:
      handle._reading.end();
      break;
    case Event.finSent:
      handle._finSent();
      break;
    case Event.connected:
      handle._connected();
      break;
    case Event.timeout:
      handle._timedOut();
      break;
    case Event.close: {
      handles.forget(handle._slot);
      const errno = events[at + 3] & 0xffffff;
      const error = errno === 0 ? undefined : systemError(errno, events[at + 3] >>> 24);
      handle._ended(errno, error);
      break;
    }
  }
}
