// Work in pieces, between which others have their turn, and what it took of the thread's time.
import { nextTurn } from '../runtime/turn_time.js';

/** Milliseconds after which a piece has taken its time. */
const PIECE_MS = 0.5;

export class Pieces {
  count = 0;
  /** Of the pieces that are over, all together, and the longest: so long did others wait. */
  ms = 0;
  longestMs = 0;
  #since = performance.now();

  /** The piece has taken its time: others should have their turn. */
  get late(): boolean {
    return performance.now() - this.#since >= PIECE_MS;
  }

  /** Ends a piece, and begins the next one when the loop has turned. */
  async pause(): Promise<void> {
    this.end();
    await nextTurn();
    this.#since = performance.now();
  }

  end(): void {
    const ms = performance.now() - this.#since;
    this.count++;
    this.ms += ms;
    this.longestMs = Math.max(this.longestMs, ms);
  }
}
