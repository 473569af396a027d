// Runs a fetch handler: a Request in, a Response out.
import { invalidArgType } from '../../errors.js';
import { runtime } from '../../runtime/runtime.js';
import { nextTurn, turnIsLate } from '../../runtime/turn_time.js';
import type { Handler } from '../handler.js';
import type { HttpRequest } from '../request.js';
import type { HttpResponse } from '../response.js';
import { NOT_DECLARED } from '../response_state.js';
import { adopt } from './adopt.js';
import { bytesOfPiece, type Content, streamOf } from './body.js';
import { usedError } from './body_readers.js';
import { linkPrototypes, prototypesLinked } from './platform.js';
import { LightRequest } from './request.js';
import { LightResponse } from './response.js';

/**
 * Answers a request in the terms of the Fetch standard. The second argument is the same request as
 * handlers of the other kind see it: it knows the peer's address.
 */
export type FetchHandler = (
  request: Request & { readonly params: Record<string, string> },
  http: HttpRequest,
) => Answered | PromiseLike<Answered>;

/** Undefined, or any Response, of a request that has become a WebSocket. */
type Answered = Response | LightResponse | undefined;

// They are about one connection, and ours is another one.
const HOP_BY_HOP = ['keep-alive', 'transfer-encoding', 'upgrade', 'trailer'];
const SET_COOKIE = 'set-cookie';
/** As long may a stream go on when its peer has ended its side. */
const GRACE_MS = 5000;
/** Microtasks in which a stream that has all its bytes already can say so. */
const READY_TURNS = 12;

/** A Response of the platform, or of another implementation that programs bring along. */
export interface AnyResponse {
  status: number;
  headers: Iterable<[string, string]> & { getSetCookie?: () => string[] };
  body: unknown;
  bodyUsed?: boolean;
}

export function fetching(fetch: FetchHandler): Handler {
  // Now, and not at the expense of the first request.
  if (!prototypesLinked) linkPrototypes();
  adopt();
  return (http, response) => {
    // A request of this face lives as long as somebody has it, whatever becomes of the response.
    http._last();
    if (http._body !== undefined) http._body.outlives = true;
    const request = new LightRequest(http) as unknown as Parameters<FetchHandler>[0];
    const result = fetch(request, http);
    if (result instanceof LightResponse) return answerLight(result, http, response);
    if (typeof (result as PromiseLike<Response> | undefined)?.then === 'function') {
      return (result as PromiseLike<Response | LightResponse>).then((found) =>
        sendResponse(found, http, response),
      );
    }
    return answer(result, http, response);
  };
}

/** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE for what is no Response */
export function sendResponse(
  result: unknown,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> | undefined {
  if (result instanceof LightResponse) return answerLight(result, http, response);
  return answer(result, http, response);
}

function answer(
  result: unknown,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> | undefined {
  if (response.ended) return undefined; // it has become a WebSocket
  if (!isResponse(result)) throw invalidArgType('the result of fetch', 'a Response', result);
  if (result.bodyUsed === true) throw usedError();
  response.status(result.status);
  for (const [name, value] of fieldsOf(result)) addHeader(response, name, value);
  return sendContent(contentOf(result.body), http, response);
}

/** By its shape: it may come from undici, from another realm, or from a framework's own. */
export function isResponse(result: unknown): result is AnyResponse {
  if (typeof result !== 'object' || result === null) return false;
  const { status, headers } = result as Partial<AnyResponse>;
  return typeof status === 'number' && typeof headers?.[Symbol.iterator] === 'function';
}

/** The header fields, each cookie by itself. */
export function fieldsOf({ headers }: AnyResponse): [name: string, value: string][] {
  const cookies = headers.getSetCookie?.();
  if (cookies === undefined) return [...headers];
  const others = [...headers].filter(([name]) => name.toLowerCase() !== SET_COOKIE);
  return [...others, ...cookies.map((cookie): [string, string] => [SET_COOKIE, cookie])];
}

function contentOf(body: unknown): Content {
  if (body === null || body === undefined) return undefined;
  if (body instanceof ReadableStream || typeof body === 'string') return body as Content;
  const iterate = (body as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator];
  return typeof iterate === 'function'
    ? streamOf(body as AsyncIterable<unknown>)
    : bytesOfPiece(body);
}

function answerLight(
  result: LightResponse,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> | undefined {
  if (response.ended) return undefined;
  const { status } = result;
  if (status !== 200) response.status(status);
  if (result._type !== '') response.header('Content-Type', result._type);
  const pairs = result._pairs();
  if (pairs !== undefined) {
    for (let i = 0; i < pairs.length; i += 2) addHeader(response, pairs[i], pairs[i + 1]);
  }
  const content = result._take();
  if (typeof content === 'string') {
    response.end(content);
    return undefined;
  }
  return sendContent(content, http, response);
}

function addHeader(response: HttpResponse, name: string, value: string): void {
  if (!HOP_BY_HOP.includes(name.toLowerCase())) response.appendHeader(name, value);
}

function sendContent(
  content: Content,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> | undefined {
  if (content instanceof ReadableStream) return sendStream(content, http, response);
  response.end(content);
  return undefined;
}

/**
 * Ends the response with a stream. It is cancelled when the connection is over, and some time after
 * the peer has ended its side: then nobody may be there, but what is soon complete is still sent.
 */
async function sendStream(
  stream: ReadableStream<Uint8Array>,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const reader = stream.getReader();
  if (http._isHead) {
    // What it does is the app's affair, and may never be over.
    reader.cancel().catch(() => {});
    response.end();
    return;
  }
  let gone: unknown;
  let grace: NodeJS.Timeout | undefined;
  const cancel = (reason: unknown) => {
    gone ??= reason;
    reader.cancel(reason).catch(() => {});
  };
  const peerEnded = () => {
    grace = setTimeout(cancel, GRACE_MS, http.signal.reason);
  };
  response._whenDropped(cancel);
  http.signal.addEventListener('abort', peerEnded, { once: true });
  if (http.signal.aborted) peerEnded();
  try {
    await pump(reader, response);
    if (gone !== undefined) throw gone;
    response.end();
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    clearTimeout(grace);
    http.signal.removeEventListener('abort', peerEnded);
    response._whenDropped(undefined);
  }
}

/** All but the end of the response, unless the end is there already. */
async function pump(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  response: HttpResponse,
): Promise<void> {
  let piece = await reader.read();
  if (piece.done === true) return;
  let next = reader.read();
  if (await endsNow(next)) {
    const only = bytesOfPiece(piece.value);
    // What the app has said of the length is held against what it sends.
    const declared = response._extras?.declaredLength ?? NOT_DECLARED;
    if (declared === NOT_DECLARED) response.header('Content-Length', only.byteLength);
    response.write(only);
    return;
  }
  for (;;) {
    if (!response.write(bytesOfPiece(piece.value))) await response.drained();
    else if (turnIsLate(runtime())) await nextTurn();
    piece = await next;
    if (piece.done === true) return;
    next = reader.read();
    next.catch(() => {}); // it is awaited only when the peer has taken what is there
  }
}

/** True when the stream is over already: then the length is known. */
async function endsNow(next: Promise<{ done: boolean }>): Promise<boolean> {
  let over: boolean | undefined;
  next.then(
    ({ done }) => {
      over = done === true;
    },
    () => {
      over = false;
    },
  );
  for (let i = 0; i < READY_TURNS && over === undefined; i++) await undefined;
  return over === true;
}
