// What a client tells node:diagnostics_channel of its requests. While nobody has subscribed no
// object is made.
import { channel } from 'node:diagnostics_channel';
import { fieldLine } from '../http/header_fields.js';
import type { ClientResponse } from './response.js';
import type { RequestTarget } from './target.js';

/** A request is about to be given to a connection, or to wait for one. */
export const requestStart = channel('ringpoll:http:client:request:start');
/** The head of its response has come. */
export const requestEnd = channel('ringpoll:http:client:request:end');
/** It has failed. */
export const requestError = channel('ringpoll:http:client:request:error');

/** The message of all three channels: for each request one object. */
export class ClientRequestEvent {
  readonly method: string;
  /** Scheme, name and port: 'http://127.0.0.1:8080'. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** It is one that proxy() passes on: its header fields are those of its peer. */
  readonly forwarded: boolean;
  /** From `end` on. */
  response: ClientResponse | undefined = undefined;
  /** From `error` on. */
  error: unknown = undefined;
  /** From `start` to `end` or `error`, in milliseconds. */
  ms = 0;
  readonly #from = performance.now();
  #lines: string | undefined = '';
  #head: string;

  /** @internal */
  constructor(
    method: string,
    { origin, path }: RequestTarget,
    { head, forwarded = false }: Observable,
  ) {
    // Up to its empty line.
    this.#head = head.slice(0, -2);
    this.forwarded = forwarded;
    this.method = method;
    this.origin = `${origin.secure ? 'https' : 'http'}://${origin.authority}`;
    this.path = path;
  }

  /**
   * Adds a header field behind those of the request. Only while `start` is told: later it has no
   * effect.
   * @throws TypeError for a name or value that HTTP does not allow, or that frames a body
   */
  addHeader(name: string, value: string | number): void {
    if (this.#lines !== undefined) this.#lines += fieldLine(name, value);
  }

  /** The same in the place of those of the request that have this name. */
  setHeader(name: string, value: string | number): void {
    if (this.#lines === undefined) return;
    const line = fieldLine(name, value);
    const start = `${name.toLowerCase()}:`;
    const [first, ...lines] = this.#head.split('\r\n');
    const others = lines.filter((each) => !each.toLowerCase().startsWith(start));
    this.#head = [first, ...others].join('\r\n');
    this.#lines += line;
  }

  /** Whether the program has given the request this field; the name may be in any case. */
  hasHeader(name: string): boolean {
    return this.#head.toLowerCase().includes(`\r\n${name.toLowerCase()}:`);
  }

  /** @internal Tells of the start; gives the whole head, with the fields that were added. */
  _start(): string {
    requestStart.publish(this);
    const head = `${this.#head}${this.#lines ?? ''}\r\n`;
    this.#lines = undefined;
    return head;
  }

  /** @internal */
  _end(response: ClientResponse): void {
    this.ms = performance.now() - this.#from;
    this.response = response;
    requestEnd.publish(this);
  }

  /** @internal */
  _fail(error: unknown): void {
    this.ms = performance.now() - this.#from;
    this.error = error;
    requestError.publish(this);
  }
}

/** What becomes of a request: its head, and who waits for its response. */
interface Observable {
  /** With its empty line. */
  head: string;
  forwarded?: boolean;
  resolve(response: ClientResponse): void;
  reject(error: unknown): void;
}

/** Whether somebody has subscribed. */
export const isObserved = (): boolean =>
  requestStart.hasSubscribers || requestEnd.hasSubscribers || requestError.hasSubscribers;

/** The same, or, when somebody has subscribed, one that tells of what becomes of it. */
export function observed(method: string, target: RequestTarget, given: Observable): Observable {
  if (!isObserved()) return given;
  const event = new ClientRequestEvent(method, target, given);
  return {
    head: event._start(),
    resolve(response) {
      event._end(response);
      given.resolve(response);
    },
    reject(error) {
      event._fail(error);
      given.reject(error);
    },
  };
}
