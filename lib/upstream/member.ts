// What an upstream keeps of one target.
import { Pool } from '../client/pool.js';
import type { CheckedClient } from '../client/settings.js';
import type { Origin } from '../client/target.js';
import { type ConnectOptions, connect } from '../tcp/connect.js';
import type { ClientTlsOptions } from '../tls/index.js';
import { type Candidate, ewmaAfter } from './balance.js';
import { HEALTHY, type HealthState } from './health.js';

export class Member implements Candidate {
  readonly name: string;
  readonly origin: Origin;
  readonly pool: Pool;
  /** As it was given. */
  share: number;
  /** What slow start leaves of it. */
  weight: number;
  active = 0;
  requests = 0;
  failures = 0;
  /** In a row. */
  consecutive = 0;
  ewmaMs = 0;
  ewmaAt = 0;
  ejections = 0;
  ejectedUntil = 0;
  health: HealthState = HEALTHY;
  /** When its slow start began; -Infinity: it has none. */
  since = Number.NEGATIVE_INFINITY;
  /** It was taken from the list. */
  leaving = false;

  constructor(
    origin: Origin,
    share: number,
    checked: CheckedClient,
    tls: ClientTlsOptions | undefined,
    random: () => number,
  ) {
    this.name = origin.key;
    this.origin = origin;
    this.share = this.weight = share;
    const { host, port, secure } = origin;
    const goal = { ...checked.connecting, host, port, ...(secure && tls !== undefined && { tls }) };
    this.pool = new Pool(checked, goal as ConnectOptions, () => {}, connect, random);
  }

  /** It may get requests. */
  available(nowMs: number): boolean {
    return this.health.up && nowMs >= this.ejectedUntil;
  }

  began(): void {
    this.active++;
    this.requests++;
  }

  /** `tookMs`: until its head came. */
  answered(nowMs: number, tookMs: number, failed: boolean): void {
    this.ewmaMs = ewmaAfter(this.ewmaMs, nowMs - this.ewmaAt, tookMs);
    this.ewmaAt = nowMs;
    this.#count(failed);
  }

  /** No answer came, and that is its own fault. */
  failed(): void {
    this.#count(true);
  }

  #count(failed: boolean): void {
    if (failed) {
      this.failures++;
      this.consecutive++;
    } else {
      this.consecutive = 0;
    }
  }

  ended(): void {
    this.active--;
  }
}
