// Upstream: targets that share requests, and what is known of each.

import { clientTls } from '../client/client_tls.js';
import { originOf } from '../client/target.js';
import { asError, RingpollError } from '../errors.js';
import { BALANCES, type Balance, POLICIES, slowStartShare } from './balance.js';
import type { TargetSpec } from './discovery.js';
import { healthAfter } from './health.js';
import { HealthChecks } from './health_checks.js';
import { Member } from './member.js';
import { type CheckedUpstream, checkUpstream, type UpstreamOptions } from './options.js';
import { ejectionMs, ejects, forgiven } from './outlier.js';
import '../client/events.js';

export { BALANCES, type Balance };

/** What is known of a target. */
export interface TargetReport {
  url: string;
  weight: number;
  /** It gets requests. */
  available: boolean;
  healthy: boolean;
  ejected: boolean;
  /** Requests that are under way. */
  active: number;
  requests: number;
  /** Requests without an answer, or with one of 500 to 599. */
  failures: number;
  /** Average milliseconds until the head of an answer; 0: not known. */
  latency: number;
  connections: number;
  pending: number;
}

const TARGETS_MAX = 10_000;

/**
 * Targets behind one name: give it to proxy(), which chooses one for each request. A target that
 * fails is left out for a while; one that leaves the list answers what it has, and is gone.
 */
export class Upstream {
  readonly #checked: CheckedUpstream;
  readonly #options: UpstreamOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #stopDiscovery: () => void;
  readonly #checks: HealthChecks | undefined;
  #members: Member[] = [];
  /** Those that may get requests, and until when that holds. */
  #usable: Member[] = [];
  #usableUntil = Number.NEGATIVE_INFINITY;
  #turn = 0;
  #begun = false;
  #closed = false;

  /**
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE,
   *   _OUT_OF_RANGE, _UNKNOWN_OPTION
   */
  constructor(options: UpstreamOptions) {
    this.#checked = checkUpstream(options);
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#random = options.random ?? Math.random;
    const { health } = this.#checked;
    if (health !== undefined) {
      this.#checks = new HealthChecks(health, (member, good) => this.#checkedHealth(member, good));
    }
    let isFirst = true;
    this.#stopDiscovery = this.#checked.discovery.watch({
      update: (targets) => {
        // Wrong targets of a list are the caller's error, and those of a discovery are its own.
        if (isFirst) this.#update(targets);
        else this.#tryUpdate(targets);
      },
      failed: (error) => this.#failed(error),
    });
    isFirst = false;
  }

  #tryUpdate(targets: readonly TargetSpec[]): void {
    try {
      this.#update(targets);
    } catch (error) {
      this.#failed(asError(error));
    }
  }

  #failed(error: Error): void {
    if (this.#options.error === undefined) process.emitWarning(error);
    else this.#options.error(error);
  }

  /** All or nothing: a list with a wrong target changes nothing. */
  #update(targets: readonly TargetSpec[]): void {
    if (this.#closed) return;
    if (targets.length === 0 || targets.length > TARGETS_MAX) {
      throw new RangeError(`There must be 1 to ${TARGETS_MAX} targets, not ${targets.length}`);
    }
    const wanted = new Map(targets.map((each) => [originOf(new URL(each.url)), weightOf(each)]));
    const known = new Map(this.#members.map((member) => [member.name, member]));
    const tls = [...wanted.keys()].some(({ secure }) => secure)
      ? clientTls(this.#options.tls)
      : undefined;
    const members: Member[] = [];
    const taken = new Set<string>();
    for (const [origin, weight] of wanted) {
      if (taken.has(origin.key)) continue;
      taken.add(origin.key);
      let member = known.get(origin.key);
      if (member === undefined) {
        member = new Member(origin, weight, this.#checked.client, tls, this.#random);
        if (this.#begun) member.since = this.#now();
        this.#checks?.add(member);
      }
      member.share = weight;
      members.push(member);
    }
    for (const member of this.#members) {
      if (taken.has(member.name)) continue;
      member.leaving = true;
      this.#checks?.remove(member);
      member.pool.close();
    }
    this.#members = members;
    this.#begun = true;
    this.#changed();
  }

  #changed(): void {
    this.#usableUntil = Number.NEGATIVE_INFINITY;
  }

  #find(nowMs: number): void {
    const { slowStartMs } = this.#checked;
    let until = Number.POSITIVE_INFINITY;
    const usable: Member[] = [];
    for (const member of this.#members) {
      if (member.ejectedUntil > nowMs) {
        until = Math.min(until, member.ejectedUntil);
      } else if (member.ejectedUntil > 0) {
        this.#cameBack(member);
      }
      if (!member.available(nowMs)) continue;
      const ageMs = nowMs - member.since;
      member.weight = member.share * slowStartShare(ageMs, slowStartMs);
      if (ageMs < slowStartMs) until = nowMs;
      usable.push(member);
    }
    this.#usable = usable;
    this.#usableUntil = until;
  }

  #cameBack(member: Member): void {
    member.since = member.ejectedUntil;
    member.ejectedUntil = 0;
    member.consecutive = 0;
  }

  /** @internal One that is not in `tried`, if there is one. */
  _pick(key: string, tried: readonly Member[]): Member | undefined {
    const nowMs = this.#now();
    if (nowMs >= this.#usableUntil) this.#find(nowMs);
    let candidates = this.#usable;
    if (tried.length > 0) {
      const fresh = candidates.filter((member) => !tried.includes(member));
      if (fresh.length > 0) candidates = fresh;
    }
    if (candidates.length < 2) return candidates[0];
    const policy = POLICIES[this.#checked.balance];
    const index = policy(candidates, { turn: this.#turn++, nowMs, random: this.#random, key });
    return candidates[index];
  }

  /** @internal A request to it has had its answer, or has failed. */
  _judge(member: Member): void {
    if (member.consecutive === 0 || member.leaving) return;
    const nowMs = this.#now();
    if (member.ejectedUntil > nowMs) return;
    const { outlier, forgiveMs } = this.#checked;
    let out = 0;
    for (const { ejectedUntil } of this.#members) if (ejectedUntil > nowMs) out++;
    if (!ejects(outlier, member.consecutive, out, this.#members.length)) return;
    const wasGoodMs = nowMs - member.since;
    const before = wasGoodMs > forgiveMs ? forgiven(member.ejections) : member.ejections;
    member.ejections = before + 1;
    member.ejectedUntil = nowMs + ejectionMs(outlier, member.ejections);
    this.#changed();
  }

  #checkedHealth(member: Member, good: boolean): void {
    const { health } = this.#checked;
    if (health === undefined) return;
    const before = member.health;
    member.health = healthAfter(health, before, good);
    if (before.up === member.health.up) return;
    if (member.health.up) member.since = this.#now();
    this.#changed();
  }

  /** @internal */
  get _now(): number {
    return this.#now();
  }

  /** @internal */
  get _random(): number {
    return this.#random();
  }

  /** @internal */
  get _headMs(): number {
    return this.#checked.client.headMs;
  }

  /** @internal */
  get _bodyMs(): number {
    return this.#checked.client.bodyMs;
  }

  /** @internal */
  get _usesKeys(): boolean {
    return this.#checked.balance === 'ip-hash';
  }

  /** What is known of each target. */
  get targets(): TargetReport[] {
    const nowMs = this.#now();
    return this.#members.map((member) => ({
      url: member.name,
      weight: member.share,
      available: member.available(nowMs),
      healthy: member.health.up,
      ejected: member.ejectedUntil > nowMs,
      active: member.active,
      requests: member.requests,
      failures: member.failures,
      latency: member.ewmaMs,
      connections: member.pool.counts.open,
      pending: member.pool.counts.pending,
    }));
  }

  /** Takes no more requests; those under way are answered. */
  close(): void {
    this.#stop();
    for (const { pool } of this.#members) pool.close();
  }

  /** Ends all connections at once. */
  destroy(): void {
    this.#stop();
    const error = new RingpollError('ERR_RINGPOLL_CLIENT_CLOSED', 'The upstream was destroyed');
    for (const { pool } of this.#members) pool.destroy(error);
  }

  #stop(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopDiscovery();
    this.#checks?.stop();
    this.#usable = [];
    this.#usableUntil = Number.POSITIVE_INFINITY;
  }
}

function weightOf({ weight = 1 }: TargetSpec): number {
  if (typeof weight === 'number' && weight > 0 && weight < 1e6) return weight;
  throw new RangeError(`The weight of a target must be over 0 and below 1e6, not ${weight}`);
}
