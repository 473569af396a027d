// fetch() as the standard has it, for programs: without a cache, cookies and CORS.
import { invalidArgType } from '../errors.js';
import { type BodyInit, extractBody } from '../http/web/body.js';
import type { Client, RequestOptions } from './client.js';
import { defaultClient } from './client.js';
import { ACCEPT_ENCODING } from './decode.js';
import { FetchedResponse } from './fetched_response.js';
import type { ClientResponse } from './response.js';

/** As the standard says. */
const REDIRECTS_MAX = 20;

export interface FetchInit {
  method?: string;
  headers?: Record<string, string> | Iterable<readonly [string, string]>;
  body?: BodyInit | null;
  redirect?: 'follow' | 'error' | 'manual';
  signal?: AbortSignal | null;
  /** What streams need: 'half'. */
  duplex?: 'half';
  /** The client whose connections are used. Default: the one of request(). */
  client?: Client;
}

interface Asked {
  url: URL;
  method: string;
  headers: Map<string, string>;
  body: RequestOptions['body'];
  /** The body can be sent again. */
  replayable: boolean;
  signal: AbortSignal | undefined;
}

/** Fields that must not go along to another origin. */
const SECRET = ['authorization', 'cookie', 'host', 'proxy-authorization'];
/** Fields of a body that is left out. */
const OF_BODY = ['content-encoding', 'content-language', 'content-location', 'content-type'];

/**
 * As the platform's fetch, over connections of ringpoll: redirections are followed, codings are
 * undone, and what it gives is an instance of the platform's Response. Differences: see
 * docs/client.md.
 * @returns rejects with a TypeError whose `cause` says what has failed, or with the signal's reason
 */
export async function fetch(
  input: string | URL | Request,
  init: FetchInit = {},
): Promise<Response> {
  const { redirect = 'follow', client = defaultClient() } = init;
  const asked = askedFor(input, init);
  for (let redirects = 0; ; redirects++) {
    const response = await send(client, asked);
    const location = isRedirect(response) ? response.header('location') : undefined;
    const isLast = location === undefined || redirect === 'manual';
    if (isLast) {
      const made = new FetchedResponse(response, asked.url.href, redirects > 0, asked.method);
      return made as unknown as Response;
    }
    response._discard();
    if (redirect === 'error') throw failed('The response is a redirection');
    if (redirects === REDIRECTS_MAX) throw failed(`More than ${REDIRECTS_MAX} redirections`);
    follow(asked, response.status, location);
  }
}

async function send(client: Client, asked: Asked): Promise<ClientResponse> {
  const { url, method, headers, body, signal } = asked;
  try {
    return await client.request(url.hash === '' ? url : withoutHash(url), {
      method,
      headers,
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw failed('fetch failed', error);
  }
}

function withoutHash(url: URL): URL {
  const bare = new URL(url);
  bare.hash = '';
  return bare;
}

function failed(message: string, cause?: unknown): TypeError {
  return new TypeError(message, cause === undefined ? undefined : { cause });
}

function isRedirect({ status }: ClientResponse): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

const NORMALIZED = /^(?:delete|get|head|options|post|put)$/i;

function askedFor(input: unknown, init: FetchInit): Asked {
  if (typeof init !== 'object' || init === null) throw invalidArgType('init', 'an object', init);
  const from = typeof input === 'object' && input instanceof Request ? input : undefined;
  let url: URL;
  try {
    url = new URL(from === undefined ? String(input) : from.url);
  } catch (error) {
    throw failed(`Failed to parse the URL ${String(input)}`, error);
  }
  if (url.username !== '' || url.password !== '') {
    throw failed('The URL has a user and a password: set authorization');
  }
  const given = init.method ?? from?.method ?? 'GET';
  const method = NORMALIZED.test(given) ? given.toUpperCase() : given;
  const headers = new Map<string, string>();
  for (const [name, value] of pairsOf(init.headers ?? from?.headers)) {
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  const signal = init.signal ?? (init.signal === null ? undefined : from?.signal) ?? undefined;
  signal?.throwIfAborted();
  const body = init.body ?? from?.body ?? undefined;
  const asked: Asked = { url, method, headers, body: undefined, replayable: true, signal };
  if (body !== undefined) giveBody(asked, body as BodyInit);
  for (const [name, value] of USUAL) if (!headers.has(name)) headers.set(name, value);
  return asked;
}

const USUAL = [
  ['accept', '*/*'],
  ['accept-encoding', ACCEPT_ENCODING],
  ['user-agent', 'ringpoll'],
] as const;

function pairsOf(headers: FetchInit['headers']): Iterable<readonly [string, string]> {
  if (headers === undefined || headers === null) return [];
  if (typeof headers !== 'object') throw invalidArgType('init.headers', 'an object', headers);
  if (Symbol.iterator in headers) return headers as Iterable<readonly [string, string]>;
  return Object.entries(headers).map(([name, value]) => [name, String(value)]);
}

function giveBody(asked: Asked, body: BodyInit): void {
  if (asked.method === 'GET' || asked.method === 'HEAD') {
    throw new TypeError('A request with the method GET or HEAD has no body');
  }
  const { content, type } = extractBody(body);
  asked.body = content as RequestOptions['body'];
  asked.replayable = typeof content === 'string' || content instanceof Uint8Array;
  if (type !== '' && !asked.headers.has('content-type')) asked.headers.set('content-type', type);
}

/** The request that a redirection asks for: the standard's HTTP-redirect fetch. */
function follow(asked: Asked, status: number, location: string): void {
  const before = asked.url;
  let url: URL;
  try {
    url = new URL(location, before);
  } catch (error) {
    throw failed('The redirection leads to no URL', error);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw failed('The redirection leads to a URL that is not of http or https');
  }
  if (url.username !== '' || url.password !== '') {
    throw failed('The redirection leads to a URL with a user and a password');
  }
  if (url.hash === '') url.hash = before.hash;
  const losesBody =
    ((status === 301 || status === 302) && asked.method === 'POST') ||
    (status === 303 && asked.method !== 'GET' && asked.method !== 'HEAD');
  if (losesBody) {
    asked.method = 'GET';
    asked.body = undefined;
    asked.replayable = true;
    for (const name of OF_BODY) asked.headers.delete(name);
  } else if (!asked.replayable) {
    throw failed('The body of a redirected request was a stream, and is gone');
  }
  if (url.origin !== before.origin) for (const name of SECRET) asked.headers.delete(name);
  asked.url = url;
}
