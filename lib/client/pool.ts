// The connections to one origin, and the requests that wait for one.
import { asError } from '../errors.js';
import { runtime } from '../runtime/runtime.js';
import { Deque } from '../scheduler/deque.js';
import type { ConnectOptions } from '../tcp/connect.js';
import { connect } from '../tcp/connect.js';
import type { Connection } from '../tcp/connection.js';
import { clientClosed, lost, tooManyPending } from './errors.js';
import { ATTEMPTS_MAX, type Carrier, type Exchange } from './exchange.js';
import { LAST_REQUESTS, RENEWED_MIN, replacesAhead, requestsOf } from './renewal.js';
import type { CheckedClient } from './settings.js';
import { Wire, type WireOwner } from './wire.js';

/** Connections over maxIdle that rest for so long are closed. */
const TRIM_MS = 1000;

export interface PoolCounts {
  /** Connections that are open. */
  open: number;
  /** Of these, those without a request. */
  idle: number;
  /** Connections that are being opened. */
  connecting: number;
  /** Requests that wait for a connection. */
  pending: number;
}

/** connect(), or what leads through a proxy. */
export type Connector = (options: ConnectOptions) => Promise<Connection>;

export class Pool implements WireOwner, Carrier {
  readonly #checked: CheckedClient;
  readonly #goal: ConnectOptions;
  readonly #onEmpty: () => void;
  readonly #connect: Connector;
  readonly #random: () => number;
  /** The one that was used last is used next: the others may grow old and go. */
  readonly #idle: Wire[] = [];
  readonly #wires = new Set<Wire>();
  readonly #pending = new Deque<Exchange>();
  /** Those that may take a request behind others, each in turn. */
  readonly #roomy = new Deque<Wire>();
  #connecting = 0;
  /** How often a request took the last connection that was free, or found none. */
  #timesEmpty = 0;
  /** At the bottom of `idle`: those that nobody has used since the last look. */
  #unused = 0;
  #trimming: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    checked: CheckedClient,
    goal: ConnectOptions,
    onEmpty: () => void,
    connector: Connector = connect,
    random: () => number = Math.random,
  ) {
    this.#checked = checked;
    this.#goal = goal;
    this.#onEmpty = onEmpty;
    this.#connect = connector;
    this.#random = random;
  }

  get counts(): PoolCounts {
    return {
      open: this.#wires.size,
      idle: this.#idle.length,
      connecting: this.#connecting,
      pending: this.#pending.length,
    };
  }

  dispatch(exchange: Exchange): void {
    if (this.#closed) {
      exchange.fail(clientClosed());
      return;
    }
    if (this.#pending.length === 0) {
      for (let wire = this.#take(); wire !== undefined; wire = this.#take()) {
        if (this.#send(wire, exchange)) {
          this.#list(wire);
          return;
        }
        this.gone(wire);
      }
      if (this.#pipeline(exchange)) return;
    }
    this.#wait(exchange);
  }

  /** False: the connection is over, and nothing of the request was sent. */
  #send(wire: Wire, exchange: Exchange): boolean {
    if (this.#idle.length === 0) this.#timesEmpty++;
    if (!wire.send(exchange)) return false;
    if (wire.requests > wire.requestsMax - LAST_REQUESTS) this.#endsSoon(wire);
    return true;
  }

  /** Opens a connection that takes its place, when there are requests enough for one. */
  #endsSoon(wire: Wire): void {
    const { maxRequests, maxIdle } = this.#checked;
    const isOut = maxRequests < RENEWED_MIN || maxIdle === 0 || this.#closed;
    if (isOut || wire.replaced) return;
    const nowMs = Date.now();
    wire.last ??= { sinceMs: nowMs, timesEmpty: this.#timesEmpty };
    const isWanted = replacesAhead({
      left: wire.requestsMax - wire.requests,
      tookMs: nowMs - wire.last.sinceMs,
      wasEmpty: this.#timesEmpty > wire.last.timesEmpty,
    });
    if (!isWanted || !this.#mayOpen) return;
    wire.replaced = true;
    this.#open(wire);
  }

  /** Its place is taken: it carries no more than what is on it. */
  #retire(wire: Wire): void {
    wire.requestsMax = wire.requests;
    if (!wire.idle || !this.#wires.has(wire)) return;
    wire.close();
    this.gone(wire);
  }

  /** A connection without a request that is fit for one. */
  #take(): Wire | undefined {
    for (;;) {
      const wire = this.#idle.pop();
      if (wire === undefined) return undefined;
      if (this.#idle.length < this.#unused) this.#unused = this.#idle.length;
      const isFit =
        !wire.over && (wire.expiresAt === Number.POSITIVE_INFINITY || Date.now() < wire.expiresAt);
      if (isFit) return wire;
      wire.close();
      this.gone(wire);
    }
  }

  get #mayOpen(): boolean {
    return this.#wires.size + this.#connecting < this.#checked.maxConnections;
  }

  #hasRoom(wire: Wire): boolean {
    return wire.requests < wire.requestsMax && wire.hasRoom(this.#checked.pipelining);
  }

  /** It may take a request behind others: it is asked when no connection is free. */
  #list(wire: Wire): void {
    if (this.#checked.pipelining === 1 || wire.listed || !this.#hasRoom(wire)) return;
    wire.listed = true;
    this.#roomy.push(wire);
  }

  /** Sent behind others, when there may be no connection of its own for it. */
  #pipeline(exchange: Exchange): boolean {
    if (!exchange.pipelines || this.#mayOpen) return false;
    for (let wire = this.#roomy.shift(); wire !== undefined; wire = this.#roomy.shift()) {
      wire.listed = false;
      if (!this.#hasRoom(wire)) continue;
      wire.send(exchange);
      this.#list(wire);
      return true;
    }
    return false;
  }

  #wait(exchange: Exchange): void {
    const { maxPending } = this.#checked;
    const mayOpen = this.#mayOpen;
    if (!mayOpen && this.#pending.length - this.#connecting >= maxPending) {
      exchange.fail(tooManyPending(maxPending));
      return;
    }
    exchange.carrier = this;
    this.#pending.push(exchange);
    if (mayOpen && this.#pending.length > this.#connecting) this.#open();
  }

  /** `replaced`: whose place it takes. */
  #open(replaced?: Wire): void {
    this.#connecting++;
    let wire: Wire | undefined;
    const options: ConnectOptions = {
      ...this.#goal,
      open: (connection) => {
        this.#connecting--;
        wire = this.#adopt(connection);
        if (wire !== undefined && replaced !== undefined) this.#retire(replaced);
      },
      // A server that speaks first is none that this client can talk to.
      data: (connection) => connection.destroy(),
      close: (_connection, error) => wire?.closed(error),
      error() {},
    };
    this.#connect(options).catch((error: unknown) => {
      if (wire === undefined) {
        this.#connecting--;
        this.#refused(asError(error));
      }
    });
  }

  #adopt(connection: Connection): Wire | undefined {
    const of = runtime();
    const { _slot: slot, _generation: generation } = connection;
    const isOpen = of.native.httpClientAdopt(slot, generation, this.#checked.words);
    const isNeeded = !this.#closed || this.#pending.length > 0;
    if (!isOpen || !isNeeded) {
      connection.destroy();
      if (isOpen) this.#checkEmpty();
      else this.#refused(lost());
      return undefined;
    }
    const requestsMax = requestsOf(this.#checked.maxRequests, this.#random());
    const wire = new Wire(this, of, connection, requestsMax);
    this.#wires.add(wire);
    this.#serve(wire);
    return wire;
  }

  /** No connection came about: so many requests fail as wait for more than are on their way. */
  #refused(error: Error): void {
    while (this.#pending.length > this.#connecting) {
      const exchange = this.#pending.shift() as Exchange;
      exchange.fail(error);
      if (this.#wires.size > 0) break;
    }
    this.#checkEmpty();
  }

  #serve(wire: Wire): void {
    if (!wire.idle) {
      this.#fill(wire);
      return;
    }
    const exchange = this.#pending.shift();
    if (exchange === undefined) {
      this.#rest(wire);
    } else if (this.#send(wire, exchange)) {
      this.#fill(wire);
    } else {
      this.gone(wire);
      exchange.carrier = this;
      this.#pending.unshift(exchange);
      this.#openMore();
    }
  }

  /** Requests that wait go behind those that are on it. The oldest may have to go alone. */
  #fill(wire: Wire): void {
    if (this.#checked.pipelining === 1) return;
    while (!this.#mayOpen && this.#hasRoom(wire)) {
      if (this.#pending.peek()?.pipelines !== true) break;
      wire.send(this.#pending.shift() as Exchange);
    }
    this.#list(wire);
  }

  #rest(wire: Wire): void {
    const { maxIdle } = this.#checked;
    wire.rested = true;
    this.#idle.push(wire);
    if (this.#idle.length <= maxIdle) return;
    if (maxIdle === 0) this.#drop(1);
    else if (this.#trimming === undefined) this.#trimLater();
  }

  /** Many rest for a moment when many answers come at once: only those that go on are too many. */
  #trimLater(): void {
    this.#unused = this.#idle.length;
    this.#trimming = setTimeout(() => {
      this.#trimming = undefined;
      this.#drop(Math.min(this.#unused, this.#idle.length) - this.#checked.maxIdle);
      if (this.#idle.length > this.#checked.maxIdle) this.#trimLater();
    }, TRIM_MS).unref();
  }

  /** Closes those that have rested for the longest time. */
  #drop(count: number): void {
    if (count <= 0) return;
    for (const wire of this.#idle.splice(0, count)) {
      wire.close();
      this.gone(wire);
    }
  }

  #openMore(): void {
    const needed = this.#pending.length > this.#connecting;
    if (needed && this.#mayOpen) this.#open();
  }

  free(wire: Wire): void {
    const isOver = this.#closed && this.#pending.length === 0;
    if (isOver || wire.requests >= wire.requestsMax) {
      if (!wire.idle) return;
      wire.close();
      this.gone(wire);
      return;
    }
    this.#serve(wire);
  }

  gone(wire: Wire): void {
    if (!this.#wires.delete(wire)) return;
    if (wire.listed) this.#roomy.remove(wire);
    const at = this.#idle.indexOf(wire);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#pending.length > 0) this.#openMore();
    else this.#checkEmpty();
  }

  again(exchanges: Exchange[]): void {
    const { retry } = this.#checked;
    const left = exchanges.filter((exchange) => {
      exchange.carrier = undefined;
      // RFC 9112 section 9.3.2: what went down with a connection is not pipelined again.
      exchange.pipelines = false;
      if (!retry || exchange.attempts >= ATTEMPTS_MAX) exchange.fail(lost());
      else if (this.#closed) exchange.fail(clientClosed());
      else return true;
      return false;
    });
    // What rests may be as stale as the one that was lost: a new connection, or one that answers.
    if (left.length > 0 && !this.#mayOpen) this.#drop(1);
    this.#waitFirst(left);
  }

  moved(exchanges: Exchange[]): void {
    // The server has not looked at them.
    for (const exchange of exchanges) exchange.attempts--;
    this.#waitFirst(exchanges);
  }

  /** They have waited before, and longer than all others. */
  #waitFirst(exchanges: Exchange[]): void {
    for (let i = exchanges.length - 1; i >= 0; i--) {
      exchanges[i].carrier = this;
      this.#pending.unshift(exchanges[i]);
      this.#openMore();
    }
  }

  abandon(exchange: Exchange, reason: unknown): void {
    if (this.#pending.remove(exchange)) exchange.fail(reason);
  }

  #checkEmpty(): void {
    const isEmpty = this.#wires.size === 0 && this.#connecting === 0 && this.#pending.length === 0;
    if (isEmpty) this.#onEmpty();
  }

  /** No request is taken; those that wait are answered, and then connections close. */
  close(): void {
    this.#closed = true;
    for (const wire of this.#idle.splice(0)) {
      wire.close();
      this.#wires.delete(wire);
    }
    this.#checkEmpty();
  }

  destroy(error: Error): void {
    this.#closed = true;
    for (let each = this.#pending.shift(); each !== undefined; each = this.#pending.shift()) {
      each.fail(error);
    }
    this.#idle.length = 0;
    for (const wire of [...this.#wires]) wire.destroy(error);
    this.#checkEmpty();
  }
}
