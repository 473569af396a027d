// One HTTP connection: its requests, the responses that are due, and what is about to be sent.
import { sendBytes, sendString, sendText } from '../loop/outgoing.js';
import { Command, Control, HeadFlag } from '../loop/protocol.js';
import type { Runtime } from '../loop/runtime.js';
import type { Connection } from '../tcp/connection.js';
import { RequestBody } from './body.js';
import type { HeadTexts } from './head_texts.js';
import { aborted, Request } from './request.js';
import { type Body, Response, type UpgradeHandlers } from './response.js';
import type { HttpServer } from './server.js';

/** Characters gathered before they are written to the staging block. */
const GATHERED_MAX = 32 * 1024;
/** Unanswered requests of one connection beyond which its socket is not read. */
const PIPELINED_MAX = 256;

/** Within a turn, answers to one connection are gathered into one text. */
let open: Session | undefined;
let walking = false;

export function beginWalking(texts: HeadTexts): void {
  if (!walking) texts.refresh();
  walking = true;
}

/** The turn's events have been walked: whatever was gathered leaves. */
export function endWalking(): void {
  walking = false;
  open?.flush();
  open = undefined;
}

export class Session {
  readonly connection: Connection;
  readonly #server: HttpServer;
  readonly #runtime: Runtime;
  readonly #texts: HeadTexts;
  /** The response that may be written. */
  #first: Response | undefined;
  /** Those behind it, in the order of their requests. */
  readonly #due: Response[] = [];
  #receiving: RequestBody | undefined;
  #gathered = '';
  #ascii = true;
  #requests = 0;
  #closing = false;
  #peerEnded = false;
  #paused = false;
  /** A response ended in a later turn than its request came: the peer was not idle. */
  #busy = false;
  raw: UpgradeHandlers | undefined;

  constructor(server: HttpServer, of: Runtime, connection: Connection) {
    this.#server = server;
    this.#runtime = of;
    this.connection = connection;
    this.#texts = server._texts;
  }

  /** Within a turn the clock was looked at once; later answers look again. */
  get texts(): HeadTexts {
    if (!walking) this.#texts.refresh();
    return this.#texts;
  }

  get idle(): boolean {
    return this.#first === undefined && this.#receiving === undefined;
  }

  /** A complete head is at `at` in the event ring. */
  request(at: number): void {
    const { events, memory, control } = this.#runtime;
    const slab = memory.slabs[events[at + 3]];
    const request = new Request(
      this,
      memory.heads,
      events[at + 6],
      slab,
      events[at + 4],
      control[Control.turn],
    );
    this.#requests++;
    const response = new Response(this, request, this.#first === undefined);
    if (request.flags & HeadFlag.hasBody) this.#expectBody(request, response);
    if (this.#first === undefined) this.#first = response;
    else this.#due.push(response);
    this.#server._handle(request, response);
    if (response.ended) return;
    request._keep();
    if (this.#due.length > PIPELINED_MAX && !this.#paused) {
      this.#paused = true;
      this.connection.pause();
    }
  }

  #expectBody(request: Request, response: Response): void {
    const body = new RequestBody(this.connection);
    request._body = body;
    this.#receiving = body;
    if ((request.flags & HeadFlag.expectContinue) === 0) return;
    body.beforeRead = () => {
      if (!response.headersSent && !body.complete) response.informational(100);
    };
  }

  bodyPiece(at: number): void {
    const { events, memory } = this.#runtime;
    this.#receiving?.push(memory.slabs[events[at + 3]], events[at + 4], events[at + 5]);
  }

  trailers(at: number): void {
    if (this.#receiving === undefined) return;
    const { events, memory } = this.#runtime;
    const slab = memory.slabs[events[at + 3]];
    const section = events[at + 4];
    const fields = events[at + 6];
    const text = (start: number, length: number) =>
      slab.toString('latin1', section + start, section + start + length);
    for (let i = 0; i < events[at + 5]; i++) {
      const [name, nameLength, value, length] = memory.heads.subarray(fields + 4 * i);
      const key = text(name, nameLength & 0xffff).toLowerCase();
      this.#receiving.trailers[key] = text(value, length);
    }
  }

  bodyEnd(): void {
    this.#receiving?.finish();
    this.#receiving = undefined;
  }

  /** The response is complete; the next one may be written. */
  responseEnded(response: Response, request: Request): void {
    if (this.#server._countsAnswers) this.#command(Command.httpDone);
    if (this.#server._holdsUpgrades && request.flags & HeadFlag.upgrade) {
      this.#command(Command.httpGoOn);
    }
    if (!walking) this.#busy = true;
    if (request._body !== undefined) this.#forgetBody(request, response);
    if (!response._first) return;
    if (this.#due.length === 0 && !response._closes && !this.#peerEnded) this.#first = undefined;
    else this.#advance(response);
  }

  #forgetBody(request: Request, response: Response): void {
    const body = request._body as RequestBody;
    if (body.complete) return;
    // The peer may wait for 100 Continue for ever, or send the body all the same: who knows.
    if (request.flags & HeadFlag.expectContinue && !body.used) response._closeAfter();
    if (!body.used) body.discard();
  }

  #advance(ended: Response): void {
    const due = this.#due;
    let first: Response | undefined = ended;
    while (first?.ended) {
      if (first._closes) {
        this.#finish();
        return;
      }
      first = due.shift();
      first?._becomeFirst();
    }
    this.#first = first;
    if (this.#paused && due.length < PIPELINED_MAX / 2) {
      this.#paused = false;
      this.connection.resume();
    }
    if (this.#peerEnded && first === undefined) this.#finish();
  }

  /** No more answers on this connection: FIN behind the last one. */
  #finish(): void {
    this.#closing = true;
    this.#first = undefined;
    this.#due.length = 0;
    this.flush();
    this.connection.end();
    if (this.#peerEnded) this.connection.close();
  }

  /** The server stops: what is idle goes, what is busy says `Connection: close`. */
  stop(): void {
    if (this.raw !== undefined) this.connection.end();
    else if (this.idle) this.#finish();
  }

  /** Whether the connection may carry another request after this one. */
  keepsAlive(request: Request): boolean {
    return (
      (request.flags & HeadFlag.keepAlive) !== 0 &&
      !this.#server._stopping &&
      this.#requests < this.#server._maxRequests
    );
  }

  send(data: Body): void {
    if (typeof data === 'string') {
      this.text(data, false);
      return;
    }
    this.flush();
    if (this.connection._flags & 12) return;
    sendBytes(this.#runtime, this.connection._slot, this.connection._generation, data);
  }

  /** Gathers text for the end of the turn; outside of a turn it is queued at once. */
  text(text: string, ascii: boolean): void {
    if (walking && open !== this) {
      open?.flush();
      open = this;
    }
    this.#gathered += text;
    if (!ascii) this.#ascii = false;
    if (!walking || this.#gathered.length > GATHERED_MAX) this.flush();
  }

  flush(): void {
    const text = this.#gathered;
    if (text === '') return;
    this.#gathered = '';
    const { connection } = this;
    const ascii = this.#ascii;
    this.#ascii = true;
    if (connection._flags & 12) return; // closing or closed
    if (ascii) sendText(this.#runtime, connection._slot, connection._generation, text);
    else sendString(this.#runtime, connection._slot, connection._generation, text);
  }

  belowMark(): boolean {
    this.flush();
    return this.connection._belowMark();
  }

  /** The parser has given up: the answer goes behind the ones that are due, then the end. */
  failed(error: { code: string; status: number; message: string }): void {
    const closing = this.#closing;
    this.#receiving?.fail(aborted());
    this.#receiving = undefined;
    if (closing) return;
    this.#server._refuse(error, this);
  }

  /** Answers without a request: `text` is a whole response. */
  refuse(text: string): void {
    if (this.#first !== undefined) {
      // Handlers are still at work on earlier requests; the peer has broken the framing, so what
      // they answer could not be told apart from an attack's. The connection ends with them.
      this.#peerEnded = true;
      return;
    }
    this.text(text, true);
    this.#finish();
  }

  timeout(phase: number): void {
    if (this.#closing) {
      this.connection.close();
    } else if (phase !== 0) {
      this.#server._timedOut(phase, this);
    } else if (this.#busy) {
      this.#busy = false;
    } else if (this.idle) {
      this.connection.close();
    }
  }

  ended(torn: boolean): void {
    this.#peerEnded = true;
    if (this.raw !== undefined) return;
    if (torn) {
      this.#receiving?.fail(aborted());
      this.#receiving = undefined;
      this.#abortAll();
    }
    if (this.#first === undefined) this.connection.end();
  }

  closed(): void {
    this.#closing = true;
    this.#receiving?.fail(aborted());
    this.#abortAll();
    this.#first = undefined;
    this.#due.length = 0;
  }

  #abortAll(): void {
    this.#first?._request._abort?.abort(aborted());
    for (const response of this.#due) response._request._abort?.abort(aborted());
  }

  /** The connection becomes the user's. */
  handOver(response: Response, handlers: UpgradeHandlers): Connection {
    if (!response._first) throw new Error('earlier requests are not answered yet');
    this.#first = undefined;
    this.#due.length = 0;
    this.flush();
    this.raw = handlers;
    this.#command(Command.httpRaw);
    return this.connection;
  }

  #command(kind: number): void {
    this.#runtime.command(kind, this.connection._slot, this.connection._generation);
  }
}
