// What stands in the place of libuv's handle under a Server of node:net that listens.
import { fs } from '../builtins.js';
import { later } from '../later.js';
import type { PathAddress, SocketAddress } from '../runtime/native.js';
import { Command, Control, Event } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { HandlerContext } from '../tcp/handler_context.js';
import { giveEndpoint, type Taker } from '../tcp/tables.js';
import { UV } from './errno.js';
import { StreamHandle, takeEvents } from './stream_handle.js';
import '../tcp/events.js';

const MAX_CONNECTIONS = 2 ** 32 - 1;
const BACKLOG_DEFAULT = 511;
/** libuv's bits for a pipe's mode, and those of the file. */
const READABLE = 1;
const WRITABLE = 2;

/** Where it is to listen. Port -1: the address is a path. */
export interface Place {
  address: string;
  port: number;
  ipv6Only: boolean;
}

export class ListeningHandle {
  /** Node's own. */
  onconnection: ((this: ListeningHandle, error: number, client?: StreamHandle) => void) | null =
    null;
  readonly place: Place;
  readonly #refused: number;
  readonly #context = new HandlerContext();
  #id = -1;
  #name: SocketAddress | PathAddress | undefined;
  #closed = false;
  /** Handles of Node's on the same socket, which were sent to another process. */
  readonly #copies: { close(): void }[] = [];
  #gone = false;
  /** Connections that native code has. */
  #natives = 0;
  #referenced = true;

  /** Binds and listens; listen() tells what has become of it. */
  constructor(place: Place, backlog = BACKLOG_DEFAULT) {
    this.place = place;
    if (place.port < 0) Object.assign(this, { getsockname: undefined });
    const { native, control } = runtime();
    const { address, port, ipv6Only } = place;
    native.listen(
      address,
      port,
      -1,
      backlog || BACKLOG_DEFAULT,
      false,
      ipv6Only,
      false,
      -1,
      MAX_CONNECTIONS,
      0,
      0,
      undefined,
      undefined,
      undefined,
      true,
    );
    this.#refused = -control[Control.resultError];
    if (this.#refused !== 0) {
      this.#context.over();
      return;
    }
    this.#id = control[Control.resultEndpoint];
    this.#name = native.listenerAddress(this.#id);
    giveEndpoint(this.#id, this.#context.bind(this.#take.bind(this)) as Taker);
  }

  /** What the system has answered: 0, or the negative errno. */
  get refused(): number {
    return this.#refused;
  }

  listen(): number {
    return this.#refused;
  }

  /** @internal */
  _closeWith(copy: { close(): void }): void {
    this.#copies.push(copy);
  }

  close(callback?: () => void): void {
    for (const copy of this.#copies.splice(0)) copy.close();
    if (!this.#closed && this.#id >= 0 && !this.#gone) {
      runtime().native.closeListener(this.#id, false);
    }
    this.#closed = true;
    if (typeof callback === 'function') later(() => callback.call(this));
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
    if (!this.#closed && this.#id >= 0) runtime().native.setListenerReferenced(this.#id, on);
  }

  getsockname(out: { address?: string; port?: number; family?: string }): number {
    const name = this.#name;
    if (name === undefined || 'path' in name) return UV.EBADF;
    out.address = name.address;
    out.family = name.family;
    out.port = name.port;
    return 0;
  }

  /** The options readableAll and writableAll of a Unix socket. */
  fchmod(mode: number): number {
    const { address } = this.place;
    let bits = 0;
    if (mode & READABLE) bits |= 0o444;
    if (mode & WRITABLE) bits |= 0o222;
    try {
      fs().chmodSync(address, fs().statSync(address).mode | bits);
      return 0;
    } catch (error) {
      return (error as NodeJS.ErrnoException).errno ?? UV.EINVAL;
    }
  }

  get fd(): number {
    return this.#closed || this.#id < 0 ? -1 : runtime().native.listenerDescriptor(this.#id);
  }

  /** @internal A descriptor of the caller's, or the negative errno. */
  _duplicate(): number {
    return runtime().native.duplicateSocket(this.fd);
  }

  getAsyncId(): number {
    return 1;
  }

  #take(kind: number, at: number, events: Int32Array): void {
    if (kind === Event.open) {
      this.#natives++;
      this.#accepted(events[at + 1], events[at + 2]);
    } else if (kind === Event.listenerClosed) {
      this.#gone = true;
      this.#checkOver();
    } else if (kind === Event.close) {
      this.#natives--;
      this.#checkOver();
      takeEvents(kind, at, events);
    } else {
      takeEvents(kind, at, events);
    }
  }

  #accepted(slot: number, generation: number): void {
    if (this.#closed) {
      runtime().command(Command.reset, slot, generation);
      return;
    }
    const client = new StreamHandle(this.place.port < 0);
    client._accepted(slot, generation);
    try {
      this.onconnection?.(0, client);
    } finally {
      client._reading.settle();
    }
  }

  #checkOver(): void {
    if (!this.#gone || this.#natives > 0) return;
    giveEndpoint(this.#id, undefined);
    this.#context.over();
  }
}
