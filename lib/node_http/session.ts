// One connection that is served natively: its requests, and the responses that are due, in the
// order of the requests. What node:http keeps in closures of its connection listener is here.
import diagnostics from 'node:diagnostics_channel';
import { flagsOf, type HeadView } from '../http/head.js';
import { eachTrailer } from '../http/trailers.js';
import { Command, HeadFlag } from '../runtime/protocol.js';
import { uncaught } from '../runtime/ticks.js';
import type { Connection } from '../tcp/connection.js';
import { Flag, OVER } from '../tcp/connection_state.js';
import { inOrder } from '../tcp/sending.js';
import {
  answerTo,
  type ClientError,
  clientError,
  headTooLarge,
  unexpectedEnd,
} from './client_errors.js';
import { ConnectionHome } from './connection_home.js';
import { Heads } from './heads.js';
import {
  abortRequest,
  dump,
  endBody,
  NativeRequest,
  pushBody,
  type RequestHome,
} from './incoming.js';
import { Measured } from './measured.js';
import { ASSIGNED, KEEPS, MEASURED, TRAILERS } from './names.js';
import { answered, began, isObserved } from './observers.js';
import {
  assign,
  configure,
  drained,
  emitClose,
  isHeard,
  markByDefault,
  NativeResponse,
  type ResponseHome,
} from './outgoing.js';
import { answersItself } from './own_answers.js';
import { ParserShape } from './parser_shape.js';
import { settleLater } from './quiet.js';
import type { SessionHost } from './session_host.js';
import { NodeSocket } from './socket.js';
import { tunnel } from './tunnel.js';
import { writeWhole } from './write_whole.js';

const started = diagnostics.channel('http.server.request.start');
const finished = diagnostics.channel('http.server.response.finish');

/** Somebody of the process wants to know of every end. */
function isFollowed(): boolean {
  return finished.hasSubscribers || isObserved();
}

type NextTick = (run: (...args: never[]) => void, ...args: unknown[]) => void;
const nextTick = process.nextTick as NextTick;

export class Session extends ConnectionHome implements RequestHome, ResponseHome {
  readonly #host: SessionHost<Session>;
  /** The response that may be written, and those behind it. */
  #current: NativeResponse | undefined = undefined;
  #due: NativeResponse[] = [];
  /** Of responses that wait for those before them. */
  #waiting = 0;
  #pausedForDue = false;
  /** The one whose body is still coming. */
  #receiving: NativeRequest | undefined = undefined;
  #latest: NativeRequest | undefined = undefined;
  #requests = 0;
  readonly #heads = new Heads();
  #ended = false;
  #leaving = false;
  madeSocket: NodeSocket | undefined = undefined;

  constructor(host: SessionHost<Session>, connection: Connection) {
    super(host.runtime, connection);
    this.#host = host;
  }

  get server(): SessionHost<Session>['server'] {
    return this.#host.server;
  }
  get joinDuplicateHeaders(): boolean {
    return this.server.joinDuplicateHeaders === true;
  }
  get readableHighWaterMark(): number {
    return this.server.highWaterMark;
  }
  get writableHighWaterMark(): number {
    return this.server.highWaterMark;
  }
  get httpMessage(): unknown {
    return this.#current;
  }
  /** Nothing is under way, and something has been. */
  get idle(): boolean {
    if (this.#current !== undefined || this.#receiving !== undefined) return false;
    if (this.#requests === 0 || this.detached) return false;
    return this.loop.native.httpExpected(this.slot, this.generation) <= this.#requests;
  }

  get #parser(): ParserShape | null | undefined {
    return this.madeSocket?.parser as ParserShape | null | undefined;
  }

  get socket(): NodeSocket {
    if (this.madeSocket === undefined) {
      const socket = new NodeSocket(this, this.writableHighWaterMark);
      this.madeSocket = socket;
      socket.server = this.server;
      socket.parser = new ParserShape(this.#latest, this.#current?.req !== this.#latest);
      socket.on('error', this.#socketFailed);
      socket.on('timeout', () => this.#timedOut(socket));
      socket.on('drain', () => {
        if (this.#current !== undefined) drained(this.#current);
      });
      if (this.gone && !this.#closing) socket.destroy();
    }
    return this.madeSocket;
  }

  // ------------------------------------------------------------------------------ requests come

  /** A complete head is at `at` in the event ring. */
  request(at: number): void {
    const { events, memory } = this.loop;
    if (this.#leaving || this.detached) return;
    this.#host.followTimeouts();
    const head = {
      _words: memory.heads,
      _at: events[at + 6],
      _slab: memory.slabs[events[at + 3]],
      _offset: events[at + 4],
    };
    const flags = flagsOf(head);
    const heads = this.#heads;
    heads.take(head, this.server.maxHeadersCount);
    if (heads.bytes >= this.#host.headBytesMax) {
      this.#fails(headTooLarge(head, this.#host.headBytesMax));
      return;
    }
    this.#requests++;
    if (this.#waiting >= this.server.highWaterMark && !this.#pausedForDue) {
      this.#pausedForDue = true;
      this.stop();
    }
    if (this.madeSocket !== undefined) this.madeSocket.wake(this.server.timeout);
    const request = new NativeRequest(this, heads.section, heads.method, heads.url);
    if ((flags & HeadFlag.version11) === 0) {
      request.httpVersionMinor = 0;
      request.httpVersion = '1.0';
    }
    const hasBody = (flags & HeadFlag.hasBody) !== 0;
    if (flags & HeadFlag.upgrade && this.#upgrades(request)) return;
    const keeps = (flags & HeadFlag.keepAlive) !== 0;
    request[KEEPS] = keeps;
    if (hasBody) this.#receiving = request;
    this.#latest = request;
    if (this.madeSocket !== undefined && this.#parser) this.#parser.incoming = request;
    const response = this.#respond(request, keeps);
    const { _meter: meter } = this.#host;
    if (meter !== undefined) response[MEASURED] = new Measured(meter, head);
    this.#tell(request, response, head);
    if (!hasBody) endBody(request);
  }

  #respond(request: NativeRequest, keeps: boolean): NativeResponse {
    const { server, unique } = this.#host;
    const response = new NativeResponse(request, this);
    const mark = server.highWaterMark;
    if (unique != null || server.rejectNonStandardBodyWrites || mark !== markByDefault) {
      configure(response, unique, server.rejectNonStandardBodyWrites, mark);
    }
    response._keepAliveTimeout = server.keepAliveTimeout;
    const perSocket = server.maxRequestsPerSocket ?? 0;
    if (perSocket > 0) response._maxRequestsPerSocket = perSocket;
    response.shouldKeepAlive = keeps;
    if (request.httpVersionMinor === 0) {
      const { te } = request.headers;
      response.useChunkedEncodingByDefault = /(?:^|\W)chunked(?:$|\W)/i.test(String(te));
    }
    if (this.#current === undefined) {
      this.#current = response;
      response[ASSIGNED] = true;
    } else {
      this.#due.push(response);
    }
    return response;
  }

  #tell(request: NativeRequest, response: NativeResponse, head: HeadView): void {
    const { server } = this.#host;
    try {
      if (isObserved()) began(response);
      if (started.hasSubscribers) {
        started.publish({ request, response, socket: this.socket, server });
      }
      const is11 = (flagsOf(head) & HeadFlag.version11) !== 0;
      if (is11 && answersItself(this, request, response, head, this.#requests)) return;
      const measured = response[MEASURED];
      if (measured === undefined) server.emit('request', request, response);
      else measured.handled(() => server.emit('request', request, response));
    } catch (error) {
      uncaught(error);
    }
  }

  /** True: it is no request any more. */
  #upgrades(request: NativeRequest): boolean {
    const { server } = this.#host;
    const event = request.method === 'CONNECT' ? 'connect' : 'upgrade';
    const asked = event === 'upgrade' ? server.shouldUpgradeCallback : undefined;
    const heard = asked?.call(server, request) ?? server.listenerCount(event) > 0;
    if (!heard && event === 'upgrade') return false;
    if (!heard) {
      this.socket.destroy();
      return true;
    }
    request.upgrade = true;
    request.complete = true;
    this.detached = true;
    const { socket } = this;
    this.#host.forget(this);
    this.#pausedForDue = false;
    this.go();
    const over = (error: Error | undefined) => {
      this.closed(error);
      this.#host.gone();
    };
    const brings = this.loop.native.httpExpected(this.slot, this.generation) > this.#requests;
    tunnel(over, this.connection, socket, brings, (head) => {
      try {
        server.emit(event, request, socket, head);
      } catch (error) {
        uncaught(error);
      }
    });
    this.command(Command.httpRaw);
    return true;
  }

  bodyPiece(at: number): void {
    const request = this.#receiving;
    if (request === undefined) return;
    const { events, memory } = this.loop;
    if (this.madeSocket !== undefined) this.madeSocket.touch();
    if (request._dumped) return;
    const slab = memory.slabs[events[at + 3]];
    const offset = events[at + 4];
    const bytes = Buffer.allocUnsafe(events[at + 5]);
    slab.copy(bytes, 0, offset, offset + bytes.length);
    try {
      pushBody(request, bytes);
    } catch (error) {
      uncaught(error);
    }
  }

  trailers(at: number): void {
    const request = this.#receiving;
    if (request === undefined) return;
    const raw: string[] = [];
    eachTrailer(this.loop, this.loop.memory.heads, at, (name, value) => raw.push(name, value));
    request[TRAILERS] = raw;
  }

  bodyEnd(): void {
    const request = this.#receiving;
    this.#receiving = undefined;
    if (request === undefined) return;
    // What comes next is another request's.
    this.resumeBody();
    try {
      endBody(request);
    } catch (error) {
      uncaught(error);
    }
  }

  resumeBody(): void {
    if (!this.#pausedForDue && !this.gone) this.go();
  }
  pauseBody(): void {
    this.stop();
    this.madeSocket?.emit('pause');
  }

  // ------------------------------------------------------------------------------ responses leave

  get writesAtOnce(): boolean {
    const { madeSocket } = this;
    if (this.gone || (this.#leaving && this.#ended)) return false;
    if (madeSocket === undefined) return true;
    return (
      madeSocket.writableLength === 0 && madeSocket.writableCorked === 0 && madeSocket.writable
    );
  }

  sendWhole(head: string, body: string | Uint8Array): void {
    writeWhole(this.loop, this.connection, head, body);
  }

  waits(length: number): void {
    this.#waiting += length;
    if (!this.#pausedForDue || this.#waiting > this.writableHighWaterMark) return;
    this.#pausedForDue = false;
    this.go();
  }

  responseGiven(response: NativeResponse, told: boolean): void {
    if (this.detached) {
      // Behind it on the connection is another protocol, and before that its predecessors.
    } else if (this.connection._flags & Flag.unsent) {
      inOrder(this.connection, () => this.command(Command.httpDone));
    } else {
      this.command(Command.httpDone);
    }
    response[MEASURED]?.answered(response);
    const request = response.req;
    const last = !this.detached && (response._last || !request[KEEPS]);
    if (told) {
      response.prependOnceListener('finish', () => this.#settle(response));
    } else if (isHeard(response) || isFollowed() || !request.complete) {
      nextTick(finish as never, this, response);
    } else {
      settleLater(response);
    }
    if (last) {
      this.#leave();
      return;
    }
    const next = this.#due.shift();
    this.#current = next;
    if (next !== undefined) assign(next);
    else if (!told) this.#rest();
  }

  #rest(): void {
    const idle = this.#current === undefined && !this.#leaving && !this.detached;
    if (idle && !(this.connection._flags & Flag.unsent)) this.madeSocket?.rest(this.server);
  }

  /** @internal In a tick of its own, as with node:http. */
  _finish(response: NativeResponse): void {
    this.#settle(response);
    if (this.madeSocket?.errored == null) response.emit('finish');
  }

  #settle(response: NativeResponse): void {
    const request = response.req;
    if (finished.hasSubscribers) {
      finished.publish({ request, response, socket: this.socket, server: this.server });
    }
    if (isObserved()) answered(request, response);
    dump(request);
    this.#parser?.answered(request);
    response[ASSIGNED] = false;
    this.#rest();
    nextTick(emitClose as never, response);
  }

  /** The last response of the connection is on its way. */
  #leave(): void {
    this.#leaving = true;
    this.#current = undefined;
    const socket = this.madeSocket;
    if (socket !== undefined && !socket.destroyed) {
      if (socket.writableLength > 0) {
        socket.destroySoon();
        return;
      }
      if (socket.writable) socket.end();
      return;
    }
    this.connection.end();
  }

  // ------------------------------------------------------------------------------ it ends

  /** The parser has given up, or the peer took too long. */
  failed(at: number): void {
    const { events, memory } = this.loop;
    const length = events[at + 5];
    const from = events[at + 4];
    const slab = memory.slabs[events[at + 6]];
    const bytes = length > 0 ? Buffer.from(slab.subarray(from, from + length)) : undefined;
    this.#fails(clientError(events[at + 3], bytes));
  }

  #fails(error: ClientError): void {
    if (this.#leaving && this.#current === undefined && this.#receiving === undefined) return;
    const { server, _meter: meter } = this.#host;
    meter?.failed(error);
    if (this.madeSocket !== undefined || server.listenerCount('clientError') > 0) {
      try {
        void this.socket;
        this.#socketFailed(error);
      } catch (thrown) {
        uncaught(thrown);
      }
      return;
    }
    this.#leaving = true;
    if (this.#current?._headerSent === true) {
      this.connection.destroy();
      return;
    }
    if (!(this.connection._flags & (OVER | Flag.ending))) {
      this.connection._send(this.loop, answerTo(error));
    }
    this.connection.end();
  }

  /** The peer's FIN; `truncated`: in the middle of a request. */
  peerEnded(truncated: boolean): void {
    this.#ended = true;
    if (truncated) {
      this.#fails(unexpectedEnd());
      if (this.server.listenerCount('clientError') === 0) return;
    } else if (this.server.httpAllowHalfOpen && this.#current !== undefined) {
      const last = this.#due.at(-1) ?? this.#current;
      last._last = true;
      return;
    }
    // All that it sent has been read, so closing resets nothing.
    if (this.madeSocket !== undefined && !this.madeSocket.destroyed) this.madeSocket.end();
    else this.connection.close();
  }

  closed(error: Error | undefined): void {
    this.gone = true;
    const current = this.#current;
    const due = current === undefined ? this.#due : [current, ...this.#due];
    this.#current = undefined;
    this.#due = [];
    const receiving = this.#receiving;
    this.#receiving = undefined;
    try {
      this.#closing = true;
      this.#closeSocket(error);
      this.#closing = false;
      for (const response of due) {
        response[MEASURED]?.dropped();
        abortRequest(response.req);
      }
      if (receiving !== undefined && !receiving.destroyed) abortRequest(receiving);
      if (current !== undefined) emitClose(current);
    } catch (thrown) {
      uncaught(thrown);
    }
  }

  #closing = false;

  #closeSocket(error: Error | undefined): void {
    this.#parser?.free();
    if (this.tellClosed()) return;
    const broken = error !== undefined && 'code' in error && 'syscall' in error;
    if (this.madeSocket === undefined) {
      if (!broken || this.detached || this.server.listenerCount('clientError') === 0) return;
      this.socket.destroy(error);
    } else if (!broken && this.finishEnding()) {
      const socket = this.madeSocket;
      process.nextTick(() => socket.destroy());
    } else if (!this.madeSocket.destroyed) {
      this.madeSocket.destroy(broken ? error : undefined);
    }
  }

  // ------------------------------------------------------------------------------ for the socket

  /** As node:http does: its error is a client's, and it is destroyed. */
  readonly #socketFailed = (error: ClientError): void => {
    const socket = this.madeSocket;
    if (socket === undefined) return;
    socket.removeListener('error', this.#socketFailed);
    if (socket.listenerCount('error') === 0) socket.on('error', () => {});
    if (this.server.emit('clientError', error, socket)) return;
    if (socket.writable && this.#current?._headerSent !== true) socket.write(answerTo(error));
    socket.destroy(error);
  };

  #timedOut(socket: NodeSocket): void {
    if (this.detached) return;
    const request = this.#receiving ?? this.#current?.req;
    const ofRequest = request !== undefined && !request.complete && request.emit('timeout', socket);
    const ofResponse = this.#current?.emit('timeout', socket);
    const ofServer = this.server.emit('timeout', socket);
    if (!ofRequest && !ofResponse && !ofServer) socket.destroy();
  }
}

const finish = (session: Session, response: NativeResponse) => session._finish(response);
