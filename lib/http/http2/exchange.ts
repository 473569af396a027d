// One stream of HTTP/2: a request, and its response. It is to both what a session of HTTP/1.1 is.
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { RingpollError } from '../../errors.js';
import type { FileHandle } from '../../fs/index.js';
import { HeadFlag, Respond } from '../../runtime/protocol.js';
import type { ConnectionTls } from '../../tcp/connection_tls.js';
import { RequestBody } from '../body.js';
import { aborted, type HttpRequestError, refusalOf } from '../errors.js';
import { HttpRequest, type Remote, type RequestPeer } from '../request.js';
import { HttpResponse } from '../response.js';
import { bytesOf, keptBody } from '../response_checks.js';
import type { Body, ResponseMeter, ResponseOutlet } from '../response_outlet.js';
import type { SessionHost } from '../session_host.js';
import { addLines, headOf } from './fields.js';
import { type MadeHead, makeHead } from './head.js';
import type { Http2Limits } from './options.js';
import { Pace } from './pace.js';

/** RFC 9113, section 7. */
const enum Code {
  noError = 0,
  internalError = 2,
  cancel = 8,
}

/** Instead of a turn: the head is memory of its own. */
const DETACHED = -1;
const FILE_PIECE_BYTES = 64 * 1024;
const STATUS_LENGTH = 'HTTP/1.1 100'.length;

/** What the streams of one connection have in common. */
export interface ExchangeHost {
  readonly server: SessionHost;
  readonly limits: Http2Limits;
  readonly serverLine: string;
  readonly remote: Remote;
  readonly tls: ConnectionTls | undefined;
}

export class Exchange implements RequestPeer, ResponseOutlet<HttpResponse> {
  readonly http2 = true;
  readonly secure = true;
  readonly connection = undefined;
  readonly templates = {
    find: (status: number, variant: number, type: string) => {
      this.#head = headOf(status, variant, type, this.#host.serverLine);
      return 0;
    },
  };
  readonly #host: ExchangeHost;
  readonly #stream: ServerHttp2Stream;
  readonly #sinceMs: number;
  readonly #receiving: Pace;
  readonly #sending: Pace;
  #response: HttpResponse | undefined;
  #body: RequestBody | undefined;
  #received = 0;
  #head: OutgoingHttpHeaders = {};
  #trailers = '';
  #paused = false;
  /** Bytes that the peer has not let us send. */
  #unsent = 0;
  #drained: (() => void)[] = [];

  constructor(host: ExchangeHost, stream: ServerHttp2Stream, nowMs: number) {
    this.#host = host;
    this.#stream = stream;
    this.#sinceMs = nowMs;
    const { limits } = host;
    const { rateWindowMs: windowMs, receiveRateMin, sendRateMin, readMs, writeMs } = limits;
    this.#receiving = new Pace({ silenceMs: readMs, rateMin: receiveRateMin, windowMs }, nowMs);
    this.#sending = new Pace({ silenceMs: writeMs, rateMin: sendRateMin, windowMs }, nowMs);
    // What becomes of it is told by its close.
    stream.on('error', () => {});
    stream.on('close', () => this.#closed());
    stream.on('drain', () => this.#wake());
  }

  /** Runs the handler. `raw` is name, value, name, value, ... */
  begin(raw: readonly string[], endsHere: boolean): void {
    const head = makeHead(raw, !endsHere, this.#host.limits);
    if ('refused' in head) this.#refuse(head.refused);
    else this.#handle(head, endsHere);
  }

  #handle(head: MadeHead, endsHere: boolean): void {
    const { _words: words, _slab: slab, announced } = head;
    const request = new HttpRequest(this, words, 0, slab, 0, DETACHED);
    const response = new HttpResponse(this, request, true);
    this.#response = response;
    this.#host.server._meter?.begunNow(response);
    if (endsHere) this.#stream.resume();
    else this.#expectBody(request, response, announced, words[1]);
    this.#host.server._handle(request, response);
  }

  /** Answers what no handler gets to see. */
  #refuse(error: HttpRequestError): void {
    this.#host.server._report(error);
    this.templates.find(error.status, 0, 'text/plain');
    this.respond(0, '', `${error.message}\n`);
    this.#stream.resume();
    this.#endUpload();
  }

  #expectBody(
    request: HttpRequest,
    response: HttpResponse,
    announced: number,
    flags: number,
  ): void {
    const stream = this.#stream;
    const flow = {
      pause: () => {
        this.#paused = true;
        stream.pause();
      },
      resume: () => {
        this.#paused = false;
        this.#receiving.restart(Date.now());
        stream.resume();
      },
    };
    const body = new RequestBody(flow, announced);
    request._body = body;
    this.#body = body;
    if (flags & HeadFlag.expectContinue) {
      body.beforeRead = () => {
        if (!response.headersSent && !body.complete) response.informational(100);
      };
    }
    stream.on('data', (piece: Buffer) => this.#piece(body, piece));
    stream.on('trailers', (trailers) => readTrailers(trailers, body, this.#host.limits));
    stream.on('end', () => body.finish());
  }

  #piece(body: RequestBody, piece: Buffer): void {
    this.#received += piece.length;
    this.#receiving.moved(piece.length, Date.now());
    if (this.#received > this.#host.limits.bodyBytesMax) this.#fail('BODY_TOO_LARGE');
    else body.push(piece, 0, piece.length);
  }

  /** The request has turned out to be one that is not served. */
  #fail(reason: 'BODY_TOO_LARGE' | 'REQUEST_TIMEOUT'): void {
    const error = refusalOf(`ERR_RINGPOLL_HTTP_${reason}`);
    const response = this.#response as HttpResponse;
    this.#host.server._report(error, response._request);
    const body = this.#body;
    this.#body = undefined;
    body?.fail(error);
    body?.discard();
    if (!response._replace(error.status, error.message, false) && !response.ended) {
      this.#stream.close(Code.cancel);
    }
    this.#endUpload();
  }

  /** Time passes. */
  look(nowMs: number): void {
    const { requestMs } = this.#host.limits;
    const body = this.#body;
    if (body !== undefined && !body.complete) {
      const tooLong = requestMs > 0 && nowMs - this.#sinceMs >= requestMs;
      if (this.#paused) this.#receiving.restart(nowMs);
      if (tooLong || this.#receiving.tooSlow(nowMs)) this.#fail('REQUEST_TIMEOUT');
    }
    if (this.#unsent === 0) this.#sending.restart(nowMs);
    else if (this.#sending.tooSlow(nowMs)) this.#stream.close(Code.cancel);
  }

  get meter(): ResponseMeter<HttpResponse> | undefined {
    return this.#host.server._meter;
  }
  get remote(): Remote {
    return this.#host.remote;
  }
  get tls(): ConnectionTls | undefined {
    return this.#host.tls;
  }
  get peerIsGone(): boolean {
    return this.lost();
  }
  leftBehind(): boolean {
    return this.lost();
  }

  respond(_head: number, fields: string, body: Body): void {
    const bytes = bytesOf(body);
    this.#respond(fields, bytes, bytes === 0);
    if (bytes > 0) this.#send(body, true);
  }

  respondHead(head: number, fields: string, length: number): void {
    const known = !(head & Respond.noLength);
    this.#respond(fields, known ? length : undefined, (head & Respond.last) !== 0);
  }

  #respond(fields: string, length: number | undefined, endStream: boolean): void {
    if (this.lost() || this.#stream.headersSent) return;
    const headers = this.#head;
    if (length !== undefined) headers['content-length'] = length;
    addLines(headers, fields);
    this.#stream.respond(headers, { endStream, waitForTrailers: !endStream });
    if (!endStream) this.#stream.on('wantTrailers', () => this.#sendTrailers());
  }

  #sendTrailers(): void {
    const headers: OutgoingHttpHeaders = Object.create(null);
    addLines(headers, this.#trailers);
    this.#stream.sendTrailers(headers);
  }

  informational(text: string): void {
    if (this.lost() || this.#stream.headersSent) return;
    const headers: OutgoingHttpHeaders = Object.create(null);
    headers[':status'] = Number(text.slice(STATUS_LENGTH - 3, STATUS_LENGTH));
    addLines(headers, text.slice(text.indexOf('\r\n') + 2, -2));
    this.#stream.additionalHeaders(headers);
  }

  send(data: Body): void {
    this.#send(data, false);
  }

  #send(data: Body, last: boolean): void {
    const stream = this.#stream;
    if (this.lost()) return;
    // The caller may use its memory again.
    const kept = keptBody(data);
    const bytes = bytesOf(kept);
    if (this.#unsent === 0) this.#sending.restart(Date.now());
    this.#unsent += bytes;
    const left = () => {
      this.#unsent -= bytes;
      this.#sending.moved(bytes, Date.now());
    };
    stream.write(kept, left);
    if (last) stream.end();
  }

  done(trailers = ''): void {
    this.#trailers = trailers;
    this.#stream.end();
  }

  belowMark(): boolean {
    return !this.lost() && !this.#stream.writableNeedDrain;
  }

  async drained(): Promise<void> {
    while (!this.lost() && this.#stream.writableNeedDrain) {
      await new Promise<void>((resolve) => this.#drained.push(resolve));
    }
    if (this.lost()) throw aborted();
  }

  #wake(): void {
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  lost(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  async sendRange(file: FileHandle, start: number, length: number): Promise<void> {
    for (let at = 0; at < length; ) {
      const piece = Buffer.allocUnsafeSlow(Math.min(FILE_PIECE_BYTES, length - at));
      const { bytesRead } = await file.read(piece, 0, piece.length, start + at);
      if (bytesRead === 0) {
        const message = `The file ends ${length - at} bytes before what was asked for`;
        throw new RingpollError('ERR_RINGPOLL_FILE_TRUNCATED', message);
      }
      at += bytesRead;
      this.send(piece.subarray(0, bytesRead));
      await this.drained();
    }
  }

  waits(): void {}
  keepsAlive(): boolean {
    return true;
  }

  responseEnded(response: HttpResponse): void {
    this.forgetBody(response);
  }

  forgetBody(response: HttpResponse): void {
    const { _body: body } = response._request;
    if (body === undefined || body.complete) return;
    body.tooMuch = () => this.#endUpload();
    if (body.outlive()) return;
    body.forget();
    this.#endUpload();
  }

  /** RFC 9113, section 8.1: behind the answer, the peer is told to send no more of the request. */
  #endUpload(): void {
    const stream = this.#stream;
    const close = () => {
      if (!stream.destroyed) stream.close(Code.noError);
    };
    if (stream.writableFinished) close();
    else stream.once('finish', close);
  }

  breakOff(): void {
    if (!this.#stream.destroyed) this.#stream.close(Code.internalError);
  }

  leave(): never {
    const message = 'HTTP/2 has no upgrade: the connection carries other requests too';
    throw new RingpollError('ERR_RINGPOLL_HTTP_UPGRADE', message);
  }
  handOver(): never {
    return this.leave();
  }

  #closed(): void {
    this.#wake();
    const response = this.#response;
    if (response === undefined) return;
    const body = response._request._body;
    if (!response.ended || (body !== undefined && !body.complete)) response._dropped(aborted());
  }
}

function readTrailers(trailers: IncomingHttpHeaders, body: RequestBody, limits: Http2Limits): void {
  const names = Object.keys(trailers).slice(0, limits.trailersMax);
  for (const name of names) body.trailers[name] = String(trailers[name]);
}
