// Requests that a peer has sent before it reads: their handlers wait, so that no more answers are
// made than it takes. The body of such a request comes in all the same.
import type { Connection } from '../tcp/connection.js';
import type { HttpResponse } from './response.js';

/** The session of these requests. */
interface Holder {
  readonly connection: Connection;
  hasRoom(): boolean;
  handle(response: HttpResponse): void;
}

export class HeldRequests {
  readonly #holder: Holder;
  #responses: HttpResponse[] | undefined = undefined;
  #waking = false;

  constructor(holder: Holder) {
    this.#holder = holder;
  }

  get any(): boolean {
    return this.#responses !== undefined;
  }

  add(response: HttpResponse): void {
    this.#responses ??= [];
    this.#responses.push(response);
    this.answerMore();
  }

  /** When few enough bytes wait, the next handler runs. */
  answerMore(): void {
    if (this.#waking || this.#responses === undefined) return;
    this.#waking = true;
    this.#holder.connection.drained().then(
      () => {
        this.#waking = false;
        this.#next();
      },
      () => {
        this.#responses = undefined; // the connection is over, and each of them hears of that
      },
    );
  }

  #next(): void {
    const responses = this.#responses;
    if (responses === undefined) return;
    if (!this.#holder.hasRoom()) {
      // Or bodies wait for the response before them: the session says when they have gone.
      if (!this.#holder.connection._low) this.answerMore();
      return;
    }
    const response = responses.shift();
    if (responses.length === 0) this.#responses = undefined;
    // A request that turned out wrong has been answered meanwhile.
    if (response !== undefined && !response.ended) this.#holder.handle(response);
    // One at a time: what an async handler answers at once counts for the next one.
    this.answerMore();
  }
}
