// serve({ websocket }): which requests become WebSockets, and how.
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { HeadFlag } from '../runtime/protocol.js';
import { HandlerContext } from '../tcp/handler_context.js';
import { checkFunctions } from '../tcp/options.js';
import { acceptOf, refusalOf, VERSION } from '../websocket/accept.js';
import { adopt, leaveHost } from '../websocket/adopt.js';
import { type Backplane, Relay } from '../websocket/backplane.js';
import { acceptOffer } from '../websocket/deflate.js';
import {
  boundHandlers,
  SERVER_HANDLERS,
  type SessionHandlersOf,
  type WebSocketHandlersOf,
} from '../websocket/handlers.js';
import { checkSessionTimeout, Sessions } from '../websocket/sessions.js';
import {
  type CheckedPublishOptions,
  type CheckedSocketOptions,
  checkPublishOptions,
  checkSocketOptions,
  PUBLISH,
  type PublishOptions,
  SettingsFlag,
  SOCKET,
  type SocketOptions,
  settingsWords,
} from '../websocket/settings.js';
import type { SocketHost, WebSocketConnection } from '../websocket/socket.js';
import type { Handler } from './handler.js';
import { flagsOf } from './head.js';
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';

/** What upgrade() decides. A status other than 101 refuses, with `headers` and `body`. */
export interface UpgradeDecision<Data = unknown> {
  status?: number;
  /** Further fields of the answer; an array stands for several of that name. */
  headers?: Record<string, string | readonly string[]>;
  body?: string;
  /** One of the subprotocols that the client has asked for. */
  protocol?: string;
  /** False: permessage-deflate is not agreed on for this one. Default: true. */
  compress?: boolean;
  /** What `socket.data` begins with. */
  data?: Data;
  /**
   * A key of your choice for this client. When its connection is lost and it comes back with the
   * same key, `recovered` runs. Who knows a key of another client's takes its place: make it of
   * what you have verified.
   */
  session?: string;
}

type Decided<Data> = UpgradeDecision<Data> | false | undefined;

/** The option `websocket` of serve(), or of one of its routes. */
export interface WebSocketServerOptions<Data = unknown>
  extends SocketOptions,
    PublishOptions,
    WebSocketHandlersOf<WebSocketConnection<Data>>,
    SessionHandlersOf<WebSocketConnection<Data>> {
  /** Other processes whose topics are the same: what is published reaches their subscribers too. */
  topics?: Backplane;
  /** Milliseconds for which a lost session is remembered, 0: not at all. Default: 120,000. */
  sessionTimeout?: number;
  /**
   * Asked for each handshake, and may be async: the request is valid until it has decided.
   * Undefined or {} accepts; false leaves the request to the handlers of HTTP. Without it all are
   * accepted, or with `fetch` left to it: it calls server.upgrade(). Look at the Origin when pages
   * of others must not connect.
   */
  upgrade?(request: HttpRequest): Decided<Data> | PromiseLike<Decided<Data>>;
}

const OPTIONS = optionNames<WebSocketServerOptions>(
  'serve({ websocket })',
  { ...SOCKET, ...PUBLISH, ...SERVER_HANDLERS, upgrade: true, topics: true, sessionTimeout: true },
  {
    maxPayloadLength: 'maxPayload',
    maxBackpressure: 'backpressureLimit',
    closeOnBackpressureLimit: "overload: 'close'",
    compression: 'perMessageDeflate',
    sendPingsAutomatically: 'sendPings',
    connection: 'open',
  },
);
const DECISION = optionNames<UpgradeDecision>('upgrade()', {
  status: true,
  headers: true,
  body: true,
  protocol: true,
  compress: true,
  data: true,
  session: true,
});
const SWITCHING = 101;

/** Takes the handshakes of a server. */
export class WebSocketFace {
  readonly host: SocketHost;
  readonly relay: Relay | undefined;
  readonly #socket: CheckedSocketOptions;
  readonly #publish: CheckedPublishOptions;
  readonly #upgrade: WebSocketServerOptions<never>['upgrade'];
  readonly #flags: number;
  readonly #context = new HandlerContext();
  /** Handshakes that a fetch handler has, and their answers. */
  readonly #asking = new WeakMap<HttpRequest, HttpResponse>();

  /** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, and its like */
  constructor(options: WebSocketServerOptions<never>, path = 'websocket') {
    checkOptions(OPTIONS, options, path);
    checkFunctions(path, options, [...Object.keys(SERVER_HANDLERS), 'upgrade']);
    this.#socket = checkSocketOptions(options, path);
    this.#publish = checkPublishOptions(options, path);
    const sessions = new Sessions(checkSessionTimeout(options.sessionTimeout, path));
    this.#upgrade = options.upgrade?.bind(options);
    this.#flags =
      (options.ping === undefined ? 0 : SettingsFlag.pingEvents) |
      (options.pong === undefined ? 0 : SettingsFlag.pongEvents);
    const compress = this.#socket.deflate !== undefined;
    const handlers = boundHandlers(options, this.#context);
    const { topics } = options;
    this.relay = topics === undefined ? undefined : Relay.of(topics, `${path}.topics`);
    this.host = { client: false, compress, handlers, sessions, relay: this.relay };
  }

  /**
   * Handshakes become WebSockets, and `http` has the others. With `asks`, and without upgrade(),
   * `http` has the handshakes too, and accept() may be called meanwhile.
   */
  before(http: Handler, asks: boolean): Handler {
    const leaves = asks && this.#upgrade === undefined;
    return (request, response) => {
      if (!isHandshake(request)) return http(request, response);
      if (!leaves) return this.decide(request, response, http);
      this.#asking.set(request, response);
      return http(request, response);
    };
  }

  /** server.upgrade(): false when the request is no handshake that waits for an answer. */
  accept(request: HttpRequest, decision: UpgradeDecision): boolean {
    const response = this.#asking.get(request);
    if (response === undefined || response.ended || this.#refusal(request)) return false;
    this.#asking.delete(request);
    this.#open(request, response, checked(decision));
    return true;
  }

  /** The server is over. */
  over(): void {
    leaveHost(this.host);
    this.#context.over();
  }

  #refusal(request: HttpRequest): 400 | 426 | undefined {
    const key = request.header('sec-websocket-key');
    const version = request.header('sec-websocket-version');
    return refusalOf({ method: request.method, key, version });
  }

  /** Answers a handshake, unless upgrade() leaves it to `http`. */
  decide(request: HttpRequest, response: HttpResponse, http: Handler): unknown {
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      if (refusal === 426) response.header('Sec-WebSocket-Version', VERSION);
      response.status(refusal).header('Content-Type', 'text/plain').end('No WebSocket\n');
      return undefined;
    }
    const act = (decision: Decided<never>) =>
      decision === false ? http(request, response) : this.#answer(request, response, decision);
    const decided = this.#upgrade?.(request);
    if (typeof (decided as PromiseLike<unknown> | undefined)?.then === 'function') {
      return (decided as PromiseLike<Decided<never>>).then(act);
    }
    return act(decided as Decided<never>);
  }

  #answer(request: HttpRequest, response: HttpResponse, given: Decided<never>): void {
    const decision = checked(given);
    const { status = SWITCHING, headers = {}, body = '' } = decision;
    if (status === SWITCHING) {
      this.#open(request, response, decision);
      return;
    }
    response.status(status);
    for (const [name, value] of Object.entries(headers)) {
      for (const each of typeof value === 'string' ? [value] : value) {
        response.appendHeader(name, each);
      }
    }
    response.end(body);
  }

  #open(request: HttpRequest, response: HttpResponse, decision: UpgradeDecision): void {
    const { headers, protocol = '', data, compress, session } = decision;
    if (protocol !== '' && !asked(request).includes(protocol)) {
      throw invalidArgValue('protocol', 'one that the client has asked for', protocol);
    }
    const { deflate } = this.#socket;
    const offers = compress === false ? undefined : request.header('sec-websocket-extensions');
    const accepted = deflate && offers !== undefined ? acceptOffer(offers, deflate) : undefined;
    const extensions = accepted?.answer ?? '';
    const fields = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Accept': acceptOf(request.header('sec-websocket-key') as string),
      ...(protocol !== '' && { 'Sec-WebSocket-Protocol': protocol }),
      ...(extensions !== '' && { 'Sec-WebSocket-Extensions': extensions }),
      ...headers,
    };
    const settings = settingsWords(this.#socket, this.#flags, accepted?.agreed, this.#publish);
    const connection = response._switch(fields);
    const rest = undefined; // native code has what came behind the request
    adopt(this.host, { connection, protocol, extensions, settings, rest, data, session });
  }
}

/** RFC 6455, section 4.2.1: an Upgrade to websocket. */
export function isHandshake(request: HttpRequest): boolean {
  if ((flagsOf(request) & HeadFlag.upgrade) === 0) return false;
  return request.header('upgrade')?.toLowerCase() === 'websocket';
}

const asked = (request: HttpRequest): string[] =>
  (request.header('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim());

function checked(decision: unknown): UpgradeDecision {
  if (decision === undefined) return {};
  if (typeof decision !== 'object' || decision === null) {
    throw invalidArgType('the result of upgrade()', 'an object, false or undefined', decision);
  }
  checkOptions(DECISION, decision, 'the result of upgrade()');
  const { session } = decision as UpgradeDecision;
  if (session !== undefined && typeof session !== 'string') {
    throw invalidArgType('session', 'a string', session);
  }
  return decision;
}
