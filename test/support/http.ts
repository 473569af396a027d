// An HTTP server of the package and a raw client, for tests that look at every byte.
import { type HttpServer, type ServeOptions, serve } from 'ringpoll/http';
import { onTestFinished } from 'vitest';
import { connectPeer, type Peer } from './peer.js';
import { within } from './recorder.js';

export interface Answer {
  version: string;
  status: number;
  /** By name in lower case; several of one name are joined by ', '. */
  headers: Record<string, string>;
  body: string;
  trailers: Record<string, string>;
}

/** Serves on a free port of loopback; ends with the test. */
export function serveHttp(options: Partial<ServeOptions>): HttpServer {
  const server = serve({ host: '127.0.0.1', port: 0, ...options } as ServeOptions);
  onTestFinished(() => server.destroy());
  return server;
}

export function dialHttp(server: HttpServer): Promise<Peer> {
  return connectPeer({ port: server.port as number });
}

function parseFields(lines: string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value] = /^([^:\s]+): (.*)$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`not a header line: ${JSON.stringify(line)}`);
    const key = name.toLowerCase();
    fields[key] = key in fields ? `${fields[key]}, ${value}` : value!;
  }
  return fields;
}

interface Parsed {
  answer: Answer;
  rest: string;
}

/** A chunked body, or undefined while some of it is missing. */
function parseChunks(text: string): { body: string; trailers: string[]; rest: string } | undefined {
  let body = '';
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const size = Number.parseInt(text.slice(at, end), 16);
    if (Number.isNaN(size)) throw new Error(`not a chunk size: ${text.slice(at, end)}`);
    at = end + 2;
    if (size === 0) break;
    if (text.length < at + size + 2) return undefined;
    body += text.slice(at, at + size);
    if (text.slice(at + size, at + size + 2) !== '\r\n') throw new Error('a chunk without its end');
    at += size + 2;
  }
  const trailers: string[] = [];
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const line = text.slice(at, end);
    at = end + 2;
    if (line === '') return { body, trailers, rest: text.slice(at) };
    trailers.push(line);
  }
}

/** The first answer in `text`, or undefined while some of it is missing. */
export function parseAnswer(text: string, method: string, ended: boolean): Parsed | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first, ...lines] = text.slice(0, headEnd).split('\r\n');
  const [, version, status] = /^HTTP\/(1\.[01]) (\d{3}) [^\r\n]*$/.exec(first!) ?? [];
  if (version === undefined) throw new Error(`not a status line: ${JSON.stringify(first)}`);
  const headers = parseFields(lines);
  const answer: Answer = { version, status: Number(status), headers, body: '', trailers: {} };
  const behind = text.slice(headEnd + 4);
  const without = method === 'HEAD' || answer.status < 200 || [204, 304].includes(answer.status);
  if (without) return { answer, rest: behind };
  if (headers['transfer-encoding'] === 'chunked') {
    const chunks = parseChunks(behind);
    if (chunks === undefined) return undefined;
    answer.body = chunks.body;
    answer.trailers = parseFields(chunks.trailers);
    return { answer, rest: chunks.rest };
  }
  if (headers['content-length'] === undefined) {
    return ended ? { answer: { ...answer, body: behind }, rest: '' } : undefined;
  }
  const length = Number(headers['content-length']);
  if (behind.length < length) return undefined;
  answer.body = behind.slice(0, length);
  return { answer, rest: behind.slice(length) };
}

/** Everything in `text`, which must be whole answers to requests with these methods. */
export function parseAnswers(text: string, methods: string[] = [], ended = true): Answer[] {
  const answers: Answer[] = [];
  let rest = text;
  while (rest !== '') {
    const parsed = parseAnswer(rest, methods[answers.length] ?? 'GET', ended);
    if (parsed === undefined) throw new Error(`an answer is cut off: ${JSON.stringify(rest)}`);
    answers.push(parsed.answer);
    rest = parsed.rest;
  }
  return answers;
}

/** A client that reads one answer after the other from one connection. */
export class HttpClient {
  #taken = 0;

  constructor(readonly peer: Peer) {}

  static async connect(server: HttpServer): Promise<HttpClient> {
    return new HttpClient(await dialHttp(server));
  }

  send(text: string | Uint8Array): void {
    this.peer.send(text);
  }

  /** The next answer; informational ones count. */
  async next(method = 'GET'): Promise<Answer> {
    for (;;) {
      const { peer } = this;
      const over = peer.ended || peer.closed;
      const parsed = parseAnswer(peer.text.slice(this.#taken), method, over);
      if (parsed !== undefined) {
        this.#taken = peer.text.length - parsed.rest.length;
        return parsed.answer;
      }
      if (over) throw new Error(`the end came before the answer: ${peer.text.slice(this.#taken)}`);
      await Promise.race([peer.received(peer.bytes + 1), peer.untilOver()]);
    }
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    this.send(requestText('GET', path, headers));
    return this.next();
  }

  post(path: string, body: string, headers: Record<string, string> = {}): Promise<Answer> {
    this.send(
      requestText('POST', path, { 'Content-Length': String(body.length), ...headers }, body),
    );
    return this.next();
  }
}

export function requestText(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): string {
  const fields = Object.entries({ Host: 'test', ...headers }).map(([n, v]) => `${n}: ${v}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${fields.join('')}\r\n${body}`;
}

/** One connection that sends `text`, ends its side, and reads everything. */
export async function exchange(server: HttpServer, text: string | Uint8Array): Promise<string> {
  const peer = await dialHttp(server);
  peer.send(text);
  peer.end();
  await peer.untilOver();
  return peer.text;
}

/** A promise with its ends outside. */
export function deferred<T = void>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise: within(promise, () => 'deferred'), resolve, reject };
}
