// Sessions: a client that comes back with the key of a connection that was lost is known again.
import { milliseconds } from '../checks.js';
import type { LostSession } from './handlers.js';
import { ABNORMAL, type AnySocket } from './socket.js';

interface Kept {
  data: unknown;
  code: number;
  since: number;
}

/** Sessions that are remembered at once; beyond that the oldest is forgotten. */
const SESSIONS_MAX = 100_000;
const SESSION_MS = 120_000;

export function checkSessionTimeout(value: unknown, path: string): number {
  return milliseconds(`${path}.sessionTimeout`, value, SESSION_MS);
}

/** The sessions of a server. */
export class Sessions {
  readonly #timeoutMs: number;
  readonly #open = new Map<string, AnySocket>();
  /** In the order in which they were lost, so that the oldest comes first. */
  readonly #lost = new Map<string, Kept>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** A socket with this key is open; gives what is known of the one before. */
  begin(key: string, socket: AnySocket): LostSession | undefined {
    const before = this.#open.get(key);
    this.#open.set(key, socket);
    if (before !== undefined) {
      // Its peer is here: what is left of that connection has lost it, and does not know yet.
      before.terminate();
      return { data: before.data, code: ABNORMAL, away: 0 };
    }
    this.#forgetOld();
    const kept = this.#lost.get(key);
    if (kept === undefined) return undefined;
    this.#lost.delete(key);
    return { data: kept.data, code: kept.code, away: Date.now() - kept.since };
  }

  /** It is over. One that was closed in order has no session any more. */
  end(key: string, socket: AnySocket, code: number, clean: boolean): void {
    if (this.#open.get(key) !== socket) return;
    this.#open.delete(key);
    if (clean) return;
    this.#lost.set(key, { data: socket.data, code, since: Date.now() });
    this.#forgetOld();
  }

  #forgetOld(): void {
    const oldest = Date.now() - this.#timeoutMs;
    for (const [key, { since }] of this.#lost) {
      if (this.#lost.size <= SESSIONS_MAX && since >= oldest) return;
      this.#lost.delete(key);
    }
  }
}
