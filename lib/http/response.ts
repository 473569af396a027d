// A response, as a handler writes it.
import { invalidArgType, outOfRange, RingpollError } from '../errors.js';
import { extraArgument } from '../extra_arguments.js';
import { HeadFlag, Respond } from '../runtime/protocol.js';
import type { Connection } from '../tcp/connection.js';
import type { Handlers } from '../tcp/connection_handlers.js';
import { checkHandlers, checkObject } from '../tcp/options.js';
import { aborted } from './errors.js';
import { flagsOf } from './head.js';
import { checkFieldValue, FieldKind, fieldKind, fieldLine, fieldText } from './header_fields.js';
import type { HttpRequest } from './request.js';
import {
  type Body,
  bytesOf,
  COMMAND_LENGTH_MAX,
  checkBody,
  checkFieldsLength,
  checkInteger,
  Flag,
  informationalText,
  later,
  lengthError,
  NOT_DECLARED,
  newRare,
  type Rare,
  TYPE_LENGTH_MAX,
  takeWaiting,
  variantOf,
} from './response_parts.js';
import { checkSendFile, type SendFileOptions, sendFile } from './send_file.js';
import type { Session } from './session.js';
import { upgradeHead } from './upgrade_head.js';

/**
 * A response. Responses of one connection leave in the order of its requests, whatever the order in
 * which handlers finish. Date and Server are added; so is Content-Length where the length is known.
 */
export class HttpResponse {
  /** @internal */
  declare readonly _session: Session;
  /** @internal */
  declare readonly _request: HttpRequest;
  /** @internal */
  declare _flags: number;
  /** @internal */
  declare _status: number;
  /** @internal */
  declare _type: string;
  /** @internal */
  declare _fields: string;
  /** @internal */
  declare _rare: Rare | undefined;

  /** @internal */
  constructor(session: Session, request: HttpRequest, first: boolean) {
    this._session = session;
    this._request = request;
    this._flags = first ? Flag.first : 0;
    this._status = 200;
    this._type = '';
    this._fields = '';
    this._rare = undefined;
  }

  /** True once the head cannot be changed any more. */
  get headersSent(): boolean {
    return (this._flags & (Flag.streaming | Flag.ended)) !== 0;
  }

  get ended(): boolean {
    return (this._flags & Flag.ended) !== 0;
  }

  /**
   * Sets the status, 200 to 599.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE
   * @throws RingpollError ERR_RINGPOLL_HTTP_HEADERS_SENT, ERR_RINGPOLL_HTTP_ENDED
   */
  status(code: number): this {
    this.#checkFresh();
    checkInteger('code', code, 200, 599);
    this._status = code;
    return this;
  }

  /**
   * Adds a header; the same name twice sends it twice, but for Content-Type and Content-Length. Of
   * Connection only `close` counts. All together at most 32 KB.
   * @throws TypeError for a name or value that HTTP does not allow (CR, LF, NUL, ...), or that is
   *   neither text nor a number
   */
  header(name: string, value: string | number): this {
    this.#checkFresh();
    const kind = fieldKind(name);
    const text = fieldText(value);
    checkFieldValue(name, text);
    if (kind === FieldKind.contentType) {
      checkFieldsLength(text, this._fields, name, '');
      this._type = text; // whatever its length: the last one is sent, and only once
    } else if (kind === FieldKind.other) this.#addField(name, text);
    else this.#knownField(kind, name, text);
    return this;
  }

  #addField(name: string, value: string): void {
    checkFieldsLength(this._type, this._fields, name, value);
    this._fields += `${name}: ${value}\r\n`;
  }

  #knownField(kind: FieldKind, name: string, value: string): void {
    switch (kind) {
      case FieldKind.contentLength:
        if (!/^\d{1,15}$/.test(value))
          throw outOfRange('Content-Length', 'a decimal number', value);
        this.#rarely().declaredLength = Number(value);
        return;
      case FieldKind.connection:
        // The server decides, and a handler may only ask for the end.
        if (value.toLowerCase().includes('close')) this._flags |= Flag.close;
        return;
      case FieldKind.transferEncoding:
        throw invalidArgType('name', 'anything but Transfer-Encoding, which is ours', name);
      case FieldKind.date:
        this._flags |= Flag.ownDate;
        break;
      case FieldKind.server:
        this._flags |= Flag.ownServer;
        break;
    }
    this.#addField(name, value);
  }

  /**
   * A trailer field, sent behind a chunked body; none to HTTP/1.0.
   * @throws TypeError for a name or value that HTTP does not allow, or that frames a body
   */
  trailer(name: string, value: string): this {
    this.#checkNotEnded();
    this.#rarely().trailers += fieldLine(name, value);
    return this;
  }

  /**
   * Sends an informational response, e.g. 103 Early Hints, at once; none to HTTP/1.0.
   * @throws TypeError, RangeError as status() and trailer()
   */
  informational(status: number, headers: Record<string, string> = {}): this {
    this.#checkFresh();
    const text = informationalText(status, headers);
    if (!(flagsOf(this._request) & HeadFlag.version11)) return this;
    if (this._flags & Flag.first) this._session.send(Buffer.from(text, 'latin1'));
    else this.#rarely().informational += text;
    return this;
  }

  /** Sends a value as JSON. @throws TypeError when it cannot be serialised */
  json(value: unknown): void {
    this.#checkFresh();
    const text = JSON.stringify(value) ?? 'null';
    if (this._type === '') this._type = 'application/json';
    this.end(text);
  }

  /**
   * Ends the response, with a last or only piece of body. Over 32 KB nothing is copied that the
   * kernel takes at once. Over 256 KB an only piece stays where it is until drained() resolves.
   * @throws RingpollError ERR_RINGPOLL_HTTP_ENDED, ERR_RINGPOLL_HTTP_CONTENT_LENGTH
   */
  end(body?: Body, encoding?: undefined, callback?: undefined): void {
    if ((encoding ?? callback) !== undefined) throw extraArgument('end', encoding ?? callback);
    this.#checkNotEnded();
    if (typeof body !== 'string' && body !== undefined) checkBody('body', body);
    if (this._rare !== undefined && this.#endsOtherwise(this._rare, body)) return;
    this._flags |= Flag.ended;
    if (this._flags & Flag.first) {
      this.#sendWhole(body);
      this._session.responseEnded(this);
    } else {
      if (body !== undefined) later(this.#rarely(), this._session, body);
      this._session.forgetBody(this);
    }
  }

  /** Something was declared or written before; true: and all is done. */
  #endsOtherwise(rare: Rare, body: Body | undefined): boolean {
    if (rare.trailers !== '' && !(this._flags & Flag.streaming) && this.#bodyAllowed()) {
      this.#begin();
    }
    if (this._flags & Flag.streaming) {
      if (body !== undefined && body.length > 0) this.#piece(body);
      this.#endStream();
      return true;
    }
    if (rare.declaredLength < 0 || !this.#bodyAllowed()) return false;
    const length = bytesOf(body);
    if (rare.declaredLength !== length) throw lengthError(rare.declaredLength, length);
    return false;
  }

  /**
   * Sends the head with the first call, and a piece of body of unknown total length: chunked, or
   * as it is when Content-Length was set or the peer speaks HTTP/1.0.
   * @returns false when more than highWaterMark bytes wait: await drained()
   * @throws RingpollError ERR_RINGPOLL_HTTP_ENDED, ERR_RINGPOLL_HTTP_CONTENT_LENGTH
   */
  write(data: Body, encoding?: undefined, callback?: undefined): boolean {
    if ((encoding ?? callback) !== undefined) throw extraArgument('write', encoding ?? callback);
    this.#checkNotEnded();
    if (typeof data !== 'string') checkBody('data', data);
    if (!(this._flags & Flag.streaming)) this.#begin();
    if (data.length > 0) this.#piece(data);
    return (this._flags & Flag.first) !== 0 && this._session.belowMark();
  }

  /** Sends the head now. */
  flushHead(): void {
    this.#checkFresh();
    this.#begin();
  }

  /** Resolves when write() may go on. @returns rejects with ERR_RINGPOLL_HTTP_ABORTED */
  async drained(): Promise<void> {
    await this._turnComes();
    await this._session.drained();
  }

  /**
   * Sends a file: a part of it when Range asks for one, nothing when the peer has it already.
   * Answers 200, 206, 304, 412 or 416. Resolves when the kernel has taken everything. The file is
   * opened when the responses before this one are out: a connection has two files open at most, the
   * second while the first one is being closed.
   * @throws HttpRequestError with status 404 or 403; a handler that lets it pass answers so
   * @throws RingpollError ERR_RINGPOLL_HTTP_ABORTED when the peer has gone before the file's turn
   */
  async sendFile(path: string, options: SendFileOptions = {}): Promise<void> {
    this.#checkFresh();
    const checked = checkSendFile(path, options);
    await this._turnComes();
    this.#checkFresh();
    await sendFile(this._request, this, path, checked);
  }

  /**
   * Sends `length` bytes of body that `send` writes to the connection itself, and ends.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE
   */
  async sendWith(length: number, send: (connection: Connection) => Promise<void>): Promise<void> {
    this.#checkFresh();
    checkInteger('length', length, 0, Number.MAX_SAFE_INTEGER);
    if (typeof send !== 'function') throw invalidArgType('send', 'a function', send);
    this.#rarely().declaredLength = length;
    this.#begin();
    await this._turnComes();
    this.#checkNotEnded(); // an error may have been answered instead
    if (this.#bodyAllowed() && length > 0) {
      try {
        await send(this._session.connection);
      } catch (error) {
        this._session.breakOff(this);
        throw error;
      }
    }
    this.#rarely().sentLength = length;
    this.#endStream();
  }

  /**
   * Takes the connection over: answers 101 (or 200 to CONNECT) and returns the raw connection. Its
   * handlers are `handlers`, as with listen(); bytes behind the request are its first data.
   * @throws RingpollError ERR_RINGPOLL_HTTP_UPGRADE when nobody asked, the request has a body, or
   *   earlier requests are not answered yet
   */
  upgrade<Data = unknown>(
    headers: Record<string, string>,
    handlers: Handlers<Data>,
  ): Connection<Data> {
    this.#checkFresh();
    checkObject('headers', headers);
    checkHandlers(handlers);
    const text = upgradeHead(this._request, this._fields, headers);
    const connection = this._session.handOver(this, handlers);
    this._flags |= Flag.ended;
    connection.write(Buffer.from(text, 'latin1'));
    return connection;
  }

  /** False: 204, 304, or the answer to HEAD. */
  #bodyAllowed(): boolean {
    return this._status !== 204 && this._status !== 304 && !this._request._isHead;
  }

  #sendWhole(body: Body | undefined): void {
    const { _session: session, _status: status } = this;
    const closing = session.mustCloseAfter(this._request);
    const head = this.#headWord(closing) | Respond.last;
    if (this.#bodyAllowed()) {
      session.respond(head, this._fields, body ?? '');
    } else if (status === 204 || status === 304) {
      session.respondHead(head | Respond.noLength, this._fields, 0);
    } else {
      // To HEAD; what a body would have had is known only to who gives one, or says it.
      const declared = this._rare?.declaredLength ?? NOT_DECLARED;
      const known = declared >= 0 || body !== undefined;
      const framing = known ? 0 : Respond.noLength;
      session.respondHead(head | framing, this._fields, declared >= 0 ? declared : bytesOf(body));
    }
  }

  /** The head's word for native code; decides whether the connection stays. */
  #headWord(closing: boolean): number {
    const requested = flagsOf(this._request);
    const given = closing || (this._flags & (Flag.close | Flag.untilClose)) !== 0;
    if (given || !this._session.keepsAlive(requested, this)) this._flags |= Flag.close;
    const variant = variantOf(this._flags, requested);
    const { templates } = this._session;
    const isShort = this._type.length <= TYPE_LENGTH_MAX;
    let number = isShort ? templates.find(this._status, variant, this._type) : -1;
    if (number < 0) {
      this._fields = `Content-Type: ${this._type}\r\n${this._fields}`;
      number = templates.find(this._status, variant, '');
    }
    return number << Respond.templateShift;
  }

  /** From here on it is a stream, and end() finds that out by what only such responses have. */
  #begin(): void {
    this.#rarely();
    this._flags |= Flag.streaming;
    if (this._flags & Flag.first) this.#sendHead();
  }

  #sendHead(): void {
    this._flags |= Flag.headOut;
    const declared = this._rare?.declaredLength ?? NOT_DECLARED;
    let noLength = 0;
    if (this._status === 204 || this._status === 304) {
      noLength = Respond.noLength;
    } else if (declared > COMMAND_LENGTH_MAX) {
      noLength = Respond.noLength;
      this._fields += `Content-Length: ${declared}\r\n`;
    } else if (declared < 0) {
      noLength = Respond.noLength;
      this.#frameUnknownLength();
    }
    const head = this.#headWord(false) | noLength;
    this._session.respondHead(head, this._fields, Math.max(0, declared));
  }

  /** RFC 9112 section 6. */
  #frameUnknownLength(): void {
    if (flagsOf(this._request) & HeadFlag.version11) {
      if (!this._request._isHead) this._flags |= Flag.chunked;
      this._fields += 'Transfer-Encoding: chunked\r\n';
    } else {
      this._flags |= Flag.untilClose;
    }
  }

  #piece(data: Body): void {
    const rare = this.#rarely();
    const length = bytesOf(data);
    if (rare.declaredLength >= 0 && rare.sentLength + length > rare.declaredLength) {
      throw lengthError(rare.declaredLength, rare.sentLength + length);
    }
    rare.sentLength += length;
    if (!this.#bodyAllowed()) return;
    if (this._flags & Flag.first) this.#sendPiece(data, length);
    else if (!(this._flags & Flag.dropped)) later(rare, this._session, data);
  }

  #sendPiece(data: Body, length: number): void {
    const session = this._session;
    if (!(this._flags & Flag.chunked)) {
      session.send(data);
    } else if (typeof data === 'string') {
      session.send(`${length.toString(16)}\r\n${data}\r\n`);
    } else {
      session.send(`${length.toString(16)}\r\n`);
      session.send(data);
      session.send('\r\n');
    }
  }

  #endStream(): void {
    const rare = this.#rarely();
    if (rare.declaredLength >= 0 && rare.sentLength !== rare.declaredLength) {
      if (this.#bodyAllowed()) {
        this._session.breakOff(this);
        throw lengthError(rare.declaredLength, rare.sentLength);
      }
    }
    this._flags |= Flag.ended;
    if (this._flags & Flag.first) {
      this.#sendEnd();
      this._session.responseEnded(this);
    } else {
      this._session.forgetBody(this);
    }
  }

  #sendEnd(): void {
    const trailers = this._rare?.trailers ?? '';
    if (this._flags & Flag.chunked) {
      this._session.send(Buffer.from(`0\r\n${trailers}\r\n`, 'latin1'));
    }
    this._session.done();
  }

  /** @internal Resolves when those before this one are out; rejects when that cannot be. */
  _turnComes(): Promise<void> {
    if (this._flags & Flag.dropped || this._session.lost()) return Promise.reject(aborted());
    if (this._flags & Flag.first) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#rarely().turnComes.push({ resolve, reject });
    });
  }

  #rarely(): Rare {
    this._rare ??= newRare();
    return this._rare;
  }

  /** @internal The responses before this one are out. */
  _becomeFirst(): void {
    this._flags |= Flag.first;
    const rare = this._rare;
    const ended = (this._flags & Flag.ended) !== 0;
    if (rare !== undefined && rare.informational !== '') {
      this._session.send(Buffer.from(rare.informational, 'latin1'));
    }
    if (this._flags & Flag.streaming) {
      this.#sendHead();
      for (const piece of takeWaiting(rare, this._session)) this.#sendPiece(piece, bytesOf(piece));
      if (ended) this.#sendEnd();
    } else if (ended) {
      this.#sendWhole(takeWaiting(rare, this._session).pop());
    }
    for (const { resolve } of rare?.turnComes.splice(0) ?? []) resolve();
  }

  /** @internal Hears of the end of the connection, should it come first; undefined: nobody does. */
  _whenDropped(hear: ((error: Error) => void) | undefined): void {
    this.#rarely().dropped = hear;
    if (this._flags & Flag.dropped || this._session.lost()) hear?.(aborted());
  }

  /** @internal The connection is over. */
  _dropped(error: Error): void {
    this._flags |= Flag.dropped;
    this._request._body?.fail(error);
    if (!this.ended) this._request._aborts(error);
    for (const { reject } of this._rare?.turnComes.splice(0) ?? []) reject(error);
    this._rare?.dropped?.(error);
  }

  /** @internal Answers an error instead of whatever was set; false: the head is out already. */
  _replace(status: number, message: string, close: boolean): boolean {
    if (this._flags & Flag.headOut || this.ended) return false;
    this._fields = '';
    this._type = 'text/plain';
    this._flags &= Flag.first;
    if (close) this._flags |= Flag.close;
    this._status = status;
    if (this._rare !== undefined) {
      takeWaiting(this._rare, this._session);
      Object.assign(this._rare, { declaredLength: NOT_DECLARED, trailers: '' });
    }
    this.end(`${message}\n`);
    return true;
  }

  /** @internal The connection cannot carry another response. */
  _closeAfter(): void {
    this._flags |= Flag.close;
  }

  /** @internal */
  get _first(): boolean {
    return (this._flags & Flag.first) !== 0;
  }
  /** @internal */
  get _closes(): boolean {
    return (this._flags & Flag.close) !== 0;
  }
  /** @internal The end of the connection is the end of its body. */
  get _untilClose(): boolean {
    return (this._flags & Flag.untilClose) !== 0;
  }

  #checkFresh(): void {
    if (!(this._flags & (Flag.streaming | Flag.ended))) return;
    this.#checkNotEnded();
    throw new RingpollError('ERR_RINGPOLL_HTTP_HEADERS_SENT', 'The head has been sent already');
  }

  #checkNotEnded(): void {
    if (!(this._flags & Flag.ended)) return;
    throw new RingpollError('ERR_RINGPOLL_HTTP_ENDED', 'The response has ended already');
  }
}
