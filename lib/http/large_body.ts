// A long body on its way to the kernel: it stays where its owner has it, and only a window of it is
// copied at a time. So many peers that do not read one large buffer cost a window each.
import type { Connection } from '../tcp/connection.js';

/** Longer bodies go in windows of so many bytes. */
export const WINDOW_BYTES = 256 * 1024;
/** Windows that a fast peer may take before the others have their turn. */
const WINDOWS_PER_TURN = 16;

/** Sends `bytes` by `send`, a window at a time. True: all is on its way. */
export class LargeBody {
  readonly #connection: Connection;
  readonly #bytes: Uint8Array;
  readonly #send: (window: Uint8Array) => void;
  #at = 0;
  /** Resolves when the bytes are their owner's again; never when the connection ends first. */
  sent: Promise<void> | undefined = undefined;

  constructor(connection: Connection, bytes: Uint8Array, send: (window: Uint8Array) => void) {
    this.#connection = connection;
    this.#bytes = bytes;
    this.#send = send;
  }

  /** Sends what the kernel takes now, and a window. True: that was all. */
  begin(): boolean {
    const { length } = this.#bytes;
    for (let windows = 0; windows < WINDOWS_PER_TURN; windows++) {
      const end = Math.min(this.#at + WINDOW_BYTES, length);
      this.#send(this.#bytes.subarray(this.#at, end));
      this.#at = end;
      if (end === length) return true;
      if (this.#connection.pendingBytes > 0) return false;
    }
    return false;
  }

  /** The rest, as the peer takes it. `done` runs behind the last window. */
  finish(done: () => void): void {
    this.sent = this.#rest();
    this.sent.then(done, () => {});
  }

  async #rest(): Promise<void> {
    do {
      if (this.#connection.pendingBytes > 0) await this.#connection.drained();
      else await new Promise((resolve) => setImmediate(resolve));
      if (this.#connection.readyState === 'closed') throw new Error('closed');
    } while (!this.begin());
  }
}
