// llhttp's own strict response fixtures through the client: whole, byte by byte, and cut at random,
// over plain TCP and over TLS.
// Where we are stricter on purpose, it is listed with the reason.
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Case, findCorpus, readCorpus } from '../http/llhttp_corpus.js';
import { client, failure, serveRaw } from '../support/client.js';
import { Random } from '../support/random.js';
import { pair } from '../support/tls/certificate.js';

const sibling = fileURLToPath(new URL('../../../shared', import.meta.url));
const found = findCorpus(process.env, sibling);
const folder = join(found.folder, '..', 'response');

const cases = found.missing === undefined ? readCorpus(folder) : [];
const strict = cases.filter(({ type }) => type === 'response' || type === 'response-finish');

interface Seen {
  /** What it failed with, by the parser's code or the error's. */
  error: string | undefined;
  headers: string[];
  body: string;
}

async function send(socket: Socket, bytes: Buffer, cut: () => number): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const size = cut();
    socket.write(bytes.subarray(at, at + size));
    at += size;
    if (at < bytes.length) await new Promise(setImmediate);
  }
  socket.end();
}

/** What a client that sends one request makes of these bytes, and then the end. */
async function seenBy(input: string, cut: () => number, tls?: typeof pair): Promise<Seen> {
  const raw = await serveRaw((socket) => send(socket, Buffer.from(input, 'latin1'), cut), tls);
  const ca = tls && { tls: { ca: tls.cert } };
  const one = client({ bodyTimeout: 20_000, headTimeout: 20_000, ...ca });
  let headers: string[] = [];
  try {
    const response = await one.request(raw.url);
    headers = response.rawHeaders();
    const body = (await response.bytes()).toString('latin1');
    return { error: undefined, headers, body };
  } catch (error) {
    const { reason, code } = error as { reason?: string; code: string };
    return { error: reason ?? code, headers, body: '' };
  } finally {
    one.destroy();
  }
}

/** Beyond what llhttp refuses as well. */
const STRICTER: Record<string, string> = {
  // No request has asked for another protocol.
  'connection: HTTP 101 response with Upgrade and Content-Length header':
    'ERR_RINGPOLL_HTTP_UPGRADE_UNASKED',
  'connection: HTTP 101 response with Upgrade and Transfer-Encoding header':
    'ERR_RINGPOLL_HTTP_UPGRADE_UNASKED',
  // The final response begins with an empty line.
  'connection: HTTP 100 first, then 400': 'ERR_RINGPOLL_HTTP_STATUS_LINE',
  // The last byte of its body is missing.
  'connection: HTTP 103 first, then 200': 'ERR_RINGPOLL_RESPONSE_TRUNCATED',
  // RTSP and Icecast are not HTTP.
  'sample: RTSP response': 'ERR_RINGPOLL_HTTP_STATUS_LINE',
  'sample: ICE response': 'ERR_RINGPOLL_HTTP_STATUS_LINE',
  // No version that was ever sent so.
  'sample: HTTP version 0.9': 'ERR_RINGPOLL_HTTP_STATUS_LINE',
  // A server that sends a line too many has lost count.
  'sample: Response starting with CRLF': 'ERR_RINGPOLL_HTTP_STATUS_LINE',
  // Where such a body ends, one reader knows and another does not.
  'transfer-encoding: `chunked` before other transfer-encoding':
    'ERR_RINGPOLL_HTTP_TRANSFER_ENCODING_UNSUPPORTED',
  'transfer-encoding: multiple transfer-encoding where chunked is not the last one':
    'ERR_RINGPOLL_HTTP_TRANSFER_ENCODING_UNSUPPORTED',
  'transfer-encoding: `chunkedchunked` transfer-encoding does not enable chunked enconding':
    'ERR_RINGPOLL_HTTP_TRANSFER_ENCODING_UNSUPPORTED',
};

function judge(one: Case, seen: Seen): unknown {
  const { messages, error } = one.expected;
  const [message] = messages;
  const listed = STRICTER[one.name];
  if (listed !== undefined)
    return seen.error === listed ? undefined : { one: one.name, seen, listed };
  if (message === undefined || (error !== undefined && !message.complete)) {
    return seen.error === undefined ? { one: one.name, seen, error } : undefined;
  }
  const cutOff = !message.complete && seen.error === 'ERR_RINGPOLL_RESPONSE_TRUNCATED';
  const sameHeaders = JSON.stringify(seen.headers) === JSON.stringify(message.rawHeaders);
  const same = sameHeaders && (cutOff || (seen.error === undefined && seen.body === message.body));
  return same ? undefined : { one: one.name, seen, message, error };
}

describe("llhttp's strict response fixtures", () => {
  it('are found', (context) => {
    if (found.missing !== undefined && found.demandedBy !== undefined) {
      throw new Error(`${found.missing}, and ${found.demandedBy} asks for them`);
    }
    context.skip(found.missing !== undefined, found.missing);
    expect(strict.length).toBeGreaterThan(30);
    expect(
      Object.keys(STRICTER).filter((name) => !strict.some((one) => one.name === name)),
    ).toEqual([]);
  });

  const random = new Random(15);
  const whole = () => 1 << 20;
  const atRandom = () => 1 + random.below(40);
  it.each([
    ['whole', whole, undefined],
    ['byte by byte', () => 1, undefined],
    ['cut at random', atRandom, undefined],
    ['whole, over TLS', whole, pair],
    ['cut at random, over TLS', atRandom, pair],
  ])('give the same, %s', { timeout: 30_000 }, async (_, cut, tls) => {
    const all = await Promise.all(
      strict.map(async (one) => judge(one, await seenBy(one.input, cut, tls))),
    );
    expect(all.filter((each) => each !== undefined)).toEqual([]);
  });

  it('never make a client give an error that has no code', async () => {
    const raw = await serveRaw((socket) => socket.end('x'));
    expect((await failure(client().request(raw.url))).code).toMatch(/^ERR_RINGPOLL_/);
  });
});
