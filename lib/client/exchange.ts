// One request and its response: what is sent, whom it is for, and how it ends.
import type { RequestBodySource } from './request_body.js';
import type { ClientResponse } from './response.js';

/** What happens to an exchange while it waits for a connection, or has one. */
export interface Carrier {
  /** The user wants nothing more of it. */
  abandon(exchange: Exchange, reason: unknown): void;
}

/** Why it was sent again, and how often at most. */
export const ATTEMPTS_MAX = 3;

export class Exchange {
  readonly method: string;
  /** The whole head, with its empty line. */
  readonly head: string;
  /** A short body that goes with the head. */
  readonly body: string | Uint8Array | undefined;
  /** A body that is written as it comes. */
  readonly stream: RequestBodySource | undefined;
  /** Its length, as the head says; undefined: it goes in chunks, */
  readonly declared: number | undefined;
  /** and these are the trailer lines behind them. */
  readonly trailers: () => string;
  /** Ask flags. */
  readonly flags: number;
  readonly headMs: number;
  readonly bodyMs: number;
  /** It may be sent a second time, though the server may have seen it. */
  readonly repeatable: boolean;
  /** The connection is closed behind it. */
  readonly closes: boolean;
  /** It may share a connection with others that wait for their responses; not a second time. */
  pipelines: boolean;
  /** `stream` waits until the server says that it wants it. */
  readonly expects: boolean;
  readonly informational: ((response: ClientResponse) => void) | undefined;
  readonly resolve: (response: ClientResponse) => void;
  readonly reject: (error: unknown) => void;
  attempts = 0;
  /** Settled: the response was given away, or it has failed. */
  settled = false;
  carrier: Carrier | undefined = undefined;
  /** Takes down what watches it: its signal, its timer. */
  cleanUp: (() => void) | undefined = undefined;

  constructor(of: {
    method: string;
    head: string;
    body: string | Uint8Array | undefined;
    stream: RequestBodySource | undefined;
    declared: number | undefined;
    trailers: () => string;
    flags: number;
    headMs: number;
    bodyMs: number;
    repeatable: boolean;
    closes: boolean;
    pipelines?: boolean;
    expects?: boolean;
    informational: ((response: ClientResponse) => void) | undefined;
    resolve: (response: ClientResponse) => void;
    reject: (error: unknown) => void;
  }) {
    this.method = of.method;
    this.head = of.head;
    this.body = of.body;
    this.stream = of.stream;
    this.declared = of.declared;
    this.trailers = of.trailers;
    this.flags = of.flags;
    this.headMs = of.headMs;
    this.bodyMs = of.bodyMs;
    this.repeatable = of.repeatable;
    this.closes = of.closes;
    this.pipelines = of.pipelines === true;
    this.expects = of.expects === true;
    this.informational = of.informational;
    this.resolve = of.resolve;
    this.reject = of.reject;
  }

  respond(response: ClientResponse): void {
    this.settled = true;
    this.resolve(response);
  }

  fail(error: unknown): void {
    this.over();
    if (this.stream?.begun) this.stream.cancel(error);
    if (this.settled) return;
    this.settled = true;
    this.reject(error);
  }

  /** Nothing of it is under way any more. */
  over(): void {
    this.carrier = undefined;
    const { cleanUp } = this;
    if (cleanUp === undefined) return;
    this.cleanUp = undefined;
    cleanUp();
  }
}
