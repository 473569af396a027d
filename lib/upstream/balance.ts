// Which target gets the next request: pure functions of what is known of the targets. A test gives
// them numbers, and needs no clock and no network.

/** A target, as a policy sees it. */
export interface Candidate {
  readonly name: string;
  /** Its share, over 0; what slow start leaves of it is multiplied in already. */
  readonly weight: number;
  /** Requests that are under way. */
  readonly active: number;
  /** Average response time in milliseconds; 0: not known yet. */
  readonly ewmaMs: number;
  /** When that was, in milliseconds. */
  readonly ewmaAt: number;
}

export type Balance = 'round-robin' | 'weighted' | 'least-connections' | 'ip-hash' | 'p2c-ewma';
export const BALANCES: readonly Balance[] = [
  ...(['round-robin', 'weighted', 'least-connections', 'ip-hash', 'p2c-ewma'] as const),
];

/** What a policy goes by beside the candidates. */
export interface BalanceInput {
  /** Counts the requests of the upstream. */
  readonly turn: number;
  /** Milliseconds of the clock of `ewmaAt`. */
  readonly nowMs: number;
  /** At least 0, below 1; asked for when chance decides. */
  random(): number;
  /** Of ip-hash: what stays with one target. */
  readonly key: string;
}

/** An index of `candidates`, of which there is at least one. */
export type Policy = (candidates: readonly Candidate[], input: BalanceInput) => number;

/** In turn. A target of less weight, in slow start, is passed over as often as it lacks. */
const roundRobin: Policy = (candidates, { turn, random }) => {
  const { length } = candidates;
  let heaviest = 0;
  for (const { weight } of candidates) if (weight > heaviest) heaviest = weight;
  for (let step = 0; step < length; step++) {
    const index = (turn + step) % length;
    const { weight } = candidates[index];
    if (weight === heaviest || random() * heaviest < weight) return index;
  }
  return turn % length;
};

/** By chance, in the proportion of the weights. */
const weighted: Policy = (candidates, { random }) => {
  let sum = 0;
  for (const { weight } of candidates) sum += weight;
  let left = random() * sum;
  for (let index = 0; index < candidates.length; index++) {
    left -= candidates[index].weight;
    if (left < 0) return index;
  }
  return candidates.length - 1;
};

/** The fewest requests under way for its weight; of equals, in turn. */
const leastConnections: Policy = (candidates, { turn }) => {
  const { length } = candidates;
  let best = turn % length;
  for (let step = 1; step < length; step++) {
    const index = (turn + step) % length;
    const one = candidates[index];
    const other = candidates[best];
    if ((one.active + 1) * other.weight < (other.active + 1) * one.weight) best = index;
  }
  return best;
};

/** FNV-1a, and a last mix, of two strings. */
function hashOf(key: string, name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * The highest of the hashes of key and target, by weight (rendezvous hashing): when a target goes,
 * only its own keys move.
 */
const ipHash: Policy = (candidates, { key }) => {
  let best = 0;
  let highest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < candidates.length; index++) {
    const { name, weight } = candidates[index];
    const score = -weight / Math.log((hashOf(key, name) + 0.5) / 2 ** 32);
    if (score > highest) {
      highest = score;
      best = index;
    }
  }
  return best;
};

/** Milliseconds that an untried target is taken to need: low, so that it is tried. */
const UNTRIED_MS = 1;
/** An average that is so old counts half. */
export const EWMA_HALF_LIFE_MS = 10_000;

/** What an average says `sinceMs` later: a target that was slow is tried again some time. */
export function agedMs(ewmaMs: number, sinceMs: number): number {
  return ewmaMs * 2 ** (-Math.max(sinceMs, 0) / EWMA_HALF_LIFE_MS);
}

/** Of two that chance chooses, the one whose next answer is expected sooner. */
const p2cEwma: Policy = (candidates, { nowMs, random }) => {
  const { length } = candidates;
  if (length === 1) return 0;
  const first = Math.floor(random() * length);
  const second = (first + 1 + Math.floor(random() * (length - 1))) % length;
  const cost = ({ ewmaMs, ewmaAt, active, weight }: Candidate) =>
    ((agedMs(ewmaMs, nowMs - ewmaAt) || UNTRIED_MS) * (active + 1)) / weight;
  return cost(candidates[first]) <= cost(candidates[second]) ? first : second;
};

export const POLICIES: Readonly<Record<Balance, Policy>> = {
  'round-robin': roundRobin,
  weighted,
  'least-connections': leastConnections,
  'ip-hash': ipHash,
  'p2c-ewma': p2cEwma,
};

/** The share of its weight that a target has, `ageMs` after it came: from 10 % up to all of it. */
export function slowStartShare(ageMs: number, slowStartMs: number): number {
  if (slowStartMs === 0 || ageMs >= slowStartMs) return 1;
  return Math.max(0.1, ageMs / slowStartMs);
}

/** The average with one more time in it: times of a half life ago count half. */
export function ewmaAfter(ewmaMs: number, sinceMs: number, tookMs: number): number {
  if (ewmaMs === 0) return tookMs;
  // One slow answer is bad news at once; good news has to be confirmed.
  if (tookMs > ewmaMs) return tookMs;
  const kept = 2 ** (-Math.max(sinceMs, 1) / EWMA_HALF_LIFE_MS);
  return ewmaMs * kept + tookMs * (1 - kept);
}
