// What a connection tells of its socket, and the settings of that socket.
import { invalidArgType, invalidArgValue } from '../errors.js';
import { extraArgument } from '../extra_arguments.js';
import type { PathAddress, SocketAddress } from '../runtime/native.js';
import { Command } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { systemError } from '../runtime/system_error.js';
import { addressOf, familyOf, portOf } from './address_parts.js';
import { type Extra, Flag, OVER } from './connection_state.js';
import { checkKeepAlive } from './options.js';

/** In the order of native code's ReceiveHint. */
const ROUTES = ['auto', 'readiness', 'completion', 'poll'] as const;
export type RouteHint = (typeof ROUTES)[number];

/** The same numbers; any route of the ring has one of its own. */
const ENGINES = { auto: 0, poll: 3, uring: 4 } as const;

const counts = new Float64Array(2);

/** The part of a Connection that is about its socket. All of it is safe in every state. */
export abstract class ConnectionInfo {
  /** @internal */
  readonly _slot: number;
  /** @internal */
  readonly _generation: number;
  /** @internal */
  _flags = 0;
  /** @internal */
  _extra: Extra | undefined = undefined;

  /** @internal */
  constructor(slot: number, generation: number) {
    this._slot = slot;
    this._generation = generation;
  }

  /**
   * How its bytes are received from now on: 'readiness' (the ring says when to read), 'completion'
   * (the ring reads), 'poll' (epoll or kqueue says when to read), or 'auto', what the listener and
   * the loop would choose. It may be called at any time: no byte is lost or changes its place. What
   * this loop does not have is replaced, and counted by `Loop.explain()`.
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE
   */
  setRoute(route: RouteHint): this {
    const index = ROUTES.indexOf(route);
    if (index < 0) throw invalidArgValue('route', `one of ${ROUTES.join(', ')}`, route);
    if (!(this._flags & OVER)) this.#command(Command.route, index);
    return this;
  }

  /**
   * Which engine serves it from now on: 'uring' (by the route that the loop chooses there), 'poll'
   * (epoll or kqueue), or 'auto', what the listener and the loop would choose. A shorter way to
   * say setRoute() when the route does not matter; the same holds of it.
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_VALUE
   */
  setEngine(engine: 'uring' | 'poll' | 'auto'): this {
    if (typeof engine !== 'string' || !Object.hasOwn(ENGINES, engine)) {
      throw invalidArgValue('engine', `one of ${Object.keys(ENGINES).join(', ')}`, engine);
    }
    if (!(this._flags & OVER)) this.#command(Command.route, ENGINES[engine]);
    return this;
  }

  /** The engine that serves it now; undefined once it is closed. */
  get engine(): 'uring' | 'poll' | undefined {
    const { route } = this;
    if (route === undefined) return undefined;
    return route === 'poll' ? 'poll' : 'uring';
  }

  /** How its bytes are received now; undefined once it is closed. */
  get route(): Exclude<RouteHint, 'auto'> | undefined {
    if (this._flags & Flag.closed) return undefined;
    const index = runtime().native.routeOf(this._slot, this._generation);
    return index < 0 ? undefined : (ROUTES[index + 1] as Exclude<RouteHint, 'auto'>);
  }

  /**
   * TCP_NODELAY. On a Unix socket it does nothing.
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE
   * @throws the system's error
   */
  setNoDelay(on = true): this {
    if (typeof on !== 'boolean') throw invalidArgType('on', 'a boolean', on);
    this.#option(runtime().native.setNoDelay(this._slot, this._generation, on));
    return this;
  }

  /**
   * SO_KEEPALIVE, with the milliseconds before the first probe: 0 to 32,767,000, in whole seconds
   * and at least one; 0 leaves them to the system. On a Unix socket it does nothing.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE
   * @throws the system's error
   */
  setKeepAlive(on: boolean | number = true, delay?: undefined): this {
    if (delay !== undefined) throw extraArgument('setKeepAlive', delay);
    const milliseconds = checkKeepAlive('on', on);
    this.#option(runtime().native.setKeepAlive(this._slot, this._generation, milliseconds));
    return this;
  }

  /**
   * Lets the process end although the connection is open. Bytes that wait to be sent, and a
   * connection that is being made or closed, keep it alive all the same.
   */
  unref(): this {
    runtime().native.setConnectionReferenced(this._slot, this._generation, false);
    return this;
  }

  /** The open connection keeps the process alive: the default. */
  ref(): this {
    runtime().native.setConnectionReferenced(this._slot, this._generation, true);
    return this;
  }

  /**
   * The number of its descriptor; undefined once closed. It stays the connection's: to read, write
   * or close it elsewhere breaks the connection, and any that gets its number later.
   */
  get fd(): number | undefined {
    const fd = runtime().native.descriptor(this._slot, this._generation);
    return fd < 0 ? undefined : fd;
  }

  get localAddress(): string | undefined {
    return addressOf(this.#address(false));
  }
  get localPort(): number | undefined {
    return portOf(this.#address(false));
  }
  get remoteAddress(): string | undefined {
    return addressOf(this.#address(true));
  }
  get remotePort(): number | undefined {
    return portOf(this.#address(true));
  }
  get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
    return familyOf(this.#address(true));
  }

  /** Bytes received, those not yet delivered included. */
  get bytesRead(): number {
    return this.#counts() ? counts[0] : (this._extra?.bytesRead ?? 0);
  }
  /** Bytes that the kernel has taken. */
  get bytesWritten(): number {
    return this.#counts() ? counts[1] : (this._extra?.bytesWritten ?? 0);
  }
  #option(result: number): void {
    if (result < 0 && !(this._flags & OVER)) throw systemError(-result, 8);
  }

  #address(remote: boolean): SocketAddress | PathAddress | undefined {
    if (this._flags & Flag.closed) return undefined;
    return runtime().native.address(this._slot, this._generation, remote);
  }

  #counts(): boolean {
    if (this._flags & Flag.closed) return false;
    counts[0] = this._extra?.bytesRead ?? 0;
    counts[1] = this._extra?.bytesWritten ?? 0;
    runtime().native.byteCounts(this._slot, this._generation, counts);
    return true;
  }

  #command(kind: number, value: number): void {
    runtime().command(kind, this._slot, this._generation, value);
  }
}
