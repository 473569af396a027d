// All ways into WebSocket that a server has: those of its routes, and the one for all other paths.
import type { Relay } from '../websocket/backplane.js';
import { goAway } from '../websocket/events.js';
import type { Handler } from './handler.js';
import type { HttpRequest } from './request.js';
import { Router } from './router.js';
import { decoded } from './routing.js';
import { isHandshake, type UpgradeDecision, type WebSocketFace } from './websocket_upgrade.js';

/** A face for each path that has one. */
export type RoutedFaces = Readonly<Record<string, WebSocketFace>>;

type Take = Parameters<WebSocketFace['decide']>;

export class WebSocketEntrances {
  readonly #routes: Router<(...all: Take) => unknown> | undefined;
  readonly #general: WebSocketFace | undefined;
  readonly #all: readonly WebSocketFace[];
  /** To other processes. */
  readonly relays: readonly Relay[];

  constructor(routed: RoutedFaces, general: WebSocketFace | undefined) {
    const paths = Object.entries(routed);
    const takes = paths.map(([path, face]) => [path, (...all: Take) => face.decide(...all)]);
    this.#routes = paths.length === 0 ? undefined : new Router(Object.fromEntries(takes));
    this.#general = general;
    const faces = paths.map(([, face]) => face);
    this.#all = general === undefined ? faces : [...faces, general];
    this.relays = [...new Set(this.#all.flatMap(({ relay }) => relay ?? []))];
  }

  get any(): boolean {
    return this.#all.length > 0;
  }

  /** Messages that are published are compressed, for those who have agreed on it. */
  get compress(): boolean {
    return this.#all.some(({ host }) => host.compress);
  }

  /** Handshakes become WebSockets, and `http` has the others; see WebSocketFace.before(). */
  before(http: Handler, asks: boolean): Handler {
    const general = this.#general === undefined ? http : this.#general.before(http, asks);
    const routes = this.#routes;
    if (routes === undefined) return general;
    return (request, response) => {
      if (!isHandshake(request)) return general(request, response);
      const found = routes.find('GET', request.path);
      if (found?.handler === undefined) return general(request, response);
      if (found.names.length > 0) request.params = decoded(found);
      return found.handler(request, response, http);
    };
  }

  /** The server listens. */
  start(endpointId: number): void {
    for (const relay of this.relays) relay.start(endpointId);
  }

  /** server.upgrade() */
  accept(request: HttpRequest, decision: UpgradeDecision): boolean {
    return this.#general?.accept(request, decision) ?? false;
  }

  /** Closes what is open with 1001; gives the connections. */
  goAway(): Set<unknown> {
    return new Set(this.#all.flatMap(({ host }) => [...goAway(host)]));
  }

  /** The server is over. */
  over(): void {
    for (const face of this.#all) face.over();
    for (const relay of this.relays) relay.over();
  }
}
