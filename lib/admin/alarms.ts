// Alarms: what no server should show, looked at once an interval. An alarm is told at most once an
// interval, with the worst that was seen.
import { channel } from 'node:diagnostics_channel';
import { within } from '../checks.js';
import { asError, invalidArgType } from '../errors.js';
import type { Histogram } from '../histogram.js';
import { checkOptions, optionNames } from '../option_names.js';
import { onRejection } from '../runtime/rejection.js';
import type { Pauses } from './pauses.js';

/** Limits in milliseconds, 0.001 to 3,600,000. 0: that alarm is off. */
export interface AlarmLimits {
  /**
   * From the end of the loop's wait to JavaScript: 1 in 100 events of an interval waited longer.
   * Intervals with fewer than 100 events do not count. Default: 0.1.
   */
  schedulingDelay?: number;
  /** One pause of the garbage collector. Default: 20. */
  gcPause?: number;
  /** From one wait of the loop to the next: the longest of an interval. Default: 50. */
  loopDelay?: number;
}

export type AlarmName = keyof AlarmLimits;

export interface Alarm {
  alarm: AlarmName;
  /** The worst of the interval, in milliseconds, */
  ms: number;
  /** and what it may be. */
  limitMs: number;
  /** When it was told, in milliseconds since 1970. */
  time: number;
}

type Limits = Readonly<Record<AlarmName, number>>;

const NAMES = optionNames<AlarmLimits>('options.alarms', {
  schedulingDelay: true,
  gcPause: true,
  loopDelay: true,
});
const DEFAULTS: Limits = { schedulingDelay: 0.1, gcPause: 20, loopDelay: 50 };
const LIMIT_MS_MIN = 0.001;
const LIMIT_MS_MAX = 3_600_000;
const EVENTS_MIN = 100;
const SHARE = 0.99;
const KEPT_MAX = 64;
const NS_PER_MS = 1e6;

const alarms = channel('ringpoll:alarm');

/** undefined: there are none. @throws TypeError, RangeError */
export function checkAlarms(given: unknown): Limits | undefined {
  if (given === false) return undefined;
  if (given === undefined || given === true) return DEFAULTS;
  if (typeof given !== 'object')
    throw invalidArgType('options.alarms', 'limits or a boolean', given);
  checkOptions(NAMES, given, 'options.alarms');
  const limit = (name: AlarmName) => {
    const value = (given as AlarmLimits)[name];
    const least = value === 0 ? 0 : LIMIT_MS_MIN;
    return within(`options.alarms.${name}`, value, least, LIMIT_MS_MAX, DEFAULTS[name]);
  };
  return {
    schedulingDelay: limit('schedulingDelay'),
    gcPause: limit('gcPause'),
    loopDelay: limit('loopDelay'),
  };
}

/** What is looked at. */
interface Watched {
  readonly turns: { busy(): Histogram; delays(): Histogram };
  readonly pauses: Pick<Pauses, 'from'>;
}

export class Alarms {
  /** How often each was told. */
  readonly counts: Record<AlarmName, number> = { schedulingDelay: 0, gcPause: 0, loopDelay: 0 };
  /** The last ones, oldest first. */
  readonly last: Alarm[] = [];
  readonly #watched: Watched;
  readonly #limits: Limits;
  readonly #hear: ((alarm: Alarm) => unknown) | undefined;
  readonly #timer: NodeJS.Timeout;
  #busy: Histogram;
  #delays: Histogram;
  /** When the last pause that was looked at began. */
  #seen = performance.now();

  constructor(
    watched: Watched,
    limits: Limits,
    intervalMs: number,
    hear: ((alarm: Alarm) => unknown) | undefined,
  ) {
    this.#watched = watched;
    this.#limits = limits;
    this.#hear = hear;
    this.#busy = watched.turns.busy();
    this.#delays = watched.turns.delays();
    this.#timer = setInterval(() => this.look(), intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The interval is over. */
  look(): void {
    const { turns, pauses } = this.#watched;
    const busy = turns.busy();
    const delays = turns.delays();
    const newDelays = delays.since(this.#delays);
    const isEnough = newDelays.count >= EVENTS_MIN;
    this.#judge('schedulingDelay', isEnough ? newDelays.quantile(SHARE) / NS_PER_MS : 0);
    this.#judge('loopDelay', busy.since(this.#busy).max / NS_PER_MS);
    // They are told of later than they were, and in their order.
    const recent = pauses.from(this.#seen).filter(({ start }) => start > this.#seen);
    this.#seen = recent.at(-1)?.start ?? this.#seen;
    this.#judge('gcPause', Math.max(0, ...recent.map(({ ms }) => ms)));
    this.#busy = busy;
    this.#delays = delays;
  }

  #judge(name: AlarmName, ms: number): void {
    const limitMs = this.#limits[name];
    if (limitMs === 0 || ms <= limitMs) return;
    this.counts[name]++;
    const alarm: Alarm = { alarm: name, ms, limitMs, time: Date.now() };
    this.last.push(alarm);
    if (this.last.length > KEPT_MAX) this.last.shift();
    if (alarms.hasSubscribers) alarms.publish(alarm);
    const failed = (error: unknown) => process.emitWarning(asError(error));
    try {
      onRejection(this.#hear?.(alarm), failed);
    } catch (error) {
      failed(error);
    }
  }
}
