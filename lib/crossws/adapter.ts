// An adapter of crossws (https://crossws.h3.dev) over serve({ fetch, websocket }). It needs nothing
// of that package at run time: hooks, peers and messages are what its documentation says they are.
import { integer } from '../checks.js';
import type { UpgradeDecision, WebSocketServerOptions } from '../http/websocket_upgrade.js';
import { checkOptions, optionNames } from '../option_names.js';
import { checkFunctions } from '../tcp/options.js';
import type { SendOptions, WebSocketConnection } from '../websocket/socket.js';
import {
  HOOKS,
  HookCaller,
  type Hooks,
  type ResolveHooks,
  type UpgradeResult,
  WSError,
} from './hooks.js';
import { PeerMessage } from './message.js';
import { sendable } from './payload.js';
import { type Attached, type Peer, SocketPeer, topicOf, type UpgradeRequest } from './peer.js';
import { Relay, type SyncAdapter, type SyncDriver, type SyncErrorListener } from './relay.js';

/** Options: https://crossws.h3.dev/guide has their reference. */
export interface CrosswsOptions {
  hooks?: Hooks;
  /** Further hooks for a request, such as those of its route. */
  resolve?: ResolveHooks;
  /** Default: the path of the request. */
  getNamespace?: (request: UpgradeRequest) => string;
  /** Chooses a subprotocol of those that the client offers. */
  handleProtocols?: (
    protocols: Set<string>,
    request: UpgradeRequest,
    // biome-ignore lint/suspicious/noConfusingVoidType: it may return nothing
  ) => string | false | null | undefined | void | PromiseLike<string | false | null | undefined>;
  /** Carries what is published to other instances. */
  sync?: SyncAdapter;
  /** Failures of `sync`. Default: process warnings. */
  onError?: SyncErrorListener;
  /** Seconds without a sign of life until a peer counts as gone; 0: never. Default: 30. */
  idleTimeout?: number;
}

/** What handleUpgrade() needs of an HttpServer. */
export interface CrosswsServer {
  upgrade(request: Request, decision: Omit<UpgradeDecision, 'status' | 'body'>): boolean;
  publish(topic: string, data: string | Uint8Array, options?: SendOptions): number;
}

export interface CrosswsAdapter {
  /** The option `websocket` of serve(). Further options of it may be put beside these. */
  readonly websocket: WebSocketServerOptions<Attached>;
  /** By namespace. */
  readonly peers: Map<string, Set<Peer>>;
  readonly sync?: SyncDriver;
  /**
   * Answers a handshake in a fetch handler: with undefined when it has become a WebSocket.
   * @param server what serve() gave
   */
  handleUpgrade(request: Request, server: CrosswsServer): Promise<Response | undefined>;
  /** To all subscribers of a topic, in one namespace or in all. */
  publish(topic: string, data: unknown, options?: SendOptions & { namespace?: string }): void;
  /** Closes all peers, and the sync driver. The server stays open. */
  close(code?: number, reason?: string): Promise<void>;
}

const OPTIONS = optionNames<CrosswsOptions>('crossws()', {
  hooks: true,
  resolve: true,
  getNamespace: true,
  handleProtocols: true,
  sync: true,
  onError: true,
  idleTimeout: true,
});
const FUNCTIONS = ['resolve', 'getNamespace', 'handleProtocols', 'sync', 'onError'];
const PROTOCOL = 'sec-websocket-protocol';
const IDLE_SECONDS = 30;
const IDLE_SECONDS_MAX = 2_000_000;

type Socket = WebSocketConnection<Attached>;

class Adapter {
  readonly peers = new Map<string, Set<Peer>>();
  readonly #options: CrosswsOptions;
  readonly #hooks: HookCaller;
  readonly #servers = new Set<CrosswsServer>();
  readonly relay: Relay | undefined;

  constructor(options: CrosswsOptions) {
    this.#options = options;
    this.#hooks = new HookCaller(options.hooks ?? {}, options.resolve);
    const { sync, onError } = options;
    const deliver = this.#local.bind(this);
    this.relay =
      sync &&
      new Relay(sync, ({ topic, data, namespace }) => deliver(topic, data, namespace), onError);
  }

  /** Only what somebody may hear makes events. */
  handlers(): WebSocketServerOptions<Attached> {
    const hook = (name: keyof Hooks, socket: Socket, ...all: unknown[]) =>
      this.#call(name, this.#peerOf(socket), socket.data, ...all);
    return {
      open: (socket) => {
        const peer = this.#peerOf(socket);
        this.#peersOf(socket.data.namespace).add(peer);
        return hook('open', socket);
      },
      message: (socket, message) => {
        const data = typeof message === 'string' ? message : message.copy();
        return hook('message', socket, new PeerMessage(data, this.#peerOf(socket)));
      },
      close: (socket, code, reason) => {
        const peers = this.#peersOf(socket.data.namespace);
        peers.delete(this.#peerOf(socket));
        if (peers.size === 0) this.peers.delete(socket.data.namespace);
        return hook('close', socket, { code, reason });
      },
      ...(this.#hooks.has('drain') && { drain: (socket) => hook('drain', socket) }),
      ...(this.#hooks.has('ping') && { ping: (socket, data) => hook('ping', socket, data) }),
      ...(this.#hooks.has('pong') && { pong: (socket, data) => hook('pong', socket, data) }),
      ...(this.#hooks.has('error') && {
        error: (socket, error) => hook('error', socket, new WSError(error)),
      }),
    };
  }

  async handleUpgrade(
    request: UpgradeRequest,
    server: CrosswsServer,
  ): Promise<Response | undefined> {
    const context: Record<string, unknown> = request.context ?? {};
    const given = await this.#upgradeHook(request, context);
    if (given instanceof Response) return given;
    const { handled, headers, perMessageDeflate } = given;
    if (handled) return undefined;
    Object.assign(context, given.context);
    const namespace =
      given.namespace ?? this.#options.getNamespace?.(request) ?? new URL(request.url).pathname;
    const fields = new Headers(headers as ConstructorParameters<typeof Headers>[0]);
    const protocol = given.protocol ?? fields.get(PROTOCOL) ?? (await this.#protocolFor(request));
    fields.delete(PROTOCOL);
    const data: Attached = { request, context, namespace };
    const taken = server.upgrade(request, {
      data,
      headers: fieldsOf(fields),
      ...(protocol && { protocol }),
      ...(perMessageDeflate === false && { compress: false }),
    });
    if (!taken) {
      const wants = { 'content-type': 'text/plain', upgrade: 'websocket' };
      return new Response('WebSocket only\n', { status: 426, headers: wants });
    }
    this.#servers.add(server);
    return undefined;
  }

  publish(
    topic: string,
    given: unknown,
    { namespace = '', ...options }: SendOptions & { namespace?: string } = {},
  ): void {
    const data = sendable(given);
    this.#local(topic, data, namespace, options);
    this.relay?.publish({ namespace, topic, data });
  }

  async close(code?: number, reason?: string): Promise<void> {
    for (const peers of this.peers.values()) for (const peer of peers) peer.close(code, reason);
    await this.relay?.driver.close?.();
  }

  #local(topic: string, data: string | Uint8Array, namespace: string, options?: SendOptions): void {
    const namespaces = namespace === '' ? [...this.peers.keys()] : [namespace];
    for (const server of this.#servers) {
      for (const each of namespaces) server.publish(topicOf(each, topic), data, options);
    }
  }

  #call(name: keyof Hooks, peer: Peer, { request, context }: Attached, ...all: unknown[]) {
    return this.#hooks.call(name, request, context, peer, ...all);
  }

  async #upgradeHook(request: UpgradeRequest, context: object): Promise<UpgradeResult | Response> {
    try {
      const result = await this.#hooks.call('upgrade', request, context, request);
      return (result ?? {}) as UpgradeResult | Response;
    } catch (error) {
      const answer = (error as { response?: unknown } | undefined)?.response ?? error;
      if (answer instanceof Response) return answer;
      throw error;
    }
  }

  async #protocolFor(request: UpgradeRequest): Promise<string | undefined> {
    const names = (request.headers.get(PROTOCOL) ?? '').split(',').map((name) => name.trim());
    const offered = new Set(names.filter((name) => name !== ''));
    if (offered.size === 0) return undefined;
    return (await this.#options.handleProtocols?.(offered, request)) || undefined;
  }

  #peersOf(namespace: string): Set<Peer> {
    const known = this.peers.get(namespace);
    if (known !== undefined) return known;
    const made = new Set<Peer>();
    this.peers.set(namespace, made);
    return made;
  }

  #peerOf(socket: Socket): SocketPeer {
    const { data } = socket;
    data.peer ??= new SocketPeer(socket, {
      peers: this.peers,
      relay: (namespace, topic, message) =>
        this.relay?.publish({ namespace, topic, data: message }),
      failed: (peer, error) => void this.#call('error', peer, data, new WSError(error)),
    });
    return data.peer;
  }
}

/** Several cookies are several fields. */
function fieldsOf(headers: Headers): Record<string, string | string[]> {
  const cookies = headers.getSetCookie();
  const fields: Record<string, string | string[]> = Object.fromEntries(headers);
  if (cookies.length > 0) fields['set-cookie'] = cookies;
  return fields;
}

/**
 * An adapter of crossws: its hooks, peers, namespaces and sync drivers over `serve()`.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, ERR_RINGPOLL_OUT_OF_RANGE,
 *   ERR_RINGPOLL_UNKNOWN_OPTION
 */
export function crossws(options: CrosswsOptions = {}): CrosswsAdapter {
  checkOptions(OPTIONS, options);
  checkFunctions('options', options, FUNCTIONS);
  if (options.hooks !== undefined) {
    checkOptions(HOOKS, options.hooks, 'options.hooks');
    checkFunctions('options.hooks', options.hooks, [...HOOKS.names]);
  }
  const { idleTimeout } = options;
  const idle = integer('options.idleTimeout', idleTimeout, 0, IDLE_SECONDS_MAX, IDLE_SECONDS);
  const adapter = new Adapter(options);
  const deadAfter = idle * 1000;
  const sendPings = idle === 0 ? false : { interval: deadAfter / 2, deadAfter };
  return {
    websocket: { ...adapter.handlers(), sendPings },
    peers: adapter.peers,
    ...(adapter.relay && { sync: adapter.relay.driver }),
    handleUpgrade: (request, server) => adapter.handleUpgrade(request, server),
    publish: (topic, data, given) => adapter.publish(topic, data, given),
    close: (code, reason) => adapter.close(code, reason),
  };
}
