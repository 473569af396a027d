// One HTTP connection: its requests, and the responses that are due, in the order of the requests.

import { RingpollError } from '../errors.js';
import { type FileHandle, sendFile } from '../fs/index.js';
import { Command, Control, HeadFlag, RESPOND_TEMPLATE_SHIFT } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { respondHead } from '../runtime/staging.js';
import type { Connection } from '../tcp/connection.js';
import type { Handlers } from '../tcp/connection_handlers.js';
import { Flag } from '../tcp/connection_state.js';
import { handOverTo } from '../tcp/hand_over.js';
import { inOrder } from '../tcp/sending.js';
import { mustCloseAfter, RequestBody } from './body.js';
import { ConnectResponse } from './connect_response.js';
import { aborted, type HttpRequestError } from './errors.js';
import { contentLengthOf, flagsOf } from './head.js';
import { HeldRequests } from './held_requests.js';
import { otherProtocolAnswer } from './other_protocols.js';
import { HttpRequest, type Remote, type RequestPeer } from './request.js';
import { respondWhole } from './respond_whole.js';
import { HttpResponse } from './response.js';
import type { Body, ResponseMeter, ResponseOutlet } from './response_outlet.js';
import type { SessionHost } from './session_host.js';
import { HeadVariant, type Templates } from './templates.js';
import { readTrailers } from './trailers.js';

/** Buffers for bodies from this size on are malloc's, and come and go. */
const LARGE_BODY_BYTES = 16 * 1024;
let keepsFreedMemory = false;

/** Nothing more can be sent. */
const NO_MORE = Flag.ending | Flag.closing | Flag.closed;

/** Requests that are not answered when the events of a turn have been walked outlast it. */
export const unanswered: HttpResponse[] = [];

/** What a trusted PROXY header says, where connections have one, or the address of the socket. */
export function remoteOf(
  { native }: Runtime,
  { _slot: slot, _generation: generation }: Connection,
  proxied: boolean,
): Remote {
  const told = proxied && native.httpProxied(slot, generation, true);
  return told || native.address(slot, generation, true) || {};
}

export class Session implements RequestPeer, ResponseOutlet<HttpResponse> {
  readonly connection: Connection;
  readonly generation: number;
  readonly templates: Templates;
  readonly secure: boolean;
  readonly http2 = false;
  readonly #host: SessionHost;
  readonly #runtime: Runtime;
  readonly #slot: number;
  readonly #mark: number;
  /** The response that may be written. */
  #first: HttpResponse | undefined = undefined;
  /** It has ended, and the rest of it waits in this process for the peer. */
  #unsent = false;
  /** Those behind it, in the order of their requests. */
  #due: HttpResponse[] = [];
  /** Requests whose handlers wait until the peer has read more of what it asked for. */
  #held: HeldRequests | undefined = undefined;
  /** Of bodies that were given before their turn came: bytes, or characters. */
  #waitingLength = 0;
  /** The one whose request's body is still coming. */
  #receiving: HttpResponse | undefined = undefined;
  /** Answered when all the others are out: then the connection ends. */
  #refusal: HttpRequestError | undefined = undefined;
  /** Requests that native code has told of. */
  #told = 0;
  /** No request is taken any more. */
  #closing = false;
  /** All is answered, and the connection ends with the body that is still coming. */
  #waitsForBody = false;
  #peerEnded = false;
  #lost = false;
  #remote: Remote | undefined = undefined;

  constructor(host: SessionHost, of: Runtime, connection: Connection) {
    this.#host = host;
    this.#runtime = of;
    this.connection = connection;
    this.#slot = connection._slot;
    this.#mark = connection._endpoint.highWaterMark;
    this.generation = connection._generation;
    this.templates = host._templates;
    this.secure = host._secure;
  }

  get meter(): ResponseMeter<HttpResponse> | undefined {
    return this.#host._meter;
  }

  get tls(): Connection['tls'] {
    return this.connection.tls;
  }

  get remote(): Remote {
    this.#remote ??= remoteOf(this.#runtime, this.connection, this.#host._proxied);
    return this.#remote;
  }

  get peerIsGone(): boolean {
    if (this.connection._over) return true;
    return this.#peerEnded && !this.#host._allowHalfOpen;
  }

  leftBehind(request: HttpRequest): boolean {
    if (!this.peerIsGone) return false;
    return [this.#first, ...this.#due].some((response) => response?._request === request);
  }

  /** A complete head is at `at` in the event ring. */
  request(at: number): void {
    this.#told++;
    if (this.#closing) return;
    const { events, memory, control } = this.#runtime;
    const slab = memory.slabs[events[at + 3]];
    const turn = control[Control.turn];
    const request = new HttpRequest(this, memory.heads, events[at + 6], slab, events[at + 4], turn);
    const isFirst = this.#first === undefined;
    const flags = flagsOf(request);
    const isConnect = (flags & HeadFlag.targetMask) === HeadFlag.targetAuthority;
    const Response = isConnect ? ConnectResponse : HttpResponse;
    const response = new Response(this, request, isFirst);
    if (flags & HeadFlag.hasBody) this.#expectBody(request, response);
    if (isFirst) this.#first = response;
    else this.#due.push(response);
    // What nearly every request finds is looked at here; hasRoom() looks at the rest.
    const roomy =
      memory.pending[this.#slot] <= this.#mark &&
      this.#waitingLength === 0 &&
      this.#held === undefined &&
      (this.connection._flags & Flag.unsent) === 0;
    if (!roomy && (this.#held?.any || !this.hasRoom())) this.#hold(response);
    else this.#host._handle(request, response);
    if (!response.ended || !response._first) {
      unanswered.push(response);
      this.#host._meter?.begun(response);
    }
  }

  #hold(response: HttpResponse): void {
    this.#held ??= new HeldRequests(this);
    this.#host._hooks?.hold(response._request, response);
    this.#held.add(response);
  }

  handle(response: HttpResponse): void {
    this.#host._handle(response._request, response);
  }

  /** False: too much of what the peer asked for waits already. It reads, or gets no more. */
  hasRoom(): boolean {
    const { connection } = this;
    if (connection._flags & NO_MORE) return true;
    return this.#waitingLength <= connection._endpoint.highWaterMark && connection._belowMark();
  }

  /** A piece of body waits for the responses before it (or, negative, does not any more). */
  waits(length: number): void {
    this.#waitingLength += length;
    if (length < 0) this.#held?.answerMore();
  }

  #expectBody(request: HttpRequest, response: HttpResponse): void {
    const length = contentLengthOf(request);
    if (length >= LARGE_BODY_BYTES && !keepsFreedMemory) {
      keepsFreedMemory = true;
      this.#runtime.native.keepFreedMemory();
    }
    const body = new RequestBody(this, length);
    request._body = body;
    this.#receiving = response;
    if ((flagsOf(request) & HeadFlag.expectContinue) === 0) return;
    body.beforeRead = () => {
      if (!response.headersSent && !body.complete) response.informational(100);
    };
  }

  bodyPiece(at: number): void {
    const { events, memory } = this.#runtime;
    const body = this.#receiving?._request._body;
    body?.push(memory.slabs[events[at + 3]], events[at + 4], events[at + 5]);
  }

  /** Bytes have come straight into the memory of bodyInto(). */
  bodyFilled(at: number): void {
    this.#receiving?._request._body?.filled(this.#runtime.events[at + 3]);
  }

  pause(): void {
    this.connection.pause();
  }

  resume(): void {
    this.connection.resume();
  }

  bodyInto(body: RequestBody, whole: Buffer | undefined): boolean {
    if (this.#receiving?._request._body !== body) return false;
    return this.#runtime.native.httpBodyInto(this.#slot, this.generation, this.#told, whole);
  }

  trailers(at: number): void {
    const body = this.#receiving?._request._body;
    if (body !== undefined)
      readTrailers(this.#runtime, this.#runtime.memory.heads, at, body.trailers);
  }

  bodyEnd(): void {
    this.#receiving?._request._body?.finish();
    this.#receiving = undefined;
    // Native code closes what is idle when the server stops, and this was not.
    const isLast = this.#host._stopping && this.#first === undefined && !this.#closing;
    if (this.#waitsForBody || isLast) this.#finish();
  }

  responseEnded(response: HttpResponse): void {
    if (response._request._body !== undefined) this.forgetBody(response);
    if (this.#unsent) return; // said again when all of it is on its way
    if (this.#due.length === 0 && !response._closes && !this.#leaving()) this.#first = undefined;
    else this.#advance(response);
  }

  /** Something ends the connection when the last response is out. */
  #leaving(): boolean {
    return this.#peerEnded || this.#refusal !== undefined;
  }

  forgetBody(response: HttpResponse): void {
    const body = response._request._body;
    if (body === undefined || body.complete) return;
    const isLong = mustCloseAfter(body, flagsOf(response._request));
    if (isLong) response._closeAfter();
    body.tooMuch = () => {
      response._closeAfter();
      if (this.#first === undefined && (!this.#closing || this.#waitsForBody)) this.#finish();
    };
    if (isLong || !body.outlive()) body.forget();
  }

  #advance(ended: HttpResponse): void {
    const due = this.#due;
    let first: HttpResponse | undefined = ended;
    while (first?.ended && !this.#unsent) {
      if (first._closes) {
        this.#finishAfterBody(first);
        return;
      }
      first = due.shift();
      this.#first = first;
      first?._becomeFirst();
    }
    if (first !== undefined) return;
    if (this.#refusal !== undefined) this.#refuse(this.#refusal);
    else if (this.#peerEnded) this.#finish();
  }

  /** Without our FIN, which would end the parsing: the answer may be out before the body is in. */
  #finishAfterBody(last: HttpResponse): void {
    if (this.#receiving !== last || last._request._body?.isAwaited !== true) {
      this.#finish();
      return;
    }
    this.#waitsForBody = true;
    this.#closing = true;
    this.#first = undefined;
    for (const response of this.#due.splice(0)) response._dropped(aborted());
  }

  /** No more answers on this connection: FIN behind the last one, and then the peer's turn. */
  #finish(): void {
    this.#waitsForBody = false;
    this.#closing = true;
    this.#first = undefined;
    for (const response of this.#due.splice(0)) response._dropped(aborted());
    this.connection.end();
  }

  keepsAlive(flags: number, response: HttpResponse): boolean {
    if ((flags & HeadFlag.keepAlive) === 0) return false;
    return !this.#host._stopping || this.#expectsMore(response);
  }

  /** While the server stops: the last request that has come gets the last answer. */
  #expectsMore(response: HttpResponse): boolean {
    const last = this.#due.at(-1) ?? this.#first;
    if (response !== last) return true;
    return this.#runtime.native.httpExpected(this.#slot, this.generation) > this.#told;
  }

  respond(head: number, fields: string, body: Body): void {
    if (this.connection._flags & NO_MORE) return;
    const bytes = respondWhole(this.#runtime, this.#slot, this.generation, head, fields, body);
    if (bytes === undefined) return;
    this.send(bytes);
    this.done();
  }

  respondHead(head: number, fields: string, length: number): void {
    if (this.connection._flags & NO_MORE) return;
    respondHead(this.#runtime, this.#slot, this.generation, head, fields, length);
  }

  send(data: Body): void {
    if (this.connection._flags & NO_MORE) return;
    this.connection._send(this.#runtime, data);
  }

  informational(text: string): void {
    this.send(Buffer.from(text, 'latin1'));
  }

  /** The file hears of the connection's end before the connection does. */
  async sendRange(file: FileHandle, start: number, length: number): Promise<void> {
    try {
      await sendFile(this.connection, file, start, length);
    } catch (error) {
      const isOver = (error as { code?: string }).code === 'ERR_RINGPOLL_CONNECTION_CLOSED';
      throw isOver ? aborted() : error;
    }
  }

  done(): void {
    if (this.connection._flags & Flag.unsent) {
      this.#unsent = true;
      inOrder(this.connection, () => this.#allOnItsWay());
    } else {
      this.#command(Command.httpDone);
    }
  }

  #allOnItsWay(): void {
    if (this.connection._over) return;
    this.#unsent = false;
    this.#command(Command.httpDone);
    if (this.#first !== undefined) this.responseEnded(this.#first);
  }

  belowMark(): boolean {
    if (this.connection._flags & NO_MORE) return false;
    if (this.connection._belowMark()) return true;
    this.lost();
    return false;
  }

  async drained(): Promise<void> {
    try {
      await this.connection.drained();
    } catch (cause) {
      this.lost();
      throw aborted(cause);
    }
  }

  /**
   * Whether the connection is over. Its close event comes in a later turn only: those who wait, and
   * the signals of the requests, hear of it after the microtasks that are due.
   */
  lost(): boolean {
    if (!this.connection._over) return false;
    if (!this.#lost) queueMicrotask(() => this.closed());
    this.#lost = true;
    return true;
  }

  breakOff(response: HttpResponse): void {
    if (!response._first) {
      response._replace(500, 'Internal Server Error', true);
      return;
    }
    this.#closing = true;
    // Without the last chunk, or with too few bytes, the end of the connection tells.
    if (response._untilClose) this.connection.reset();
    else this.connection.close();
  }

  /** The parser has given up, or the peer took too long. */
  failed(error: HttpRequestError): void {
    const response = this.#receiving;
    this.#receiving = undefined;
    if (this.#waitsForBody) {
      response?._request._body?.fail(error);
      this.#finish();
    }
    if (this.#closing) return;
    this.#host._report(error, response?._request);
    if (response === undefined) {
      if (this.#first === undefined) this.#refuse(error);
      else this.#refusal = error;
      return;
    }
    response._request._body?.fail(error);
    if (response._replace(error.status, error.message, true)) return;
    // Its answer is under way, or complete: the connection ends with it.
    response._closeAfter();
    if (this.#first === undefined) this.#finish();
  }

  /** Answers what is no request. */
  #refuse(error: HttpRequestError): void {
    const bytes = otherProtocolAnswer(error.code);
    if (bytes !== undefined) {
      this.send(bytes);
    } else {
      const number = this.templates.find(error.status, HeadVariant.close, 'text/plain');
      this.respond(number << RESPOND_TEMPLATE_SHIFT, '', `${error.message}\n`);
    }
    this.#finish();
  }

  /** The peer's FIN; `truncated`: in the middle of a request. */
  ended(truncated: boolean): void {
    this.#peerEnded = true;
    if (truncated) {
      this.#receiving?._request._body?.fail(aborted());
      this.#receiving?._request._abort?.abort(aborted());
      this.#receiving?._peerLeft();
      this.#receiving = undefined;
    }
    if (!this.#host._allowHalfOpen) this.#abortAll();
    if (this.#first === undefined) this.connection.end();
  }

  closed(): void {
    this.#closing = this.#lost = true;
    const error = aborted();
    const first = this.#first;
    this.#first = undefined;
    first?._dropped(error);
    for (const response of this.#due.splice(0)) response._dropped(error);
    this.#receiving?._dropped(error);
    this.#receiving = undefined;
  }

  #abortAll(): void {
    for (const response of [this.#first, ...this.#due]) {
      response?._request._abort?.abort(aborted());
      response?._peerLeft(true);
    }
  }

  handOver<Data>(response: HttpResponse, handlers: Handlers<Data>): Connection<Data> {
    const connection = this.leave(response);
    const raw = handOverTo(connection, handlers);
    this.#command(Command.httpRaw);
    if (connection._endpoint.data === undefined) raw.pause();
    return raw;
  }

  leave(response: HttpResponse): Connection {
    const { connection } = this;
    const asked = flagsOf(response._request) & (HeadFlag.upgrade | HeadFlag.hasBody);
    // A body would lie between the request and the other protocol.
    const possible = response._first && asked === HeadFlag.upgrade;
    if (!possible || !this.#host._holdsUpgrades || connection._flags & NO_MORE) {
      throw new RingpollError(
        'ERR_RINGPOLL_HTTP_UPGRADE',
        'No upgrade was asked for, or with a body, or behind open requests, or the option is off',
      );
    }
    this.#first = undefined;
    this.#host._forget(connection);
    return connection;
  }

  #command(kind: number): void {
    this.#runtime.command(kind, this.#slot, this.generation);
  }
}
