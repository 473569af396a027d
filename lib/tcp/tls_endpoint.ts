// TLS of one listener, or of one connect call: what native code gets, and whom its events are for.
import type { PeerCertificate } from 'node:tls';
import { RingpollError } from '../errors.js';
import { native } from '../runtime/native.js';
import type { NativeTlsCounters, NativeTlsSettings } from '../runtime/native_tls_sessions.js';
import { onRejection } from '../runtime/rejection.js';
import { runtime } from '../runtime/runtime.js';
import type { Target } from '../runtime/system_error.js';
import { uncaught } from '../runtime/ticks.js';
import {
  type CheckedClientTls,
  type ClientTlsOptions,
  checkClientTls,
} from '../tls/client_options.js';
import type { TlsError } from '../tls/connection_error.js';
import { type TlsMetrics, tlsMetrics } from '../tls/metrics.js';
import type { SecureContextOptions } from '../tls/secure_context.js';
import { SecureContext } from '../tls/secure_context.js';
import { ServedContext } from '../tls/served_context.js';
import { checkServerTls, type ServerTlsOptions } from '../tls/server_options.js';
import type { ConnectionTls } from './connection_tls.js';
import type { HandlerContext } from './handler_context.js';
import { keepSession, takeSession } from './tls_sessions.js';

/** What `tls` of listen() and serve() may be. */
export type ServerTls = ServerTlsOptions | SecureContext;
/** What `tls` of connect() may be. */
export type ClientTls = ClientTlsOptions | SecureContext | true;

/** The handlers of listen() and serve() that are not those of a connection. */
export interface ListenerTlsHandlers {
  /**
   * A handshake has failed: no connection comes of it. And files that are watched cannot be used.
   * Without this handler both are only counted.
   */
  tlsError?(error: Error): unknown;
  /** A line of NSS's key log, secrets in it. Only with `keylog: true`. */
  keylog?(line: Buffer): unknown;
}

export interface ClientTlsHandlers {
  /**
   * A session that may be resumed, once, by the option `session` of another connect(). Servers give
   * it behind the handshake, more than one perhaps.
   */
  session?(session: Buffer): unknown;
  /** A line of NSS's key log, secrets in it. Only with `keylog: true`. */
  keylog?(line: Buffer): unknown;
}

/** The name of a server on a path, if `servername` does not say another. */
const LOCALHOST = 'localhost';

type Handler<Argument> = ((argument: Argument) => unknown) | undefined;

/** What a handler here throws belongs to no connection. */
function run<Argument>(handler: Handler<Argument>, argument: Argument): void {
  if (handler === undefined) return;
  try {
    onRejection(handler(argument), uncaught);
  } catch (error) {
    uncaught(error);
  }
}

/** Whom the events of TLS are for. */
export abstract class EndpointTls {
  readonly #keylog: Handler<Buffer>;

  /** @internal */
  constructor(context: HandlerContext, keylog: Handler<Buffer>) {
    this.#keylog = keylog && context.bind(keylog);
  }

  keylogged(line: Buffer): void {
    run(this.#keylog, line);
  }
  /** A handshake of a server has failed. */
  abstract failed(error: TlsError): void;
  /** A client asks for a name that the context does not have. */
  abstract asked(slot: number, generation: number, name: string): void;
  /** A client has got a session. */
  abstract gotSession(session: Buffer): void;
  /** Nothing of it is open any more, nor will be. */
  abstract over(): void;
}

export class ListenerTls extends EndpointTls {
  readonly settings: NativeTlsSettings;
  readonly #served: ServedContext;
  readonly #tlsError: Handler<Error>;
  readonly #alpn: readonly string[] | undefined;
  #endpointId = -1;

  /**
   * @internal `alpn`: what is spoken inside, where the options do not say it. `proxies`: those that
   * begin with a PROXY header.
   */
  constructor(
    context: HandlerContext,
    given: unknown,
    handlers: ListenerTlsHandlers,
    alpn: readonly string[] | undefined,
    proxies: readonly string[] = [],
  ) {
    super(context, handlers.keylog);
    this.#tlsError = handlers.tlsError && context.bind(handlers.tlsError);
    this.#alpn = alpn;
    const checked = checkServerTls(withAlpn(given, alpn));
    this.#served = new ServedContext(checked, 'options.tls', {
      use: (native) => {
        this.settings.context = native;
        if (this.#endpointId >= 0) runtime().native.tlsUse(this.#endpointId, native);
      },
      failed: (error) => run(this.#tlsError, error),
    });
    this.settings = {
      context: checked.context._native('server'),
      handshakeMs: checked.handshakeMs,
      httpInside: alpn !== undefined,
      http2Inside: alpn?.includes('h2') === true,
      proxies,
      counters: native().tlsCounters(),
      asksForNames: this.#served.asksForNames,
      serverName: '',
      verifyName: '',
      session: undefined,
    };
  }

  get metrics(): TlsMetrics {
    return tlsMetrics(native().tlsCounts(this.settings.counters as NativeTlsCounters));
  }

  /** It listens, and this is its number. */
  begin(endpointId: number): void {
    this.#endpointId = endpointId;
  }

  setSecureContext(value: SecureContext | SecureContextOptions): void {
    this.#served.set(withAlpn(value, this.#alpn) as typeof value);
  }

  failed(error: TlsError): void {
    run(this.#tlsError, error);
  }

  asked(slot: number, generation: number, name: string): void {
    this.#served.ask(name, (error, context) => {
      runtime().native.tlsName(slot, generation, context, error !== undefined);
    });
  }

  gotSession(): void {}

  over(): void {
    this.#endpointId = -1;
    this.#served.close();
  }
}

function withAlpn(given: unknown, alpn: readonly string[] | undefined): unknown {
  if (alpn === undefined) return given;
  const isPlain = typeof given === 'object' && given !== null && !(given instanceof SecureContext);
  if (!isPlain) return given;
  const { ALPNProtocols, secureContext } = given as ServerTlsOptions;
  if (ALPNProtocols !== undefined || secureContext !== undefined) return given;
  return { ...given, ALPNProtocols: [...alpn] };
}

/** The names of ClientTlsHandlers. */
export const TLS_HANDLERS = { session: true, keylog: true } as const;

export class ConnectTls extends EndpointTls {
  readonly settings: NativeTlsSettings;
  readonly checked: CheckedClientTls;
  readonly #session: Handler<Buffer>;
  /** Whom its sessions are with. */
  readonly #peer: string;

  /** @internal */
  constructor(context: HandlerContext, given: unknown, goal: Target, handlers: ClientTlsHandlers) {
    super(context, handlers.keylog);
    this.#session = handlers.session && context.bind(handlers.session);
    this.checked = checkClientTls(given, goal.host ?? LOCALHOST);
    const { context: native, handshakeMs, servername, verifyName, session } = this.checked;
    const { host, port, path } = goal;
    this.#peer = JSON.stringify([host, port, path, servername, verifyName]);
    this.settings = {
      context: native,
      handshakeMs,
      httpInside: false,
      http2Inside: false,
      proxies: [],
      counters: undefined,
      asksForNames: false,
      serverName: servername,
      verifyName,
      session: session ?? takeSession(native, this.#peer),
    };
  }

  /**
   * The handshake is over, and nobody has the connection yet: asks `checkServerIdentity`.
   * @throws RingpollError ERR_RINGPOLL_TLS_VERIFY
   */
  opened(connection: { readonly tls: ConnectionTls | undefined }): void {
    this.#checkServer(connection);
    const { context, session } = this.settings;
    if (session === undefined || session === this.checked.session) return;
    const { reused, protocol } = connection.tls ?? {};
    if (reused && protocol !== 'TLSv1.3') keepSession(context, this.#peer, session as Buffer);
  }

  #checkServer(connection: { readonly tls: ConnectionTls | undefined }): void {
    const { checkServerIdentity, hostname } = this.checked;
    const certificate = checkServerIdentity && connection.tls?.peerCertificate();
    if (checkServerIdentity === undefined || certificate === undefined) return;
    const error = checkServerIdentity(hostname, certificate.toLegacyObject() as PeerCertificate);
    if (error === undefined) return;
    const message = `The server's certificate is refused: ${error.message}`;
    throw new RingpollError('ERR_RINGPOLL_TLS_VERIFY', message, { cause: error });
  }

  gotSession(session: Buffer): void {
    keepSession(this.settings.context, this.#peer, session);
    run(this.#session, session);
  }

  failed(): void {}
  asked(): void {}
  over(): void {}
}
