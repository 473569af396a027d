// One connection of a client: the requests that are on it, and the events of their responses.

import { contentLengthOf, findHeader, flagsOf, hasHeader, headerId } from '../http/head.js';
import { readTrailers } from '../http/trailers.js';
import { Command, Control, Event, HeadFlag } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { Chunk } from '../tcp/chunk.js';
import type { Connection } from '../tcp/connection.js';
import type { Handlers } from '../tcp/connection_handlers.js';
import { handOverTo } from '../tcp/hand_over.js';
import { type BodySource, ResponseBody, UNREAD_BYTES_MAX } from './body.js';
import { Fault, faultError, lost, truncated } from './errors.js';
import type { Carrier, Exchange } from './exchange.js';
import { ClientResponse, type Tunnel } from './response.js';
import { sendRequest } from './send_request.js';

/** Who has the connection, and gives it work. */
export interface WireOwner {
  /** It can take a request. */
  free(wire: Wire): void;
  /** It is over, or about to be. */
  gone(wire: Wire): void;
  /** Requests that were not answered, the oldest first, and may be sent again. */
  again(exchanges: Exchange[]): void;
  /** The same, of which the server has said that it will answer none on this connection. */
  moved(exchanges: Exchange[]): void;
}

/** Responses of this turn whose heads lie where they were received. */
export const passing: ClientResponse[] = [];

/** By slot. */
export const wires: (Wire | undefined)[] = [];

const KEEP_ALIVE = headerId('keep-alive');
const CONTINUE = 100;
const NONE: Exchange[] = [];
/** RFC 9110 section 10.1.1: a server may never say that it wants the body. */
const CONTINUE_MS = 1000;

export class Wire implements Carrier, BodySource, Tunnel {
  readonly connection: Connection;
  readonly slot: number;
  readonly generation: number;
  /** Requests that were sent on it, */
  requests = 0;
  /** of at most so many. */
  requestsMax: number;
  /** When the last of them began, and how often its pool had no other connection until then. */
  last: { sinceMs: number; timesEmpty: number } | undefined = undefined;
  /** Another connection takes its place, or is being opened for that. */
  replaced = false;
  /** It was without a request for a while: its server may end it just when one is sent. */
  rested = false;
  /** Milliseconds, of Date.now(), from which on the server may close it. */
  expiresAt = Number.POSITIVE_INFINITY;
  readonly #owner: WireOwner;
  readonly #runtime: Runtime;
  /** In the pool's list of those that may take a request behind others. */
  listed = false;
  /** The one whose response is due, or coming, */
  #exchange: Exchange | undefined = undefined;
  /** and those that were sent behind it: pipelined. */
  readonly #behind: Exchange[] = [];
  /** It has answered, and stayed open. */
  #kept = false;
  /** Bytes of a body that nobody wants any more. */
  #unwanted = 0;
  /** The response whose body is coming. */
  #response: ClientResponse | undefined = undefined;
  #sending = false;
  /** Begins the body that waits for 100. */
  #continue: (() => void) | undefined = undefined;
  #continueTimer: NodeJS.Timeout | undefined = undefined;
  #keepAlive = true;
  #gone = false;

  constructor(owner: WireOwner, of: Runtime, connection: Connection, requestsMax: number) {
    this.#owner = owner;
    this.#runtime = of;
    this.connection = connection;
    this.requestsMax = requestsMax;
    this.slot = connection._slot;
    this.generation = connection._generation;
    while (wires.length <= this.slot) wires.push(undefined);
    wires[this.slot] = this;
  }

  /** Nothing can be sent on it any more. */
  get over(): boolean {
    return this.#gone || this.connection._over;
  }

  /** No request is on it. */
  get idle(): boolean {
    return this.#exchange === undefined && this.#response === undefined && !this.#sending;
  }

  /** Fewer than `most` are on it, and one more may be sent behind them. */
  hasRoom(most: number): boolean {
    const front = this.#exchange;
    if (front?.pipelines !== true || this.#behind.length + 1 >= most || this.over) return false;
    // Behind a body it would wait for whoever reads that.
    return this.#kept && this.#keepAlive && this.#response === undefined && this.#unwanted === 0;
  }

  /** False: the connection is over, and nothing of the request was sent. */
  send(exchange: Exchange): boolean {
    if (this.over) return false;
    const loop = this.#runtime;
    if (loop.control[Control.resting] === 1) loop.native.httpClientWake();
    exchange.carrier = this;
    exchange.attempts++;
    this.requests++;
    if (this.#exchange !== undefined) {
      this.#behind.push(exchange);
      sendRequest(loop, this.connection, exchange);
      return true;
    }
    const { stream } = exchange;
    this.#exchange = exchange;
    this.#keepAlive = !exchange.closes;
    this.#sending = stream !== undefined;
    sendRequest(loop, this.connection, exchange);
    if (stream !== undefined && !this.#begin(loop, exchange)) return false;
    return true;
  }

  /** What is pulled from a stream cannot be sent twice: native code looks at the socket first. */
  #begin(loop: Runtime, exchange: Exchange): boolean {
    loop.native.flush();
    if (this.connection._over) {
      this.#exchange = undefined;
      exchange.carrier = undefined;
      return false;
    }
    if (exchange.expects) {
      this.#continue = () => {
        this.#expectNothing();
        if (this.#exchange === exchange && this.#sending) this.#sendBody(exchange);
      };
      this.#continueTimer = setTimeout(this.#continue, CONTINUE_MS);
    } else {
      this.#sendBody(exchange);
    }
    return true;
  }

  #expectNothing(): void {
    if (this.#continue === undefined) return;
    clearTimeout(this.#continueTimer);
    this.#continue = this.#continueTimer = undefined;
  }

  #sendBody(exchange: Exchange): void {
    exchange.stream?.sendTo(this.connection, exchange.declared, exchange.trailers).then(
      () => this.#sent(),
      (error) => this.#sendFailed(exchange, error),
    );
  }

  #sent(): void {
    if (!this.#sending || this.over) return;
    this.#sending = false;
    this.#runtime.command(Command.clientSent, this.slot, this.generation);
    this.#release();
  }

  #sendFailed(exchange: Exchange, error: unknown): void {
    this.#sending = false;
    // The server's end of the connection has its own event, and that tells more.
    if (this.over && this.#exchange === exchange) return;
    this.#end(error);
  }

  /** An event of the connection's at `at` in the event ring. */
  event(kind: number, at: number): void {
    switch (kind) {
      case Event.responseWhole:
        this.#whole(at);
        break;
      case Event.response:
        this.#head(at);
        break;
      case Event.responseBody:
        this.#piece(at);
        break;
      case Event.responseTrailers:
        if (this.#response !== undefined) {
          readTrailers(
            this.#runtime,
            this.#runtime.memory.clientHeads,
            at,
            this.#response._trailers(),
          );
        }
        break;
      case Event.responseEnd:
        this.#bodyEnd();
        break;
      case Event.responseFault:
        this.#fault(this.#runtime.events[at + 3]);
        break;
      case Event.informational:
        this.#informational(at);
        break;
    }
  }

  #responseAt(at: number, along: number): ClientResponse {
    const { events, memory } = this.#runtime;
    const slab = memory.slabs[events[at + 3]];
    const response = new ClientResponse(
      memory.clientHeads,
      events[at + 6],
      slab,
      events[at + 4],
      along,
    );
    passing.push(response);
    const flags = flagsOf(response);
    if ((flags & HeadFlag.keepAlive) === 0) this.#keepAlive = false;
    return response;
  }

  #whole(at: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const response = this.#responseAt(at, this.#runtime.events[at + 5]);
    this.#exchange = this.#behind.shift();
    if (exchange.cleanUp !== undefined) exchange.over();
    // The server has said all: what was not sent of the request it does not want.
    if (this.#sending) this.#leaveUnsent(exchange);
    this.#expire(response);
    this.#release();
    if (!exchange.settled) exchange.respond(response);
  }

  #head(at: number): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    const response = this.#responseAt(at, -1);
    if (exchange.settled) {
      this.#unwanted = 1;
      return;
    }
    this.#response = response;
    if (flagsOf(response) & HeadFlag.upgrade) {
      response._tunnel = this;
      response._along = 0;
      this.#exchange = undefined;
      this.#response = undefined;
      exchange.over();
      this.#leave();
    } else {
      response._body = new ResponseBody(this, contentLengthOf(response));
      this.#expire(response);
    }
    exchange.respond(response);
  }

  #piece(at: number): void {
    const { events, memory, checked } = this.#runtime;
    const slab = memory.slabs[events[at + 3]];
    const chunk = new Chunk(slab, events[at + 4], events[at + 5], events[at + 6]);
    const body = this.#response?._body;
    if (body !== undefined) {
      body.push(chunk);
      return;
    }
    this.#unwanted += chunk.length;
    chunk._endTurn(checked);
    if (this.#unwanted > UNREAD_BYTES_MAX && !this.#gone) this.#end(truncated());
  }

  #bodyEnd(): void {
    const exchange = this.#exchange;
    const body = this.#response?._body;
    this.#exchange = this.#behind.shift();
    this.#response = undefined;
    this.#unwanted = 0;
    if (exchange !== undefined) {
      exchange.over();
      if (this.#sending) this.#leaveUnsent(exchange);
    }
    // What follows is another response's, whose reader waits for it.
    body?.resume();
    this.#release();
    body?.finish();
  }

  #informational(at: number): void {
    const exchange = this.#exchange;
    const response = this.#responseAt(at, 0);
    this.#keepAlive = !exchange?.closes;
    if (response.status === CONTINUE) this.#continue?.();
    if (exchange?.settled !== true) exchange?.informational?.(response);
  }

  #leaveUnsent(exchange: Exchange): void {
    this.#expectNothing();
    this.#sending = false;
    this.#keepAlive = false;
    exchange.stream?.cancel(undefined);
    this.connection.destroy();
  }

  #expire(response: ClientResponse): void {
    if (!hasHeader(response, KEEP_ALIVE)) return;
    const hint = findHeader(response, 'keep-alive') ?? '';
    const seconds = /(?:^|[\s,])timeout=(\d{1,6})/.exec(hint)?.[1];
    // A second less, so that the server's end does not cross a request.
    if (seconds !== undefined) this.expiresAt = Date.now() + Number(seconds) * 1000 - 1000;
  }

  /** A response is complete, and its request: the next one may come. */
  #release(): void {
    if (this.#response !== undefined || this.#sending) return;
    if (this.#keepAlive && !this.over) {
      this.#kept = true;
      if (this.#exchange?.settled) this.#closeUnwanted();
      else this.#owner.free(this);
    } else if (!this.#keepAlive || this.#exchange === undefined) {
      if (!this.over) this.connection.close();
      this.#owner.moved(this.#unanswered());
      this.#leave();
    }
    // Else it has ended, and what came before its end is still to be told.
  }

  /** Takes all that are on it; those that somebody still waits for. */
  #unanswered(): Exchange[] {
    const { length } = this.#behind;
    if (this.#exchange === undefined && length === 0) return NONE;
    const all = this.#behind.splice(0, length);
    if (this.#exchange !== undefined) all.unshift(this.#exchange);
    this.#exchange = undefined;
    return all.filter(({ settled }) => !settled);
  }

  /** Ends the connection when nobody waits for any response that is due. */
  #closeUnwanted(): void {
    if (this.#response !== undefined || !this.#exchange?.settled) return;
    if (this.#behind.every(({ settled }) => settled)) this.#end(undefined);
  }

  #fault(fault: number): void {
    const exchange = this.#exchange;
    const isStale = fault === Fault.stale;
    // Native code finds those bytes when it has sent no request that waits for a response.
    const isUnsent = isStale || fault === Fault.unsolicited;
    const unanswered = isUnsent || fault === Fault.noResponse;
    if (exchange !== undefined && this.#response === undefined && unanswered) {
      this.#lost(exchange, isUnsent, undefined);
      return;
    }
    this.#end(faultError(fault));
  }

  /** The connection has ended before a byte of the response. */
  #lost(exchange: Exchange, isUnsent: boolean, cause: unknown): void {
    this.#expectNothing();
    const { stream } = exchange;
    const wasKept = this.rested || this.requests > 1;
    const whole = stream === undefined || !stream.begun;
    const isRepeated = whole && (isUnsent || (wasKept && exchange.repeatable));
    if (!isRepeated) this.#exchange = undefined;
    this.#sending = false;
    this.#owner.again(this.#unanswered());
    if (!isRepeated) exchange.fail(lost(cause));
    this.#leave();
  }

  /**
   * Whose response is due, or coming, gets the error; the connection is over. Those behind it go
   * over another one.
   */
  #end(error: unknown): void {
    this.#expectNothing();
    const exchange = this.#exchange;
    const body = this.#response?._body;
    this.#exchange = undefined;
    this.#response = undefined;
    this.#sending = false;
    this.#owner.again(this.#unanswered());
    this.#leave();
    if (!this.connection._over) this.connection.destroy();
    exchange?.fail(error);
    body?.fail(error as Error);
  }

  /** The connection is closed. */
  closed(error: Error | undefined): void {
    if (wires[this.slot] === this) wires[this.slot] = undefined;
    const exchange = this.#exchange;
    if (exchange !== undefined && this.#response === undefined && !exchange.settled) {
      this.#lost(exchange, false, error);
    } else {
      this.#end(truncated(error));
    }
  }

  #leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#owner.gone(this);
  }

  abandon(exchange: Exchange, reason: unknown): void {
    if (this.#exchange === exchange) {
      this.#end(reason);
    } else if (this.#behind.includes(exchange)) {
      // It is sent: its response is dropped when it comes.
      exchange.fail(reason);
      this.#closeUnwanted();
    }
  }

  /** No request is on it, and none will be. */
  close(): void {
    this.#gone = true;
    if (!this.connection._over) this.connection.close();
  }

  destroy(error: Error): void {
    const behind = this.#behind.splice(0);
    this.#end(error);
    for (const each of behind) each.fail(error);
  }

  pauseBody(): void {
    if (!this.connection._over) this.connection.pause();
  }

  resumeBody(): void {
    if (!this.connection._over) this.connection.resume();
  }

  dropBody(): void {
    this.#end(truncated());
  }

  handOver<Data>(handlers: Handlers<Data>): Connection<Data> {
    if (wires[this.slot] === this) wires[this.slot] = undefined;
    const raw = handOverTo(this.connection, handlers);
    this.#runtime.command(Command.clientRaw, this.slot, this.generation);
    return raw;
  }
}

/** For events, which find it by its slot. */
export function wireAt(slot: number, generation: number): Wire | undefined {
  const wire = wires[slot];
  return wire?.generation === generation ? wire : undefined;
}
