// A response, as a handler writes it.
import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import { HeadFlag } from '../loop/protocol.js';
import type { Connection } from '../tcp/connection.js';
import { lengthAndEnd } from './head_texts.js';
import { FieldKind, fieldKind, isAsciiValue } from './header_fields.js';
import type { Request } from './request.js';
import type { Session } from './session.js';
import { statusLine } from './tables.js';

/** What has become of it, and what its head needs. */
const enum Flag {
  streaming = 1, // the head is out
  ended = 2,
  first = 4, // it may be written: those before it are out
  close = 8, // the connection ends with it
  ownDate = 16,
  ownServer = 32,
  latin1 = 64, // a field has bytes above 0x7f: the head is not text in UTF-8
  noBody = 128, // 204, 304, or the answer to HEAD
  chunked = 256,
  untilClose = 512, // the end of the connection is the end of the body
}

const SHORT_TEXT = 64;
const NOT_DECLARED = -1;

export type Body = string | Uint8Array;

/** Handlers of a connection that was taken over. */
export interface UpgradeHandlers {
  data?(connection: Connection, bytes: Buffer): void;
  drain?(connection: Connection): void;
  end?(connection: Connection): void;
  close?(connection: Connection, error?: Error): void;
}

/** What few responses need. */
interface Rare {
  declaredLength: number;
  sentLength: number;
  trailers: string;
  /** What was written before its turn came. */
  waiting: Body[];
  turnComes: (() => void)[];
}

/** The length in UTF-8 bytes; equal to text.length exactly when it is ASCII. */
function utf8Length(text: string): number {
  if (text.length > SHORT_TEXT) return Buffer.byteLength(text, 'utf8');
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text, 'utf8');
  }
  return text.length;
}

function bytesOf(data: Body): number {
  return typeof data === 'string' ? utf8Length(data) : data.length;
}

/**
 * A response. Responses of one connection leave in the order of its requests, whatever the order in
 * which handlers finish. Date and Server are added; so is Content-Length where the length is known.
 */
export class Response {
  readonly #session: Session;
  readonly #request: Request;
  #flags: number;
  #status = 200;
  #contentType = '';
  #headers = '';
  #rare: Rare | undefined = undefined;

  /** @internal */
  constructor(session: Session, request: Request, first: boolean) {
    this.#session = session;
    this.#request = request;
    this.#flags = first ? Flag.first : 0;
  }

  /** True once the head cannot be changed any more. */
  get headersSent(): boolean {
    return (this.#flags & (Flag.streaming | Flag.ended)) !== 0;
  }

  get ended(): boolean {
    return (this.#flags & Flag.ended) !== 0;
  }

  /**
   * Sets the status, 200 to 599.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE
   * @throws RingpollError ERR_RINGPOLL_HTTP_HEADERS_SENT, ERR_RINGPOLL_HTTP_ENDED
   */
  status(code: number): this {
    this.#checkFresh();
    if (typeof code !== 'number') throw invalidArgType('code', 'a number', code);
    if (!Number.isInteger(code) || code < 200 || code > 599) {
      throw outOfRange('code', 'an integer from 200 to 599', code);
    }
    this.#status = code;
    return this;
  }

  /**
   * Adds a header; the same name twice sends it twice, but for Content-Type and Content-Length.
   * @throws TypeError for a name or value that HTTP does not allow (CR, LF, NUL, ...)
   */
  header(name: string, value: string | number): this {
    this.#checkFresh();
    const kind = fieldKind(name);
    const text = typeof value === 'string' ? value : String(value);
    if (!isAsciiValue(name, text)) this.#flags |= Flag.latin1;
    switch (kind) {
      case FieldKind.contentType:
        this.#contentType = text;
        return this;
      case FieldKind.contentLength:
        if (!/^\d{1,15}$/.test(text)) throw outOfRange('Content-Length', 'a decimal number', text);
        this.#rarely().declaredLength = Number(text);
        return this;
      case FieldKind.connection:
        // The server decides, and a handler may only ask for the end.
        if (text.toLowerCase().includes('close')) this.#flags |= Flag.close;
        return this;
      case FieldKind.transferEncoding:
        throw invalidArgType('name', 'anything but Transfer-Encoding, which is ours', name);
      case FieldKind.date:
        this.#flags |= Flag.ownDate;
        break;
      case FieldKind.server:
        this.#flags |= Flag.ownServer;
        break;
    }
    this.#headers += `${name}: ${text}\r\n`;
    return this;
  }

  /** A trailer field, sent behind a chunked body: before end(), with write(). */
  trailer(name: string, value: string): this {
    this.#checkNotEnded();
    this.#rarely().trailers += field(name, value);
    return this;
  }

  /** Sends an informational response, e.g. 103 Early Hints, at once; none to HTTP/1.0. */
  informational(status: number, headers: Record<string, string> = {}): this {
    this.#checkFresh();
    if (!(status >= 100 && status <= 199) || status === 101) {
      throw outOfRange('status', 'from 100 to 199, but not 101', status);
    }
    let text = statusLine(status);
    for (const [name, value] of Object.entries(headers)) text += field(name, value);
    if (this.#request.flags & HeadFlag.version11) this.#emit(`${text}\r\n`);
    return this;
  }

  /** Sends a value as JSON. @throws TypeError when it cannot be serialised */
  json(value: unknown): void {
    this.#checkFresh();
    const text = JSON.stringify(value) ?? 'null';
    if (this.#contentType === '') this.#contentType = 'application/json';
    this.end(text);
  }

  /**
   * Ends the response, with a last or only piece of body. Bytes of more than 32 KB are not copied
   * when the kernel takes them at once.
   * @throws RingpollError ERR_RINGPOLL_HTTP_ENDED, ERR_RINGPOLL_HTTP_CONTENT_LENGTH
   */
  end(body?: Body): void {
    this.#checkNotEnded();
    if (typeof body === 'string') {
      if (this.#flags & Flag.streaming) this.#endStream(body);
      else this.#endText(body);
    } else {
      if (body !== undefined) checkBody('body', body);
      if (this.#flags & Flag.streaming) this.#endStream(body);
      else this.#endBytes(body);
    }
    this.#flags |= Flag.ended;
    this.#session.responseEnded(this, this.#request);
  }

  #endText(body: string): void {
    const length = utf8Length(body);
    const head = this.#head(length);
    if ((this.#flags & (Flag.first | Flag.latin1 | Flag.noBody)) === Flag.first) {
      this.#session.text(head + body, length === body.length);
      return;
    }
    this.#emitHead(head);
    if (length > 0 && !(this.#flags & Flag.noBody)) this.#emit(body);
  }

  #endBytes(body: Uint8Array | undefined): void {
    const length = body?.length ?? 0;
    this.#emitHead(this.#head(length));
    if (body !== undefined && length > 0 && !(this.#flags & Flag.noBody)) this.#emit(body);
  }

  /**
   * Sends the head with the first call, and a piece of body of unknown total length: chunked, or
   * as it is when Content-Length was set or the peer speaks HTTP/1.0.
   * @returns false when more than highWaterMark bytes wait: await drained()
   * @throws RingpollError ERR_RINGPOLL_HTTP_ENDED, ERR_RINGPOLL_HTTP_CONTENT_LENGTH
   */
  write(data: Body): boolean {
    this.#checkNotEnded();
    if (typeof data !== 'string') checkBody('data', data);
    if (!(this.#flags & Flag.streaming)) this.flushHead();
    const length = bytesOf(data);
    if (length > 0) this.#piece(data, length);
    return (this.#flags & Flag.first) !== 0 && this.#session.belowMark();
  }

  /** Sends the head now. */
  flushHead(): void {
    this.#checkFresh();
    this.#emitHead(this.#head(-1));
    this.#flags |= Flag.streaming;
  }

  /** Resolves when write() may go on; rejects when the peer has gone. */
  async drained(): Promise<void> {
    await this.#turnComes();
    this.#session.flush();
    await this.#session.connection.drained();
  }

  /** Sends the head of a body of exactly `length` bytes, which sendWith() brings. */
  beginExact(length: number): void {
    this.#rarely().declaredLength = length;
    this.flushHead();
  }

  /** Lets `send` write the body on the connection itself, when it is its turn, and ends. */
  async sendWith(send: (connection: Connection) => Promise<void>): Promise<void> {
    await this.#turnComes();
    this.#session.flush();
    await send(this.#session.connection);
    this.#flags |= Flag.ended;
    this.#session.responseEnded(this, this.#request);
  }

  /**
   * Takes the connection over: answers 101 (or 200 to CONNECT) and returns the connection, whose
   * handlers are `handlers`. Bytes that came behind the request are its first data.
   */
  upgrade(headers: Record<string, string>, handlers: UpgradeHandlers): Connection {
    this.#checkFresh();
    for (const [name, value] of Object.entries(headers)) this.#headers += field(name, value);
    const connection = this.#session.handOver(this, handlers);
    const status = this.#request.method === 'CONNECT' ? 200 : 101;
    connection.write(`${statusLine(status)}${this.#headers}\r\n`);
    this.#flags |= Flag.ended;
    return connection;
  }

  #piece(data: Body, length: number): void {
    const rare = this.#rarely();
    rare.sentLength += length;
    if (rare.declaredLength >= 0 && rare.sentLength > rare.declaredLength) {
      throw lengthError(rare.declaredLength, rare.sentLength);
    }
    if (this.#flags & Flag.noBody) return;
    if (!(this.#flags & Flag.chunked)) {
      this.#emit(data);
    } else if (typeof data === 'string') {
      this.#emit(`${length.toString(16)}\r\n${data}\r\n`);
    } else {
      this.#emit(`${length.toString(16)}\r\n`);
      this.#emit(data);
      this.#emit('\r\n');
    }
  }

  #endStream(body: Body | undefined): void {
    if (body !== undefined && body.length > 0) this.#piece(body, bytesOf(body));
    const rare = this.#rarely();
    if (this.#flags & Flag.noBody) return;
    if (rare.declaredLength >= 0 && rare.sentLength !== rare.declaredLength) {
      this.#flags |= Flag.ended;
      this.#session.connection.reset(); // the peer must not take it for complete
      throw lengthError(rare.declaredLength, rare.sentLength);
    }
    if (this.#flags & Flag.chunked) this.#emit(`0\r\n${rare.trailers}\r\n`);
  }

  /** The head, up to and including the empty line. `length` is -1 when it is not known. */
  #head(length: number): string {
    const session = this.#session;
    const request = this.#request;
    const keepAlive = session.keepsAlive(request) && !(this.#flags & Flag.close);
    const plain = this.#headers === '' && this.#rare === undefined && length >= 0;
    if (this.#status === 204 || this.#status === 304 || request._isHead) {
      this.#flags |= Flag.noBody;
    } else if (plain && keepAlive && request.flags & HeadFlag.version11) {
      return session.texts.upToLength(this.#status, this.#contentType) + lengthAndEnd(length);
    }
    return this.#wholeHead(length, keepAlive);
  }

  #wholeHead(length: number, keepAlive: boolean): string {
    const version11 = (this.#request.flags & HeadFlag.version11) !== 0;
    const type = this.#contentType === '' ? '' : `Content-Type: ${this.#contentType}\r\n`;
    const framing = this.#framing(length, version11);
    let connection = '';
    if (!keepAlive || this.#flags & Flag.untilClose) {
      this.#flags |= Flag.close;
      connection = 'Connection: close\r\n';
    } else if (!version11) {
      connection = 'Connection: keep-alive\r\n';
    }
    const common = this.#session.texts.common(
      !(this.#flags & Flag.ownServer),
      !(this.#flags & Flag.ownDate),
    );
    const tail = `${type}${framing}${this.#headers}${connection}\r\n`;
    return `${statusLine(this.#status)}${common}${tail}`;
  }

  /** How the end of the body is told (RFC 9112 section 6). */
  #framing(length: number, version11: boolean): string {
    const declared = this.#rare?.declaredLength ?? NOT_DECLARED;
    if (this.#status === 204 || this.#status === 304) return '';
    if (declared >= 0) {
      const known = length >= 0 && !(this.#flags & Flag.noBody);
      if (known && length !== declared) throw lengthError(declared, length);
      return `Content-Length: ${declared}\r\n`;
    }
    if (length >= 0) return `Content-Length: ${length}\r\n`;
    if (version11) {
      this.#flags |= Flag.chunked;
      return 'Transfer-Encoding: chunked\r\n';
    }
    this.#flags |= Flag.untilClose;
    return '';
  }

  #emitHead(head: string): void {
    this.#emit(this.#flags & Flag.latin1 ? Buffer.from(head, 'latin1') : head);
  }

  #emit(data: Body): void {
    if (this.#flags & Flag.first) this.#session.send(data);
    // The caller may use its memory again as soon as write() has returned.
    else this.#rarely().waiting.push(typeof data === 'string' ? data : Buffer.from(data));
  }

  #turnComes(): Promise<void> {
    if (this.#flags & Flag.first) return Promise.resolve();
    return new Promise((resolve) => {
      this.#rarely().turnComes.push(resolve);
    });
  }

  #rarely(): Rare {
    this.#rare ??= {
      declaredLength: NOT_DECLARED,
      sentLength: 0,
      trailers: '',
      waiting: [],
      turnComes: [],
    };
    return this.#rare;
  }

  /** @internal The responses before this one are out. */
  _becomeFirst(): void {
    this.#flags |= Flag.first;
    const rare = this.#rare;
    if (rare === undefined) return;
    for (const data of rare.waiting.splice(0)) this.#session.send(data);
    for (const resolve of rare.turnComes.splice(0)) resolve();
  }

  /** @internal A handler failed: nothing that it has set counts. */
  _reset(): void {
    this.#headers = this.#contentType = '';
    this.#flags &= Flag.first | Flag.close;
    if (this.#rare !== undefined) this.#rare.declaredLength = NOT_DECLARED;
  }

  /** @internal The framing of what comes next is not certain. */
  _closeAfter(): void {
    this.#flags |= Flag.close;
  }

  /** @internal */
  get _first(): boolean {
    return (this.#flags & Flag.first) !== 0;
  }
  /** @internal */
  get _closes(): boolean {
    return (this.#flags & Flag.close) !== 0;
  }
  /** @internal */
  get _request(): Request {
    return this.#request;
  }

  #checkFresh(): void {
    if (!(this.#flags & (Flag.streaming | Flag.ended))) return;
    this.#checkNotEnded();
    throw new RingpollError('ERR_RINGPOLL_HTTP_HEADERS_SENT', 'The head has been sent already');
  }

  #checkNotEnded(): void {
    if (!(this.#flags & Flag.ended)) return;
    throw new RingpollError('ERR_RINGPOLL_HTTP_ENDED', 'The response has ended already');
  }
}

function field(name: string, value: string): string {
  fieldKind(name);
  if (!isAsciiValue(name, value)) throw invalidArgType(name, 'ASCII here', value);
  return `${name}: ${value}\r\n`;
}

function checkBody(name: string, body: unknown): asserts body is Uint8Array {
  if (!(body instanceof Uint8Array)) {
    throw invalidArgType(name, 'a string or a Uint8Array', body);
  }
}

function lengthError(declared: number, actual: number): RingpollError {
  return new RingpollError(
    'ERR_RINGPOLL_HTTP_CONTENT_LENGTH',
    `Content-Length says ${declared} bytes, but the body has ${actual}`,
  );
}
