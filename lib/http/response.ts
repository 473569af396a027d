// A response, as a handler writes it.
import { invalidArgType, RingpollError } from '../errors.js';
import { extraArgument } from '../extra_arguments.js';
import type { FileHandle } from '../fs/index.js';
import { HeadFlag } from '../runtime/protocol.js';
import type { Connection } from '../tcp/connection.js';
import type { Handlers } from '../tcp/connection_handlers.js';
import { checkHandlers, checkObject } from '../tcp/options.js';
import { aborted } from './errors.js';
import { flagsOf } from './head.js';
import { fieldLine } from './header_fields.js';
import type { HttpRequest } from './request.js';
import {
  bytesOf,
  checkBody,
  checkInteger,
  informationalText,
  lengthError,
  sharedError,
} from './response_checks.js';
import { putField } from './response_fields.js';
import { bodyAllowed, sendEnd, sendHead, sendPiece, sendWhole } from './response_framing.js';
import type { Body, ResponseOutlet } from './response_outlet.js';
import {
  extrasOf,
  NOT_DECLARED,
  type ResponseExtras,
  ResponseFlag,
  sendLater,
  takeWaiting,
  tellDone,
} from './response_state.js';
import { checkSendFile, type SendFileOptions, sendFile } from './send_file.js';
import { upgradeHead } from './upgrade_head.js';

/**
 * A response. Responses of one connection leave in the order of its requests, whatever the order in
 * which handlers finish. Date and Server are added; so is Content-Length where the length is known.
 */
export class HttpResponse {
  /** @internal */
  declare readonly _outlet: ResponseOutlet<HttpResponse>;
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
  declare _names: number;
  /** @internal */
  declare _extras: ResponseExtras | undefined;
  /** @internal */
  declare _since: number | undefined;

  /** @internal */
  constructor(outlet: ResponseOutlet<HttpResponse>, request: HttpRequest, first: boolean) {
    this._outlet = outlet;
    this._request = request;
    this._flags = first ? ResponseFlag.first : 0;
    this._status = 200;
    this._type = '';
    this._fields = '';
    this._names = 0;
    this._extras = undefined;
    this._since = undefined;
  }

  /** True once the head cannot be changed any more. */
  get headersSent(): boolean {
    return (this._flags & (ResponseFlag.streaming | ResponseFlag.ended)) !== 0;
  }

  get ended(): boolean {
    return (this._flags & ResponseFlag.ended) !== 0;
  }

  /**
   * Sets the status, 200 to 599.
   * @throws RangeError ERR_RINGPOLL_OUT_OF_RANGE
   * @throws RingpollError ERR_RINGPOLL_HTTP_HEADERS_SENT, ERR_RINGPOLL_HTTP_ENDED
   */
  status(code: number): this {
    if (!this.#takesHead()) return this;
    checkInteger('code', code, 200, 599);
    this._status = code;
    return this;
  }

  /**
   * Sets a header, in the place of those that were set under the same name, in whatever case. Of
   * Connection only `close` counts. All together at most 32 KB.
   * @throws TypeError for a name or value that HTTP does not allow (CR, LF, NUL, ...), or that is
   *   neither text nor a number
   */
  header(name: string, value: string | number): this {
    if (!this.#takesHead()) return this;
    putField(this, name, value, true);
    return this;
  }

  /**
   * Adds a header behind those of the same name, as Set-Cookie, Vary and Link need it. Of
   * Content-Type and Content-Length there is only one: the last.
   * @throws as header()
   */
  appendHeader(name: string, value: string | number): this {
    if (!this.#takesHead()) return this;
    putField(this, name, value, false);
    return this;
  }

  /**
   * A trailer field, sent behind a chunked body; none to HTTP/1.0.
   * @throws TypeError for a name or value that HTTP does not allow, or that frames a body
   */
  trailer(name: string, value: string): this {
    if (!this.#takesBody()) return this;
    extrasOf(this).trailers += fieldLine(name, value);
    return this;
  }

  /**
   * Sends an informational response, e.g. 103 Early Hints, at once; none to HTTP/1.0.
   * @throws TypeError, RangeError as status() and trailer()
   */
  informational(status: number, headers: Record<string, string> = {}): this {
    if (!this.#takesHead()) return this;
    const text = informationalText(status, headers);
    if (!(flagsOf(this._request) & HeadFlag.version11)) return this;
    if (this._flags & ResponseFlag.first) this._outlet.informational(text);
    else extrasOf(this).informational += text;
    return this;
  }

  /** Sends a value as JSON. @throws TypeError when it cannot be serialised */
  json(value: unknown): void {
    if (!this.#takesHead()) return;
    const text = JSON.stringify(value) ?? 'null';
    if (this._type === '') this._type = 'application/json';
    this.end(text);
  }

  /**
   * Ends the response, with a last or only piece of body. Over 32 KB nothing is copied that the
   * kernel takes at once. Over 256 KB and highWaterMark it must not be changed before drained()
   * resolves: it stays where it is, but for 256 KB at a time.
   * @throws RingpollError ERR_RINGPOLL_HTTP_ENDED, ERR_RINGPOLL_HTTP_CONTENT_LENGTH
   */
  end(body?: Body, encoding?: undefined, callback?: undefined): void {
    if ((encoding ?? callback) !== undefined) throw extraArgument('end', encoding ?? callback);
    if (!this.#takesBody()) return;
    if (typeof body !== 'string' && body !== undefined) checkBody('body', body);
    if (this._extras !== undefined && this.#endsOtherwise(this._extras, body)) return;
    this._flags |= ResponseFlag.ended;
    if (this._extras !== undefined) tellDone(this);
    if (this._flags & ResponseFlag.first) {
      sendWhole(this, body);
      this._outlet.responseEnded(this);
    } else {
      if (body !== undefined) sendLater(this, body);
      this._outlet.forgetBody(this);
    }
  }

  /** Something was declared or written before; true: and all is done. */
  #endsOtherwise(extras: ResponseExtras, body: Body | undefined): boolean {
    if (extras.trailers !== '' && !(this._flags & ResponseFlag.streaming) && bodyAllowed(this)) {
      this.#begin();
    }
    if (this._flags & ResponseFlag.streaming) {
      if (body !== undefined && body.length > 0) this.#piece(body);
      this.#endStream();
      return true;
    }
    if (extras.declaredLength < 0 || !bodyAllowed(this)) return false;
    const length = bytesOf(body);
    if (extras.declaredLength !== length) throw lengthError(extras.declaredLength, length);
    return false;
  }

  /**
   * Sends the head with the first call, and a piece of body of unknown total length: chunked, or
   * as it is when Content-Length was set or the peer speaks HTTP/1.0.
   * @returns false when more than highWaterMark bytes wait: await drained(), as with end()
   * @throws RingpollError ERR_RINGPOLL_HTTP_ENDED, ERR_RINGPOLL_HTTP_CONTENT_LENGTH
   */
  write(data: Body, encoding?: undefined, callback?: undefined): boolean {
    if ((encoding ?? callback) !== undefined) throw extraArgument('write', encoding ?? callback);
    if (!this.#takesBody()) return false;
    if (typeof data !== 'string') checkBody('data', data);
    if (!(this._flags & ResponseFlag.streaming)) this.#begin();
    if (data.length > 0) this.#piece(data);
    return (this._flags & ResponseFlag.first) !== 0 && this._outlet.belowMark();
  }

  /** Sends the head now. */
  flushHead(): void {
    if (!this.#takesHead()) return;
    this.#begin();
  }

  /** Resolves when write() may go on. @returns rejects with ERR_RINGPOLL_HTTP_ABORTED */
  async drained(): Promise<void> {
    await this._turnComes();
    await this._outlet.drained();
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
   * Sends `length` bytes of body that `send` writes to the connection itself, and ends. Not over
   * HTTP/2, where a connection carries several responses at once.
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _OUT_OF_RANGE
   * @throws RingpollError ERR_RINGPOLL_HTTP_SHARED_CONNECTION over HTTP/2
   */
  async sendWith(length: number, send: (connection: Connection) => Promise<void>): Promise<void> {
    this.#checkFresh();
    checkInteger('length', length, 0, Number.MAX_SAFE_INTEGER);
    if (typeof send !== 'function') throw invalidArgType('send', 'a function', send);
    const { connection } = this._outlet;
    if (connection === undefined) throw sharedError();
    await this.#sendBody(length, () => send(connection));
  }

  /** @internal Sends a part of a file, and ends. */
  async _sendRange(file: FileHandle, start: number, length: number): Promise<void> {
    await this.#sendBody(length, () => this._outlet.sendRange(file, start, length));
  }

  async #sendBody(length: number, send: () => Promise<void>): Promise<void> {
    extrasOf(this).declaredLength = length;
    this.#begin();
    await this._turnComes();
    this.#checkNotEnded(); // an error may have been answered instead
    if (bodyAllowed(this) && length > 0) {
      try {
        await send();
      } catch (error) {
        this._outlet.breakOff(this);
        throw error;
      }
    }
    extrasOf(this).sentLength = length;
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
    const connection = this._outlet.handOver(this, handlers);
    this._flags |= ResponseFlag.ended;
    this.#countSwitch();
    tellDone(this);
    connection.write(Buffer.from(text, 'latin1'));
    return connection;
  }

  /** @internal As upgrade(), to a protocol of native code: no handler gets its bytes. */
  _switch(headers: Record<string, string | readonly string[]>): Connection {
    this.#checkFresh();
    const text = upgradeHead(this._request, this._fields, headers);
    const connection = this._outlet.leave(this);
    this._flags |= ResponseFlag.ended;
    this.#countSwitch();
    tellDone(this);
    connection.write(Buffer.from(text, 'latin1'));
    return connection;
  }

  #countSwitch(): void {
    this._status = this._request.method === 'CONNECT' ? 200 : 101;
    this._outlet.meter?.answered(this);
  }

  /** From here on it is a stream, and end() finds that out by what only such responses have. */
  #begin(): void {
    extrasOf(this);
    this._flags |= ResponseFlag.streaming;
    if (this._flags & ResponseFlag.first) sendHead(this);
  }

  #piece(data: Body): void {
    const extras = extrasOf(this);
    const length = bytesOf(data);
    if (extras.declaredLength >= 0 && extras.sentLength + length > extras.declaredLength) {
      throw lengthError(extras.declaredLength, extras.sentLength + length);
    }
    extras.sentLength += length;
    if (!bodyAllowed(this)) return;
    if (this._flags & ResponseFlag.first) sendPiece(this, data, length);
    else if (!(this._flags & ResponseFlag.dropped)) sendLater(this, data);
  }

  #endStream(): void {
    const extras = extrasOf(this);
    if (extras.declaredLength >= 0 && extras.sentLength !== extras.declaredLength) {
      if (bodyAllowed(this)) {
        this._outlet.breakOff(this);
        throw lengthError(extras.declaredLength, extras.sentLength);
      }
    }
    this._flags |= ResponseFlag.ended;
    tellDone(this);
    if (this._flags & ResponseFlag.first) {
      sendEnd(this);
      this._outlet.responseEnded(this);
    } else {
      this._outlet.forgetBody(this);
    }
  }

  /** @internal Resolves when those before this one are out; rejects when that cannot be. */
  _turnComes(): Promise<void> {
    if (this._flags & ResponseFlag.dropped || this._outlet.lost()) return Promise.reject(aborted());
    if (this._flags & ResponseFlag.first) return Promise.resolve();
    return new Promise((resolve, reject) => {
      extrasOf(this).turnComes.push({ resolve, reject });
    });
  }

  /** @internal The responses before this one are out. */
  _becomeFirst(): void {
    this._flags |= ResponseFlag.first;
    const extras = this._extras;
    const ended = (this._flags & ResponseFlag.ended) !== 0;
    if (extras !== undefined && extras.informational !== '') {
      this._outlet.informational(extras.informational);
    }
    if (this._flags & ResponseFlag.streaming) {
      sendHead(this);
      for (const piece of takeWaiting(this)) sendPiece(this, piece, bytesOf(piece));
      if (ended) sendEnd(this);
    } else if (ended) {
      sendWhole(this, takeWaiting(this).pop());
    }
    for (const { resolve } of extras?.turnComes.splice(0) ?? []) resolve();
  }

  /** @internal Hears of the end of the connection, should it come first; undefined: nobody does. */
  _whenDropped(hear: ((error: Error) => void) | undefined): void {
    extrasOf(this).dropped = hear;
    if (this._flags & ResponseFlag.dropped || this._outlet.lost()) hear?.(aborted());
  }

  /** @internal The connection is over. */
  _dropped(error: Error): void {
    const sent = this.ended && this._first;
    if (!sent && !(this._flags & ResponseFlag.dropped)) this._outlet.meter?.dropped(this);
    this._flags |= ResponseFlag.dropped;
    this._request._body?.fail(error);
    if (!this.ended) this._request._aborts(error);
    for (const { reject } of this._extras?.turnComes.splice(0) ?? []) reject(error);
    this._extras?.dropped?.(error);
    this._peerLeft();
    tellDone(this);
  }

  /** @internal Nobody may be waiting for it any more; `half`: the peer has ended its side alone. */
  _peerLeft(half = false): void {
    const left = this._extras?.left;
    if (left === undefined || this.ended) return;
    if (!half) extrasOf(this).left = undefined;
    left(half);
  }

  /**
   * @internal Hears that the peer has ended its side before the end, and then that it has left;
   * undefined: nobody does.
   */
  _whenLeft(hear: ((half: boolean) => void) | undefined): void {
    extrasOf(this).left = hear;
    if (hear === undefined || !this._request._peer.leftBehind(this._request)) return;
    this._peerLeft(!this._outlet.lost());
  }

  /** @internal Hears once when it has ended, or the connection has. */
  _whenDone(hear: () => void): void {
    const extras = extrasOf(this);
    const before = extras.done;
    extras.done = hear;
    if (before !== undefined) {
      extras.done = () => {
        before();
        hear();
      };
    }
    if (this._flags & ResponseFlag.dropped || this.ended) tellDone(this);
  }

  /** @internal Answers an error instead of whatever was set; false: the head is out already. */
  _replace(status: number, message: string, close: boolean): boolean {
    if (this._flags & ResponseFlag.headOut || this.ended) return false;
    this._fields = '';
    this._names = 0;
    this._type = 'text/plain';
    this._flags &= ResponseFlag.first;
    if (close) this._flags |= ResponseFlag.close;
    this._status = status;
    if (this._extras !== undefined) {
      takeWaiting(this);
      Object.assign(this._extras, { declaredLength: NOT_DECLARED, trailers: '' });
    }
    this.end(`${message}\n`);
    return true;
  }

  /** @internal The connection cannot carry another response. */
  _closeAfter(): void {
    this._flags |= ResponseFlag.close;
  }

  /** @internal */
  get _first(): boolean {
    return (this._flags & ResponseFlag.first) !== 0;
  }
  /** @internal */
  get _closes(): boolean {
    return (this._flags & ResponseFlag.close) !== 0;
  }
  /** @internal The end of the connection is the end of its body. */
  get _untilClose(): boolean {
    return (this._flags & ResponseFlag.untilClose) !== 0;
  }

  /** @internal Its deadline has answered: what a handler says from here on goes nowhere. */
  _tooLate(): void {
    this._flags |= ResponseFlag.late;
  }

  /** False: it goes nowhere. @throws what a handler may not say any more */
  #takesHead(): boolean {
    if (this._flags & ResponseFlag.late) return false;
    this.#checkFresh();
    return true;
  }

  #takesBody(): boolean {
    if (this._flags & ResponseFlag.late) return false;
    this.#checkNotEnded();
    return true;
  }

  #checkFresh(): void {
    if (!(this._flags & (ResponseFlag.streaming | ResponseFlag.ended))) return;
    this.#checkNotEnded();
    throw new RingpollError('ERR_RINGPOLL_HTTP_HEADERS_SENT', 'The head has been sent already');
  }

  #checkNotEnded(): void {
    if (!(this._flags & ResponseFlag.ended)) return;
    throw new RingpollError('ERR_RINGPOLL_HTTP_ENDED', 'The response has ended already');
  }
}
