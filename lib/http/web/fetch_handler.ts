// Runs a fetch handler: a Request in, a Response out.
import { invalidArgType } from '../../errors.js';
import type { HttpRequest } from '../request.js';
import type { HttpResponse } from '../response.js';
import { checkBody } from '../response_parts.js';
import type { Handler } from '../server.js';
import type { Content } from './body.js';
import { LightRequest } from './request.js';
import { LightResponse } from './response.js';

/**
 * Answers a request in the terms of the Fetch standard. The second argument is the same request as
 * handlers of the other kind see it: it knows the peer's address.
 */
export type FetchHandler = (
  request: Request & { readonly params: Record<string, string> },
  http: HttpRequest,
) => Response | LightResponse | PromiseLike<Response | LightResponse>;

// They are about one connection, and ours is another one.
const HOP_BY_HOP = ['keep-alive', 'transfer-encoding', 'upgrade', 'trailer'];
/** Microtasks in which a stream that has all its bytes already can say so. */
const READY_TURNS = 12;

export function fetching(fetch: FetchHandler): Handler {
  return (http, response) => {
    const request = new LightRequest(http) as unknown as Parameters<FetchHandler>[0];
    const result = fetch(request, http);
    if (result instanceof LightResponse) return answer(result, http, response);
    if (typeof (result as PromiseLike<Response> | undefined)?.then === 'function') {
      return (result as PromiseLike<Response | LightResponse>).then((found) =>
        answer(found, http, response),
      );
    }
    return answer(result as Response, http, response);
  };
}

function answer(
  result: Response | LightResponse,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> | undefined {
  if (result instanceof LightResponse) return answerLight(result, http, response);
  if (!(result instanceof globalThis.Response)) {
    throw invalidArgType('the result of fetch', 'a Response', result);
  }
  response.status(result.status);
  for (const [name, value] of result.headers) setHeader(response, name, value);
  return sendContent(result.body as Content, http, response);
}

function answerLight(
  result: LightResponse,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> | undefined {
  const { status } = result;
  if (status !== 200) response.status(status);
  if (result._type !== '') response.header('Content-Type', result._type);
  const pairs = result._pairs();
  if (pairs !== undefined) {
    for (let i = 0; i < pairs.length; i += 2) setHeader(response, pairs[i], pairs[i + 1]);
  }
  const content = result._take();
  if (typeof content === 'string') {
    response.end(content);
    return undefined;
  }
  return sendContent(content, http, response);
}

function setHeader(response: HttpResponse, name: string, value: string): void {
  if (!HOP_BY_HOP.includes(name)) response.header(name, value);
}

function sendContent(
  content: Content | null,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> | undefined {
  if (content instanceof ReadableStream) return sendStream(content, http, response);
  response.end(content ?? undefined);
  return undefined;
}

/** Ends the response with a stream; it is cancelled when the peer goes away. */
async function sendStream(
  stream: ReadableStream<Uint8Array>,
  http: HttpRequest,
  response: HttpResponse,
): Promise<void> {
  const reader = stream.getReader();
  if (http._isHead) {
    await reader.cancel();
    if (response._rare === undefined) response.flushHead();
    response.end();
    return;
  }
  const gone = () => void reader.cancel(http.signal.reason).catch(() => {});
  http.signal.addEventListener('abort', gone, { once: true });
  try {
    const first = await reader.read();
    if (first.done === true) {
      if (!http.signal.aborted) response.end();
      return;
    }
    checkPiece(first.value);
    let next = reader.read();
    if (await endsNow(next)) {
      response.end(first.value);
      return;
    }
    let more = response.write(first.value);
    for (;;) {
      if (!more) await response.drained();
      const piece = await next;
      if (piece.done === true) break;
      checkPiece(piece.value);
      more = response.write(piece.value);
      next = reader.read();
      next.catch(() => {}); // it is awaited only when the peer has taken what is there
    }
    if (http.signal.aborted) throw http.signal.reason;
    response.end();
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    http.signal.removeEventListener('abort', gone);
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

function checkPiece(piece: unknown): asserts piece is Uint8Array {
  if (typeof piece === 'string') throw new TypeError('A stream of bytes has a piece of text');
  checkBody('a piece of the stream', piece);
}
