// Whether bytes move: those of a body that is coming, or of one that is leaving.

/** Times are in milliseconds, and 0 means no limit. */
export interface PaceLimits {
  /** Between two bytes. */
  silenceMs: number;
  /** Bytes a second, on average over the window. */
  rateMin: number;
  windowMs: number;
}

export class Pace {
  readonly #limits: PaceLimits;
  #lastMs: number;
  #windowMs: number;
  #moved = 0;

  constructor(limits: PaceLimits, nowMs: number) {
    this.#limits = limits;
    this.#lastMs = this.#windowMs = nowMs;
  }

  moved(bytes: number, nowMs: number): void {
    this.#moved += bytes;
    this.#lastMs = nowMs;
  }

  /** It is not the peer's fault that nothing moves: what was counted is forgotten. */
  restart(nowMs: number): void {
    this.#lastMs = this.#windowMs = nowMs;
    this.#moved = 0;
  }

  tooSlow(nowMs: number): boolean {
    const { silenceMs, rateMin, windowMs } = this.#limits;
    if (silenceMs > 0 && nowMs - this.#lastMs >= silenceMs) return true;
    const elapsedMs = nowMs - this.#windowMs;
    if (rateMin === 0 || elapsedMs < windowMs) return false;
    const slow = this.#moved < (rateMin * elapsedMs) / 1000;
    this.#windowMs = nowMs;
    this.#moved = 0;
    return slow;
  }
}
