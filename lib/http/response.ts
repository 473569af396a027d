// A response, as a handler writes it.
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import { HeadFlag } from '../loop/protocol.js';
import type { Connection } from '../tcp/connection.js';
import type { Request } from './request.js';
import type { Session } from './session.js';
import { statusLine } from './tables.js';

const enum State {
  fresh,
  streaming, // the head is out
  ended,
}

/** How the body's end is told (RFC 9112 section 6). */
const enum Framing {
  none,
  length,
  chunked,
  close,
}

const SHORT_TEXT = 64;
const HEAD = 'HEAD';
const NOT_ASCII = /[\x80-\uffff]/;

export type Body = string | Uint8Array;

/** The length in UTF-8 bytes; equal to text.length exactly when it is ASCII. */
function utf8Length(text: string): number {
  if (text.length > SHORT_TEXT) return Buffer.byteLength(text, 'utf8');
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text, 'utf8');
  }
  return text.length;
}

/**
 * A response. Responses of one connection leave in the order of its requests, whatever the order in
 * which handlers finish. Date and Server are added; so is Content-Length where the length is known.
 */
export class Response {
  readonly #session: Session;
  readonly #request: Request;
  #state: State = State.fresh;
  #status = 200;
  #contentType: string | undefined;
  #headers = '';
  #framing: Framing = Framing.length;
  #declaredLength = -1;
  #sentLength = 0;
  #trailers = '';
  #close = false;
  #ownDate = false;
  #ownServer = false;
  /** A header value has bytes above 0x7f: the head is not text in UTF-8. */
  #latin1 = false;
  /** @internal It is its turn to be written. */
  _first = true;
  /** What was written before its turn came. */
  #waiting: Body[] | undefined;
  #resolveDrained: (() => void) | undefined;

  /** @internal */
  constructor(session: Session, request: Request) {
    this.#session = session;
    this.#request = request;
  }

  /** True once the head cannot be changed any more. */
  get headersSent(): boolean {
    return this.#state !== State.fresh;
  }

  get ended(): boolean {
    return this.#state === State.ended;
  }

  /**
   * Sets the status, 200 to 599.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE
   * @throws RingpollError ERR_RINGPOLL_HTTP_HEADERS_SENT
   */
  status(code: number): this {
    this.#checkFresh();
    if (!Number.isInteger(code)) throw invalidArgType('code', 'an integer', code);
    if (code < 200 || code > 599) throw outOfRange('code', 'from 200 to 599', code);
    this.#status = code;
    return this;
  }

  /**
   * Adds a header; the same name twice sends it twice, but for Content-Type and Content-Length.
   * @throws TypeError for a name or value that HTTP does not allow (CR, LF, NUL, ...)
   */
  header(name: string, value: string | number): this {
    this.#checkFresh();
    validateHeaderName(name);
    const text = String(value);
    validateHeaderValue(name, text);
    if (NOT_ASCII.test(text)) this.#latin1 = true;
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'date') this.#ownDate = true;
        break;
      case 6:
        if (name.toLowerCase() === 'server') this.#ownServer = true;
        break;
      case 10:
        if (name.toLowerCase() !== 'connection') break;
        if (text.toLowerCase().includes('close')) this.#close = true;
        return this;
      case 12:
        if (name.toLowerCase() !== 'content-type') break;
        this.#contentType = text;
        return this;
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        this.#declareLength(text);
        return this;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') {
          throw invalidArgType('name', 'anything but Transfer-Encoding, which is ours', name);
        }
        break;
    }
    this.#headers += `${name}: ${text}\r\n`;
    return this;
  }

  #declareLength(text: string): void {
    if (!/^\d{1,15}$/.test(text)) throw outOfRange('Content-Length', 'a decimal number', text);
    this.#declaredLength = Number(text);
  }

  /** A trailer field: sent behind a chunked body, so before end() and after the first write(). */
  trailer(name: string, value: string): this {
    this.#checkNotEnded();
    validateHeaderName(name);
    validateHeaderValue(name, value);
    this.#trailers += `${name}: ${value}\r\n`;
    return this;
  }

  /** Sends an informational response, e.g. 103 Early Hints, at once. */
  informational(status: number, headers: Record<string, string> = {}): this {
    this.#checkFresh();
    if (status < 100 || status > 199 || status === 101) {
      throw outOfRange('status', 'from 100 to 199, but not 101', status);
    }
    let text = statusLine(status);
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      text += `${name}: ${value}\r\n`;
    }
    if (this.#request.flags & HeadFlag.version11) this.#emit(`${text}\r\n`);
    return this;
  }

  /** Sends a value as JSON. @throws TypeError when it cannot be serialised */
  json(value: unknown): void {
    this.#checkFresh();
    this.#contentType ??= 'application/json';
    this.end(JSON.stringify(value) ?? 'null');
  }

  /**
   * Ends the response, with a last or only piece of body. Bytes of more than 32 KB are not copied
   * when the kernel takes them at once.
   * @throws RingpollError ERR_RINGPOLL_HTTP_ENDED, ERR_RINGPOLL_HTTP_CONTENT_LENGTH
   */
  end(body?: Body): void {
    this.#checkNotEnded();
    if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
      throw invalidArgType('body', 'a string or a Uint8Array', body);
    }
    if (this.#state === State.streaming) {
      this.#endStream(body);
      return;
    }
    if (typeof body === 'string') this.#endText(body);
    else this.#endBytes(body);
    this.#finish();
  }

  #endText(body: string): void {
    const length = utf8Length(body);
    const head = this.#head(length);
    if (this.#latin1) {
      this.#emitHead(head);
      if (this.#sendsBody() && length > 0) this.#emit(body);
      return;
    }
    const text = this.#sendsBody() ? `${head}${body}` : head;
    if (this._first) this.#session.text(text, length === body.length);
    else this.#emit(text);
  }

  #endBytes(body: Uint8Array | undefined): void {
    this.#emitHead(this.#head(body?.length ?? 0));
    if (body !== undefined && body.length > 0 && this.#sendsBody()) this.#emit(body);
  }

  /**
   * Sends the head with the first call, and a piece of body of unknown total length: chunked, or
   * as it is when Content-Length was set or the peer speaks HTTP/1.0.
   * @returns false when more than highWaterMark bytes wait: await drained()
   */
  write(data: Body): boolean {
    this.#checkNotEnded();
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      throw invalidArgType('data', 'a string or a Uint8Array', data);
    }
    if (this.#state === State.fresh) this.flushHead();
    const length = typeof data === 'string' ? utf8Length(data) : data.length;
    if (length > 0) this.#piece(data, length);
    return this._first && this.#session.belowMark();
  }

  /** Sends the head now. */
  flushHead(): void {
    this.#checkFresh();
    this.#emitHead(this.#head(-1));
    this.#state = State.streaming;
  }

  /** Resolves when write() may go on; rejects when the peer has gone. */
  drained(): Promise<void> {
    if (this._first) return this.#session.connection.drained();
    return new Promise<void>((resolve) => {
      this.#resolveDrained = resolve;
    }).then(() => this.#session.connection.drained());
  }

  #piece(data: Body, length: number): void {
    this.#sentLength += length;
    if (this.#framing === Framing.length && this.#sentLength > this.#declaredLength) {
      throw lengthError(this.#declaredLength, this.#sentLength);
    }
    if (!this.#sendsBody()) return;
    if (this.#framing !== Framing.chunked) {
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
    if (body !== undefined && body.length > 0) {
      this.#piece(body, typeof body === 'string' ? utf8Length(body) : body.length);
    }
    const short = this.#framing === Framing.length && this.#sentLength !== this.#declaredLength;
    if (short && this.#sendsBody()) {
      this.#session.connection.reset(); // the peer must not take it for complete
      this.#state = State.ended;
      throw lengthError(this.#declaredLength, this.#sentLength);
    }
    if (this.#framing === Framing.chunked && this.#sendsBody()) {
      this.#emit(`0\r\n${this.#trailers}\r\n`);
    }
    this.#finish();
  }

  /** Sends what came from a file by another way; the caller has called beginExact(). */
  async sendWith(send: (connection: Connection) => Promise<void>): Promise<void> {
    while (!this._first) await this.#turnComes();
    this.#session.flush();
    try {
      await send(this.#session.connection);
    } finally {
      if (this.#state !== State.ended) this.#finish();
    }
  }

  /** Sends the head of a body of exactly `length` bytes. */
  beginExact(length: number): void {
    this.#declaredLength = length;
    this.flushHead();
  }

  #turnComes(): Promise<void> {
    return new Promise((resolve) => {
      this.#resolveDrained = resolve;
    });
  }

  /**
   * Takes the connection over: answers 101 (or 200 to CONNECT) and returns the raw connection, whose
   * handlers are `handlers`. Bytes that came behind the request are its first data.
   */
  upgrade(headers: Record<string, string>, handlers: UpgradeHandlers): Connection {
    this.#checkFresh();
    for (const [name, value] of Object.entries(headers)) {
      validateHeaderName(name);
      validateHeaderValue(name, value);
      this.#headers += `${name}: ${value}\r\n`;
    }
    const status = this.#request.method === 'CONNECT' ? 200 : 101;
    this.#emit(`${statusLine(status)}${this.#headers}\r\n`);
    this.#state = State.ended;
    return this.#session.handOver(this, handlers);
  }

  #sendsBody(): boolean {
    return this.#framing !== Framing.none && this.#request.method !== HEAD;
  }

  /** The head, up to and including the empty line. `length` is -1 when it is not known. */
  #head(length: number): string {
    const session = this.#session;
    const status = this.#status;
    const keepAlive = session.keepsAlive(this.#request) && !this.#close;
    const version11 = (this.#request.flags & HeadFlag.version11) !== 0;
    let framing = '';
    let close = !keepAlive;
    if (status === 204 || status === 304) {
      this.#framing = Framing.none;
    } else if (length >= 0 || this.#declaredLength >= 0) {
      framing = `Content-Length: ${this.#exactLength(length)}\r\n`;
    } else if (version11) {
      this.#framing = Framing.chunked;
      framing = 'Transfer-Encoding: chunked\r\n';
    } else {
      this.#framing = Framing.close;
      close = true;
    }
    const type = this.#contentType === undefined ? '' : `Content-Type: ${this.#contentType}\r\n`;
    let connection = '';
    if (close) {
      this.#close = true;
      connection = 'Connection: close\r\n';
    } else if (!version11) {
      connection = 'Connection: keep-alive\r\n';
    }
    const common =
      this.#ownDate || this.#ownServer
        ? session.commonWithout(this.#ownServer, this.#ownDate)
        : session.common();
    const tail = `${type}${framing}${this.#headers}${connection}\r\n`;
    return `${statusLine(status)}${common}${tail}`;
  }

  #exactLength(length: number): number {
    if (this.#declaredLength < 0) return length;
    const known = length >= 0 && this.#request.method !== HEAD;
    if (known && length !== this.#declaredLength) throw lengthError(this.#declaredLength, length);
    return this.#declaredLength;
  }

  #emitHead(head: string): void {
    this.#emit(this.#latin1 ? Buffer.from(head, 'latin1') : head);
  }

  #emit(data: Body): void {
    if (this._first) this.#session.send(data);
    else {
      this.#waiting ??= [];
      this.#waiting.push(data);
    }
  }

  #finish(): void {
    this.#state = State.ended;
    this.#session.responseEnded(this, this.#request, this.#close);
  }

  /** @internal The responses before this one are out. */
  _becomeFirst(): void {
    this._first = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) for (const data of waiting) this.#session.send(data);
    this.#resolveDrained?.();
  }

  /** @internal A handler failed: nothing that it has set counts. */
  _reset(): void {
    this.#headers = '';
    this.#contentType = undefined;
    this.#declaredLength = -1;
    this.#latin1 = this.#ownDate = this.#ownServer = false;
  }

  /** @internal The framing of what comes next is not certain. */
  _closeAfter(): void {
    this.#close = true;
  }

  /** @internal */
  get _closes(): boolean {
    return this.#close;
  }
  /** @internal */
  get _request(): Request {
    return this.#request;
  }

  #checkFresh(): void {
    if (this.#state === State.fresh) return;
    this.#checkNotEnded();
    throw new RingpollError('ERR_RINGPOLL_HTTP_HEADERS_SENT', 'The head has been sent already');
  }

  #checkNotEnded(): void {
    if (this.#state !== State.ended) return;
    throw new RingpollError('ERR_RINGPOLL_HTTP_ENDED', 'The response has ended already');
  }
}

/** Handlers of a connection that was taken over. */
export interface UpgradeHandlers {
  data?(connection: Connection, bytes: Buffer): void;
  drain?(connection: Connection): void;
  end?(connection: Connection): void;
  close?(connection: Connection, error?: Error): void;
}

function lengthError(declared: number, actual: number): RingpollError {
  return new RingpollError(
    'ERR_RINGPOLL_HTTP_CONTENT_LENGTH',
    `Content-Length says ${declared} bytes, but the body has ${actual}`,
  );
}
