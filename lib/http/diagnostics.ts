// What a server tells node:diagnostics_channel of its requests. While nobody has subscribed no
// object is made.
import { channel } from 'node:diagnostics_channel';
import type { HttpRequest } from './request.js';
import type { HttpResponse } from './response.js';
import { extrasOf, ResponseFlag } from './response_state.js';

/** Its handler is about to run; what is bound to the channel's stores holds in the handler. */
export const requestStart = channel('ringpoll:http:server:request:start');
/** All of its answer was given, or its peer has gone. */
export const requestEnd = channel('ringpoll:http:server:request:end');
/** A handler has failed, or the request was refused. */
export const requestError = channel('ringpoll:http:server:request:error');

/** The message of the channels `start` and `end`: for each request one object, the same in both. */
export class ServerRequestEvent {
  readonly server: unknown;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  /** The pattern of the route that matched, from `end` on; '' for none. */
  route = '';
  /** The status of the answer, from `end` on; undefined: the peer had gone before its head. */
  status: number | undefined = undefined;
  /** The peer has gone before all of the answer was given. */
  aborted = false;
  /** From `start` to `end`, in milliseconds. */
  ms = 0;
  readonly #from = performance.now();

  /** @internal */
  constructor(server: unknown, request: HttpRequest, response: HttpResponse) {
    this.server = server;
    this.request = request;
    this.response = response;
  }

  /** @internal */
  _over(): void {
    const { response } = this;
    this.ms = performance.now() - this.#from;
    this.route = this.request._route;
    this.aborted = !response.ended;
    const hasStatus = response.ended || (response._flags & ResponseFlag.headOut) !== 0;
    this.status = hasStatus ? response._status : undefined;
    observer?.end(this);
    requestEnd.publish(this);
  }
}

/** The message of the channel `error`. */
export interface ServerErrorEvent {
  server: unknown;
  error: Error;
  /** undefined: what was refused had no complete head. */
  request: HttpRequest | undefined;
}

/** One that runs handlers in a context of its own, and does not throw. */
export interface RequestObserver {
  /** A handler is about to run: what runs it. */
  start(event: ServerRequestEvent): (run: () => void) => void;
  end(event: ServerRequestEvent): void;
  failed(error: Error, request: HttpRequest | undefined): void;
}

let observer: RequestObserver | undefined;

/** Of all servers of this thread; undefined: none. */
export function setRequestObserver(one: RequestObserver | undefined): void {
  observer = one;
}

export const isObserved = (): boolean =>
  observer !== undefined || requestStart.hasSubscribers || requestEnd.hasSubscribers;

/** Runs the handler, and tells before and after. */
export function runObserved(
  server: unknown,
  request: HttpRequest,
  response: HttpResponse,
  run: () => void,
): void {
  const event = new ServerRequestEvent(server, request, response);
  extrasOf(response).observer = event;
  const around = observer?.start(event);
  requestStart.runStores(event, around === undefined ? run : () => around(run));
}

export function tellError(server: unknown, error: Error, request: HttpRequest | undefined): void {
  observer?.failed(error, request);
  if (!requestError.hasSubscribers) return;
  requestError.publish({ server, error, request } satisfies ServerErrorEvent);
}
