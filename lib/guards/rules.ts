// Rules of the guards as data: looked at every 15 s by one engine, and written for Prometheus.

/** What a rule looks at. Shares are of the answers of a period. */
export type RuleMetric =
  | 'failed-share' // answers of 500 to 599
  | 'slow-share' // answers over `slow` milliseconds
  | 'p95' // milliseconds of the 95th percentile
  | 'growth'; // the most under way, divided by that of a minute before

/** What happens when a rule holds: the breaker opens, or no more may be under way than now. */
export type RuleAction = 'open' | 'limit';

export interface GuardRule {
  /** Of the alert in Prometheus: letters and digits. */
  readonly name: string;
  readonly metric: RuleMetric;
  /** A period over this is bad. */
  readonly over: number;
  /** Bad periods of 15 s in a row until the rule holds. */
  readonly periods: number;
  readonly action: RuleAction;
  /** Of 'slow-share': milliseconds. */
  readonly slow?: number;
  /** Of 'growth': with fewer under way it says nothing. */
  readonly min?: number;
}

/** Rules are looked at so often. */
export const PERIOD_MS = 15_000;
/** Answers in a period below which it says nothing. */
export const ANSWERS_MIN = 20;
/** Periods that 'growth' looks back. */
const GROWTH_PERIODS = 4;
export const SLOW_MS = 500;

/** What a period was like. */
export interface Period {
  readonly answers: number;
  readonly failures: number;
  /** How many took longer than that. */
  slow(ms: number): number;
  readonly p95Ms: number;
  /** The most that was under way at a time. */
  readonly mostActive: number;
}

/** Finds out which rules hold. */
export class RuleEngine {
  readonly #rules: readonly GuardRule[];
  readonly #bad: number[];
  /** The most under way, of the periods before, the last one at the end. */
  readonly #active: number[] = [];

  constructor(rules: readonly GuardRule[]) {
    this.#rules = rules;
    this.#bad = rules.map(() => 0);
  }

  /** A period is over. @returns the rules that hold now; they begin anew */
  evaluate(period: Period): GuardRule[] {
    const holding = this.#rules.filter((rule, index) => {
      const value = this.#valueOf(rule, period);
      if (value === undefined) return false;
      this.#bad[index] = value > rule.over ? this.#bad[index] + 1 : 0;
      if (this.#bad[index] < rule.periods) return false;
      this.#bad[index] = 0;
      return true;
    });
    this.#active.push(period.mostActive);
    if (this.#active.length > GROWTH_PERIODS) this.#active.shift();
    return holding;
  }

  /** What was bad counts no more: the breaker has opened. */
  clear(): void {
    this.#bad.fill(0);
  }

  /** undefined: it says nothing. */
  #valueOf({ metric, slow = SLOW_MS, min = 0 }: GuardRule, period: Period): number | undefined {
    const { answers, mostActive } = period;
    if (metric === 'growth') {
      const before = this.#active[0];
      const isKnown = this.#active.length === GROWTH_PERIODS && mostActive >= min;
      return isKnown ? mostActive / Math.max(1, before) : undefined;
    }
    if (answers < ANSWERS_MIN) return undefined;
    if (metric === 'failed-share') return period.failures / answers;
    return metric === 'slow-share' ? period.slow(slow) / answers : period.p95Ms;
  }
}

const SUM = 'sum by (job, server)';
const WINDOW = '1m';
const FAILED = 'http_requests_total{code=~"5.."}';
const rate = (series: string) => `${SUM} (rate(${series}[${WINDOW}]))`;

function expression({ metric, over, slow = SLOW_MS, min = 0 }: GuardRule): string {
  switch (metric) {
    case 'failed-share':
      return `${rate(FAILED)} / ${rate('http_requests_total')} > ${over}`;
    case 'slow-share': {
      const fast = rate(`http_request_duration_seconds_bucket{le="${slow / 1000}"}`);
      return `1 - ${fast} / ${rate('http_request_duration_seconds_count')} > ${over}`;
    }
    case 'p95': {
      const buckets = `rate(http_request_duration_seconds_bucket[${WINDOW}])`;
      const all = `sum by (job, server, le) (${buckets})`;
      return `histogram_quantile(0.95, ${all}) > ${over / 1000}`;
    }
    default: {
      const now = `${SUM} (ringpoll_server_connections)`;
      const before = `${SUM} (ringpoll_server_connections offset 1m)`;
      return `${now} > ${over} * ${before} and ${now} >= ${min}`;
    }
  }
}

const summary = ({ metric, over }: GuardRule) =>
  `{{ $labels.server }}: ${metric} is {{ $value }}, over ${over}`;

/**
 * The same rules as a file of alerts for Prometheus, over the metrics of admin(). Growth is that of
 * connections there.
 */
export function prometheusRules(rules: readonly GuardRule[]): string {
  const alerts = rules.map((rule) =>
    [
      `      - alert: Ringpoll${rule.name}`,
      `        expr: '${expression(rule)}'`,
      `        for: ${(rule.periods * PERIOD_MS) / 1000}s`,
      '        labels:',
      `          severity: ${rule.action === 'open' ? 'critical' : 'warning'}`,
      '        annotations:',
      `          summary: '${summary(rule)}'`,
    ].join('\n'),
  );
  return [
    'groups:',
    '  - name: ringpoll-guards',
    `    interval: ${PERIOD_MS / 1000}s`,
    '    rules:',
    ...alerts,
    '',
  ].join('\n');
}
