// A listener, and listen().
import { boolean, integer, milliseconds } from '../checks.js';
import { renamedOption } from '../deprecation.js';
import { RingpollError } from '../errors.js';
import { extraArgument } from '../extra_arguments.js';
import { later } from '../later.js';
import { checkOptions } from '../option_names.js';
import type { NativeHttpProfile, PathAddress, SocketAddress } from '../runtime/native.js';
import { Control } from '../runtime/protocol.js';
import { type Runtime, runtime } from '../runtime/runtime.js';
import { type SystemError, systemError } from '../runtime/system_error.js';
import { uncaught } from '../runtime/ticks.js';
import type { SecureContext, SecureContextOptions } from '../tls/secure_context.js';
import {
  type AccessMetrics,
  type AccessOptions,
  accessMetrics,
  banAddress,
  type CheckedAccess,
  checkAccess,
  setAccess,
  unbanAddress,
} from './access.js';
import { stopWithWorker } from './cluster.js';
import type { Connection } from './connection.js';
import type { Handlers } from './connection_handlers.js';
import { Flag } from './connection_state.js';
import { Endpoint, type GroupPlace, type Protocol } from './endpoint.js';
import type { HandlerContext } from './handler_context.js';
import type { ConnectionOptions } from './handlers.js';
import { bindToOne, checkTarget, type Place } from './listen_address.js';
import {
  type ListenerMetrics,
  type ListenOptions,
  OPTIONS,
  OWN_HANDLERS,
  STOP_OPTIONS,
  type StopOptions,
} from './listen_options.js';
import { BACKLOG_DEFAULT, checkConnectionOptions, checkFunctions } from './options.js';
import { type AnyEndpoint, connectionAt, keepEndpoint, leaveEndpoint } from './tables.js';
import { ListenerTls } from './tls_endpoint.js';
import './events.js';
import './tls_events.js';

/** How long stop() goes on hearing peers that never pause, in milliseconds. */
const STOP_READ_MS = 100;
const MAX_CONNECTIONS_MAX = 2 ** 32 - 1;
/** Native code's number of the call. */
const ACCEPT = 4;

export class Listener {
  readonly #runtime: Runtime;
  readonly #endpoint: AnyEndpoint;
  readonly #address: SocketAddress | PathAddress;
  #closing = false;
  #gone = false;
  readonly #leaveWorker: () => void;
  #stopped: Promise<void> | undefined;
  #resolveStopped: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.destroy();
  #guarded = false;
  #refusals: AccessMetrics | undefined;

  /** @internal */
  constructor(loop: Runtime, endpoint: AnyEndpoint, signal: AbortSignal | undefined) {
    this.#runtime = loop;
    this.#endpoint = endpoint;
    this.#address = loop.native.listenerAddress(endpoint.id) ?? { path: '' };
    endpoint.onListenerClosed = () => {
      this.#gone = true;
      this.#checkStopped();
    };
    endpoint.onConnectionClosed = () => this.#checkStopped();
    endpoint.onCloseHeld = () => this.#checkStopped();
    this.#leaveWorker = stopWithWorker(() => this._stopInOrder());
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** @internal stop(), as the binding above does it. */
  _stopInOrder: () => unknown = () => this.stop();

  /** @internal Native code's number. */
  get _endpointId(): number {
    return this.#endpoint.id;
  }

  /** @internal Its connections may go to other threads, and theirs may come. */
  _joinGroup(place: GroupPlace): void {
    this.#endpoint.place = place;
  }

  /** Where it listens, or listened. */
  get address(): SocketAddress | PathAddress {
    return this.#address;
  }

  /** Shorthand for `address.port`; undefined for a Unix socket. */
  get port(): number | undefined {
    return 'port' in this.#address ? this.#address.port : undefined;
  }

  /** The number of its descriptor, as of a connection; undefined once it has stopped accepting. */
  get fd(): number | undefined {
    if (this.#gone) return undefined;
    const fd = this.#runtime.native.listenerDescriptor(this.#endpoint.id);
    return fd < 0 ? undefined : fd;
  }

  /** Lets the process end although it listens. Its connections keep the process alive. */
  unref(): this {
    if (!this.#gone) this.#runtime.native.setListenerReferenced(this.#endpoint.id, false);
    return this;
  }

  /** It keeps the process alive while it listens: the default. */
  ref(): this {
    if (!this.#gone) this.#runtime.native.setListenerReferenced(this.#endpoint.id, true);
    return this;
  }

  /** Open connections. */
  get connections(): number {
    return this.#endpoint.connections;
  }

  /**
   * Stops accepting and lets every connection finish: end() on each, once what is waiting has left.
   * Who was waiting to be accepted is accepted, and what has come is delivered, before end(): for
   * 100 ms at most. Resolves when all are gone. After the timeout the rest is reset.
   * @throws TypeError, RangeError ERR_RINGPOLL_OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  stop(options: StopOptions = {}): Promise<void> {
    const stopped = this._drain(options);
    this._endOpen(() => true);
    return stopped;
  }

  /** @internal end() on those that `are` chosen, once what their peers have sent was heard. */
  _endOpen(are: (connection: Connection) => boolean, until = Date.now() + STOP_READ_MS): void {
    later(() => {
      // Connections that wait to be accepted come before the listener is gone.
      let waits = !this.#gone;
      for (const connection of this._open()) {
        if (!are(connection)) continue;
        if (this.#hears(connection) && Date.now() < until) waits = true;
        else connection.end();
      }
      if (waits) this._endOpen(are, until);
    });
  }

  #hears({ _flags, _slot, _generation }: Connection): boolean {
    if (_flags & (Flag.paused | Flag.ending | Flag.closing | Flag.closed)) return false;
    return this.#runtime.native.unread(_slot, _generation);
  }

  /** @internal Stops accepting; the connections are the caller's to end. */
  _drain(options: StopOptions): Promise<void> {
    checkOptions(STOP_OPTIONS, options);
    const given = renamedOption('stop()', options, 'timeout', 'deadline');
    const timeout = milliseconds('options.timeout', given, -1);
    this.#stopAccepting(true);
    this.#stopped ??= new Promise((resolve) => {
      this.#resolveStopped = resolve;
      this.#checkStopped();
    });
    if (timeout >= 0) {
      const timer = setTimeout(() => {
        for (const connection of this._open()) connection.reset();
      }, timeout);
      this.#stopped.then(() => clearTimeout(timer));
    }
    return this.#stopped;
  }

  /**
   * Stops accepting, as a server of node:net does, and leaves the connections as they are. Those
   * that wait to be accepted are accepted.
   * @returns resolves when the last connection has ended by itself; stop() ends them, destroy()
   *   closes them at once
   */
  close(callback?: undefined): Promise<void> {
    if (callback !== undefined) throw extraArgument('close', callback);
    return this._drain({});
  }

  /**
   * New connections are served with this from now on, and those that are open keep what they have.
   * Files that were watched are not any more.
   * @throws RingpollError ERR_RINGPOLL_TLS_UNAVAILABLE on a listener without `tls`
   * @throws as secureContext()
   */
  setSecureContext(context: SecureContext | SecureContextOptions): void {
    const { tls } = this.#endpoint;
    if (!(tls instanceof ListenerTls)) {
      throw new RingpollError('ERR_RINGPOLL_TLS_UNAVAILABLE', 'The listener was made without tls');
    }
    tls.setSecureContext(context);
  }

  /**
   * From the next connection on, this says who may connect. Connections that are open stay, and so
   * do bans.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  setAccess(access: AccessOptions): void {
    this._guard(checkAccess(access, 'access'));
  }

  /** @internal */
  _guard(access: CheckedAccess): void {
    if (this.#gone) return;
    this.#guarded = true;
    setAccess(this.#runtime, this.#endpoint.id, access);
  }

  /**
   * Refuses an address for `time` milliseconds. Connections that are open stay.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE
   */
  ban(address: string, time: number): void {
    if (!this.#gone) this.#guarded = true;
    banAddress(this.#runtime, this.#gone ? -1 : this.#endpoint.id, address, time);
  }

  /**
   * Takes a ban back, also one by rate.
   * @returns whether the address was banned
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_INVALID_ARG_VALUE
   */
  unban(address: string): boolean {
    return unbanAddress(this.#runtime, this.#gone ? -1 : this.#endpoint.id, address);
  }

  /** What it has seen; it goes on being readable when the listener is over. */
  metrics(): ListenerMetrics {
    const { connections, tls } = this.#endpoint;
    const access = this.#refused;
    return { connections, tls: tls instanceof ListenerTls ? tls.metrics : undefined, access };
  }

  get #refused(): AccessMetrics | undefined {
    if (!this.#guarded) return undefined;
    return accessMetrics(this.#runtime, this.#endpoint.id) ?? this.#refusals;
  }

  /** Stops accepting and destroys every connection: what is waiting to be sent is dropped. */
  destroy(): void {
    this.#stopAccepting(false);
    for (const connection of this._open()) connection.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** `drain`: who waits to be accepted is served; destroy() takes that back. */
  #stopAccepting(drain: boolean): void {
    if (this.#closing && (drain || this._over)) return;
    this.#closing = true;
    this.#refusals = this.#refused;
    this.#runtime.native.closeListener(this.#endpoint.id, drain);
  }

  /** @internal Native code has nothing of it any more, and may use its number for another one. */
  get _over(): boolean {
    return this.#gone && this.#endpoint.natives === 0;
  }

  /** @internal */
  _open(): Connection[] {
    const open = [...(this.#endpoint.closeHeld ?? [])];
    if (this._over) return open;
    const names = this.#runtime.native.connectionsOf(this.#endpoint.id);
    for (let i = 0; i < names.length; i += 2) {
      const connection = connectionAt(names[i], names[i + 1], this.#endpoint.id);
      if (connection !== undefined) open.push(connection);
    }
    return open;
  }

  #checkStopped(): void {
    if (this._over) leaveEndpoint(this.#endpoint);
    if (!this.#gone || this.#endpoint.connections > 0) return;
    this.#leaveWorker();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#endpoint.over();
    this.#resolveStopped?.();
  }
}

/**
 * Listens for TCP or Unix stream connections. It is bound when this returns.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws the system's error (EADDRINUSE, EACCES, ENOTFOUND, ...), in Node's shape
 */
export function listen<Data = unknown>(options: ListenOptions<Data>): Listener {
  checkOptions(OPTIONS, options);
  return listenWith(options);
}

/** What speaks between the bytes and the handlers. */
export interface ProtocolBinding {
  profile: Omit<NativeHttpProfile, 'unsentMax'>;
  protocol: Protocol<Connection>;
  /** What ALPN calls it; for TLS whose options do not say it. */
  alpn: readonly string[];
}

function profileOf({ profile }: ProtocolBinding, unsentMax: number, secure: boolean) {
  return { ...profile, unsentMax, proxies: secure ? [] : profile.proxies };
}

/** @internal */
export function listenWith<Data = unknown>(
  options: ListenOptions<Data>,
  binding?: ProtocolBinding,
): Listener {
  const checked = checkConnectionOptions(options as ConnectionOptions & Handlers<never>);
  checkFunctions('options', options, Object.keys(OWN_HANDLERS));
  const target = checkTarget(options as ListenOptions);
  const backlog = integer('options.backlog', options.backlog, 1, 65535, BACKLOG_DEFAULT);
  const reusePort = boolean('options.reusePort', options.reusePort, false);
  const ipv6Only = boolean('options.ipv6Only', options.ipv6Only, false);
  const maxConnections =
    options.maxConnections === Number.POSITIVE_INFINITY
      ? MAX_CONNECTIONS_MAX
      : integer(
          'options.maxConnections',
          options.maxConnections,
          0,
          MAX_CONNECTIONS_MAX,
          MAX_CONNECTIONS_MAX,
        );
  const access = options.access === undefined ? undefined : checkAccess(options.access);
  checked.signal?.throwIfAborted();
  const loop = runtime();
  const endpoint = new Endpoint(options, checked.allowHalfOpen, checked.highWaterMark);
  endpoint.beginWith(options.connectionData);
  endpoint.protocol = binding?.protocol as Protocol<Connection<Data>> | undefined;
  // A proxy that passes TLS through says whose connection it is before TLS begins.
  const proxies = binding?.profile.proxies;
  const tls =
    options.tls === undefined
      ? undefined
      : new ListenerTls(endpoint._context, options.tls, options, binding?.alpn, proxies);
  endpoint.tls = tls;
  const bind = ({ name, port, fd }: Place) => {
    loop.native.listen(
      name,
      port,
      fd,
      backlog,
      reusePort,
      ipv6Only,
      checked.noDelay,
      checked.keepAliveMs,
      maxConnections,
      checked.idleTimeoutMs,
      checked.hint,
      binding && profileOf(binding, checked.highWaterMark, tls !== undefined),
      tls?.settings,
      checked.socketOptions,
      false,
    );
    return loop.control[Control.resultError];
  };
  try {
    bindToOne(loop, target, bind);
  } catch (error) {
    endpoint.over();
    throw error;
  }
  if (options.transferred !== undefined) {
    endpoint.transferred = endpoint._context.bind(options.transferred);
  }
  endpoint.onAcceptError = options.acceptError && told(endpoint, options.acceptError);
  keepEndpoint(endpoint, loop.control[Control.resultEndpoint]);
  tls?.begin(endpoint.id);
  const listener = new Listener(loop, endpoint as unknown as AnyEndpoint, checked.signal);
  if (access !== undefined) listener._guard(access);
  return listener;
}

function told(
  { _context }: { _context: HandlerContext },
  acceptError: (error: SystemError) => void,
): (errno: number) => void {
  const handle = _context.bind(acceptError);
  return (errno) => {
    try {
      handle(systemError(errno, ACCEPT) as SystemError);
    } catch (error) {
      uncaught(error);
    }
  };
}
