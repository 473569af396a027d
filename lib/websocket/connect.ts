// connectWebSocket(): a client, which comes back when its connection is lost, if it is told to.
import { milliseconds } from '../checks.js';
import { asError, invalidArgType, invalidArgValue, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { ConnectOptions } from '../tcp/connect.js';
import { HandlerContext } from '../tcp/handler_context.js';
import { checkFunctions } from '../tcp/options.js';
import type { ClientTlsOptions, SecureContext } from '../tls/index.js';
import { TOKEN } from '../token.js';
import { adopt, leaveHost } from './adopt.js';
import { newKey, WebSocketHandshakeError } from './client_handshake.js';
import { clientTls } from './client_tls.js';
import { type Goal, goalOf } from './client_url.js';
import { offerOf, readAgreement } from './deflate.js';
import { type Established, establish } from './establish.js';
import { boundHandlers, HANDLERS, type WebSocketHandlersOf } from './handlers.js';
import {
  checkReconnect,
  delayBefore,
  type Reconnection,
  type ReconnectOptions,
} from './reconnection.js';
import {
  type CheckedSocketOptions,
  checkSocketOptions,
  SettingsFlag,
  SOCKET,
  type SocketOptions,
  settingsWords,
} from './settings.js';
import type { Sendable, SendOptions, SocketHost, WebSocketConnection } from './socket.js';

type Passed = Pick<
  ConnectOptions,
  | 'connectTimeout'
  | 'localAddress'
  | 'localPort'
  | 'noDelay'
  | 'keepAlive'
  | 'highWaterMark'
  | 'engine'
>;

/** Why a client waits before it connects again. */
export interface Lost {
  /** How many attempts have failed in a row; 0 right after a connection was lost. */
  attempt: number;
  /** Milliseconds until the next one. */
  delay: number;
  /** The close code of the connection that was lost; undefined when none came about. */
  code: number | undefined;
  /** Why none came about. */
  error: Error | undefined;
}

export interface WebSocketClientOptions<Data = unknown>
  extends SocketOptions,
    Passed,
    WebSocketHandlersOf<WebSocketConnection<Data>> {
  /** Subprotocols, the preferred one first. The server must choose one of them. */
  protocols?: string | readonly string[];
  /**
   * Further fields of the request, such as Authorization, Cookie or Origin. A function is asked
   * before each attempt.
   */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** Milliseconds for the answer to the handshake, 0: no limit. Default: 10,000. */
  handshakeTimeout?: number;
  /** The TLS of a wss: URL, as connect() takes it. ALPN asks for http/1.1 unless it says else. */
  tls?: true | ClientTlsOptions | SecureContext;
  /** Connect again when the connection is lost or does not come about. Default: false. */
  reconnect?: boolean | ReconnectOptions;
  /** The connection was lost or did not come about, and another attempt follows. */
  reconnecting?(lost: Lost): unknown;
  /** What `socket.data` begins with; of each connection the same. */
  data?: Data;
  /** Ends the client, whatever it does. */
  signal?: AbortSignal;
}

const OPTIONS = optionNames<WebSocketClientOptions>(
  'connectWebSocket()',
  {
    ...SOCKET,
    connectTimeout: true,
    localAddress: true,
    localPort: true,
    noDelay: true,
    keepAlive: true,
    highWaterMark: true,
    engine: true,
    ...HANDLERS,
    protocols: true,
    headers: true,
    handshakeTimeout: true,
    tls: true,
    reconnect: true,
    reconnecting: true,
    data: true,
    signal: true,
  },
  {
    protocol: 'protocols',
    origin: "a field of headers: { Origin: '...' }",
    followRedirects: 'redirects are not followed: the error has the status and the headers',
    maxPayloadLength: 'maxPayload',
    compression: 'perMessageDeflate',
    heartbeat: 'sendPings',
  },
);

const PASSED = [
  ...['connectTimeout', 'localAddress', 'localPort', 'noDelay', 'keepAlive'],
  ...['highWaterMark', 'engine'],
] as const;
const HANDSHAKE_MS = 10_000;
/** Fields that the handshake writes itself. */
const OWN_FIELDS = new Set([
  ...['host', 'upgrade', 'connection', 'content-length', 'transfer-encoding'],
  ...['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol'],
  'sec-websocket-extensions',
]);

interface Checked {
  goal: Goal;
  socket: CheckedSocketOptions;
  protocols: readonly string[];
  handshakeTimeoutMs: number;
  tls: ClientTlsOptions | SecureContext | undefined;
  reconnection: Reconnection | undefined;
}

/**
 * Connects to a WebSocket server.
 * @param url of the scheme ws or wss; http and https mean the same
 * @returns resolves when the first connection is open; without `reconnect` rejects with the
 *   system's error or a WebSocketHandshakeError when it does not come about
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_TLS_..., by what is wrong with `tls`
 */
export async function connectWebSocket<Data = unknown>(
  url: string | URL,
  options: WebSocketClientOptions<Data> = {},
): Promise<WebSocketClient<Data>> {
  checkOptions(OPTIONS, options);
  checkFunctions('options', options, [...Object.keys(HANDLERS), 'reconnecting']);
  const goal = goalOf(url);
  const checked: Checked = {
    goal,
    socket: checkSocketOptions(options),
    protocols: checkProtocols(options.protocols),
    handshakeTimeoutMs: milliseconds(
      'options.handshakeTimeout',
      options.handshakeTimeout,
      HANDSHAKE_MS,
    ),
    tls: clientTls(options.tls, goal.secure),
    reconnection: checkReconnect(options.reconnect),
  };
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an AbortSignal', signal);
  }
  headersOf(options);
  const client = new WebSocketClient<Data>(checked, options);
  await client._opened;
  return client;
}

export type ClientState = 'connecting' | 'open' | 'waiting' | 'closed';

/**
 * A client. `socket` is the connection that is open now; with `reconnect` there may be another one
 * later, and what the server has not acknowledged is yours to send again.
 */
export class WebSocketClient<Data = unknown> {
  /** In the form of the URL standard. */
  readonly url: string;
  /** Resolves when it is over: closed, or lost with no further attempt. */
  readonly closed: Promise<void>;
  /** @internal */
  readonly _opened: Promise<void>;
  readonly #checked: Checked;
  readonly #options: WebSocketClientOptions<Data>;
  readonly #host: SocketHost;
  readonly #context = new HandlerContext();
  /** Of the attempt that is under way. */
  #attempting: AbortController | undefined;
  /** Why no attempt follows, once that is so. */
  #stopped: { reason: unknown } | undefined;
  #socket: WebSocketConnection<Data> | undefined;
  #state: ClientState = 'connecting';
  #failed = 0;
  #timer: NodeJS.Timeout | undefined;
  #resolveOpened: () => void = () => {};
  #rejectOpened: (error: unknown) => void = () => {};
  #resolveClosed: () => void = () => {};

  /** @internal */
  constructor(checked: Checked, options: WebSocketClientOptions<Data>) {
    this.url = checked.goal.href;
    this.#checked = checked;
    this.#options = options;
    const handlers = boundHandlers(options as WebSocketHandlersOf<never>, this.#context);
    this.#host = {
      client: true,
      compress: checked.socket.deflate !== undefined,
      handlers: {
        ...handlers,
        close: (socket, code, reason) => {
          leaveHost(socket._host);
          this.#lost(code);
          return handlers.close?.(socket as never, code, reason);
        },
      },
    };
    this._opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    options.signal?.addEventListener('abort', this.#abort, { once: true });
    if (options.signal?.aborted) this.#abort();
    else this.#attempt();
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The connection that is open now. */
  get socket(): WebSocketConnection<Data> | undefined {
    return this.#socket;
  }

  /** As that of the socket; false, and nothing is sent, while there is none. */
  send(data: Sendable, options?: SendOptions): boolean {
    return this.#socket?.send(data, options) ?? false;
  }

  /** Closes the connection, or stops trying to have one. No attempt follows. */
  close(code?: number, reason?: string): void {
    if (this.#state === 'closed') return;
    this.#socket?.close(code, reason);
    this.#end(stopped());
  }

  /** Ends the connection at once, without a closing handshake. No attempt follows. */
  terminate(): void {
    if (this.#state === 'closed') return;
    this.#socket?.terminate();
    this.#end(stopped());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return this.closed;
  }

  #abort = (): void => {
    this.#socket?.terminate();
    this.#end((this.#options.signal as AbortSignal).reason);
  };

  /** No attempt follows; it is over when there is no connection. */
  #end(reason: unknown): void {
    this.#stopped ??= { reason };
    this.#attempting?.abort(reason);
    if (this.#socket === undefined) this.#over(reason);
  }

  async #attempt(): Promise<void> {
    const { goal, protocols, socket, handshakeTimeoutMs } = this.#checked;
    const offer = socket.deflate === undefined ? '' : offerOf(socket.deflate);
    this.#state = 'connecting';
    this.#attempting = new AbortController();
    const { signal } = this.#attempting;
    try {
      const asked = { key: newKey(), protocols, offer, headers: headersOf(this.#options) };
      const passed: Record<string, unknown> = {};
      for (const name of PASSED) passed[name] = this.#options[name];
      if (goal.secure) passed.tls = this.#checked.tls;
      const attempt = { goal, asked, connectOptions: passed, handshakeTimeoutMs, signal };
      await establish(attempt, (established) => this.#take(established));
      this.#attempting = undefined;
    } catch (error) {
      if (this.#stopped !== undefined) this.#over(this.#stopped.reason);
      else this.#refused(asError(error));
    }
  }

  #take({ connection, answer, rest }: Established): void {
    const { socket: checked } = this.#checked;
    const { ping, pong } = this.#options;
    const agreed =
      checked.deflate === undefined ? undefined : readAgreement(answer.extensions, checked.deflate);
    const flags =
      SettingsFlag.client |
      (ping === undefined ? 0 : SettingsFlag.pingEvents) |
      (pong === undefined ? 0 : SettingsFlag.pongEvents);
    const { open } = this.#host.handlers;
    const opened = (socket: WebSocketConnection<never>) => {
      this.#socket = socket as unknown as WebSocketConnection<Data>;
      this.#state = 'open';
      this.#failed = 0;
      this.#resolveOpened();
      return open?.(socket);
    };
    const host = { ...this.#host, handlers: { ...this.#host.handlers, open: opened } };
    const settings = settingsWords(checked, flags, agreed);
    const { protocol, extensions } = answer;
    const { data } = this.#options;
    const adopted = adopt(host, { connection, protocol, extensions, settings, rest, data });
    if (adopted === undefined) throw new WebSocketHandshakeError('The connection is over already');
  }

  /** The connection is over. */
  #lost(code: number): void {
    this.#socket = undefined;
    const { reconnection } = this.#checked;
    if (this.#stopped !== undefined || !reconnection?.when(code)) this.#over(stopped());
    else this.#wait(reconnection, code, undefined);
  }

  /** It has not come about. */
  #refused(error: Error): void {
    const { reconnection } = this.#checked;
    if (reconnection === undefined || ++this.#failed >= reconnection.attempts) this.#over(error);
    else if (isFinal(error)) this.#over(error);
    else this.#wait(reconnection, undefined, error);
  }

  #wait(reconnection: Reconnection, code: number | undefined, error: Error | undefined): void {
    this.#state = 'waiting';
    const attempt = this.#failed;
    const delay = delayBefore(reconnection, Math.max(0, attempt - 1), Math.random());
    this.#timer = setTimeout(() => this.#attempt(), delay);
    this.#options.reconnecting?.({ attempt, delay, code, error });
  }

  #over(reason: unknown): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#rejectOpened(reason);
    this._opened.catch(() => {}); // whoever awaits it hears of it; after it was open nobody does
    this.#context.over();
    this.#resolveClosed();
  }
}

function stopped(): RingpollError {
  return new RingpollError('ERR_RINGPOLL_CONNECTION_CLOSED', 'The client was closed');
}

/** An answer that will be the same next time: only overload and the server's own errors pass. */
function isFinal(error: Error): boolean {
  const { status } = error as Partial<WebSocketHandshakeError>;
  return status !== undefined && status !== 429 && status < 500;
}

function checkProtocols(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list: readonly unknown[] = typeof value === 'string' ? [value] : (value as unknown[]);
  if (!Array.isArray(list)) {
    throw invalidArgType('options.protocols', 'a string or an array of strings', value);
  }
  for (const name of list) {
    if (typeof name !== 'string' || !TOKEN.test(name)) {
      throw invalidArgValue('options.protocols', 'made of tokens (RFC 9110)', name);
    }
  }
  if (new Set(list).size < list.length) {
    throw invalidArgValue('options.protocols', 'without one that is there twice', value);
  }
  return list as string[];
}

/** What the user adds to the request. */
function headersOf({ headers }: Pick<WebSocketClientOptions, 'headers'>): Record<string, string> {
  const given: unknown = typeof headers === 'function' ? headers() : headers;
  if (given === undefined) return {};
  if (typeof given !== 'object' || given === null) {
    throw invalidArgType('options.headers', 'an object, or a function that gives one', given);
  }
  for (const [name, value] of Object.entries(given)) {
    if (!TOKEN.test(name) || OWN_FIELDS.has(name.toLowerCase())) {
      throw invalidArgValue('options.headers', 'without fields of the handshake itself', name);
    }
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw invalidArgValue(`options.headers.${name}`, 'a string of visible characters', value);
    }
  }
  return given as Record<string, string>;
}
