// How much may come in a time: pure functions of a state and the time.

/** Tokens that are left, at a time. */
export interface Bucket {
  tokens: number;
  atMs: number;
}

export interface BucketRules {
  /** Tokens that come back in a second. */
  readonly rate: number;
  /** Tokens that there are at most. */
  readonly burst: number;
}

export function fullBucket({ burst }: BucketRules, nowMs: number): Bucket {
  return { tokens: burst, atMs: nowMs };
}

/** Takes `cost` tokens. @returns 0, or the milliseconds until there are so many */
export function takeTokens(
  rules: BucketRules,
  bucket: Bucket,
  nowMs: number,
  cost: number,
): number {
  const passedMs = Math.max(0, nowMs - bucket.atMs);
  const tokens = Math.min(rules.burst, bucket.tokens + (passedMs * rules.rate) / 1000);
  bucket.atMs = Math.max(nowMs, bucket.atMs);
  bucket.tokens = tokens;
  if (tokens >= cost) {
    bucket.tokens = tokens - cost;
    return 0;
  }
  return ((cost - tokens) * 1000) / rules.rate;
}

/** Counts of the window that runs, and of the one before it. */
export interface Window {
  number: number;
  count: number;
  before: number;
}

export interface WindowRules {
  /** In any window. */
  readonly limit: number;
  readonly windowMs: number;
}

export function emptyWindow({ windowMs }: WindowRules, nowMs: number): Window {
  return { number: Math.floor(nowMs / windowMs), count: 0, before: 0 };
}

/**
 * Counts one more, if the window that ends now has room for it. What came in the window before
 * counts by the share of it that is not over: between two windows nobody gets twice the limit.
 * @returns 0, or the milliseconds until it is worth trying again
 */
export function countInWindow(
  rules: WindowRules,
  window: Window,
  nowMs: number,
  cost: number,
): number {
  const { limit, windowMs } = rules;
  const number = Math.max(window.number, Math.floor(nowMs / windowMs));
  if (number > window.number) {
    window.before = number === window.number + 1 ? window.count : 0;
    window.count = 0;
    window.number = number;
  }
  const share = Math.max(0, nowMs / windowMs - number);
  if (window.count + window.before * (1 - share) + cost <= limit) {
    window.count += cost;
    return 0;
  }
  return Math.max(1, windowMs * (1 - share));
}
