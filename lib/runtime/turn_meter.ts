// How long turns take, and what is answered within one. native/core/loop/turn_meter.h writes the
// words. It exists only while somebody measures.
import { RingpollError } from '../errors.js';
import { HISTOGRAM_BUCKETS, Histogram } from '../histogram.js';
import { LAYER_WORDS, LayerWord } from './layer_words.js';
import { Control } from './protocol.js';
import { type Runtime, runtime } from './runtime.js';

/** The words of native code. */
const enum Word {
  counted = 0,
  turnStart = 1,
  turnEnd = 2,
  walking = 3,
  turns = 4,
  events = 5,
  waited = 6,
  received = 7,
  walked = 8,
  sent = 9,
  host = 10,
  sums = 16,
}
const DELAYS = Word.sums + HISTOGRAM_BUCKETS;
export const METER_LAYERS = DELAYS + HISTOGRAM_BUCKETS;
export const METER_WORDS = METER_LAYERS + LAYER_WORDS;
export const METER_DELAYS = DELAYS;
/** Words of a row of the ring of turns: see TurnRecord. */
export const TURN_ROW_WORDS = 9;

const NS_PER_MS = 1e6;
const ABSENT = 0;
const WANTED = 1;
const KNOWN = 2;

/** Counts what was done in a turn, and takes the turn's length for all of it when that is known. */
export interface TurnCounter {
  /** The turn took `ns` nanoseconds; undefined: that is not known. */
  settle(ns: number | undefined): void;
}

/** Sums since measuring began, in nanoseconds. */
export interface TurnSums {
  turns: number;
  events: number;
  waited: number;
  received: number;
  walked: number;
  sent: number;
  host: number;
}

/** One turn; times are milliseconds of performance.now(). */
export interface TurnRecord {
  start: number;
  /** JavaScript was called; undefined: it was not. */
  ready: number | undefined;
  walked: number;
  end: number;
  events: number;
  /** How long the wait before it was. */
  waited: number;
  /** Pages that the thread had to wait for in the turn: they came from memory, or from the disk. */
  minorFaults: number;
  majorFaults: number;
  /** How much of the turn's processor time the kernel has had. */
  kernelMs: number;
}

export class TurnMeter {
  readonly #runtime: Runtime;
  #words: Float64Array = new Float64Array(METER_WORDS);
  readonly #originNs: number;
  #turn = -1;
  #start = 0;
  #touched: TurnCounter[] = [];
  /** There is one ring of turns. */
  #records = false;

  constructor(of: Runtime) {
    this.#runtime = of;
    this.#originNs = originOf(of);
  }

  /** Measuring goes on until each of its users has left. */
  join(): void {
    const { native, memory } = this.#runtime;
    memory.meterUsers = (memory.meterUsers ?? 0) + 1;
    if (memory.meter === undefined) native.meter(this.#words);
    else this.#words = memory.meter;
  }

  leave(): void {
    const { native, memory } = this.#runtime;
    memory.meterUsers = (memory.meterUsers ?? 1) - 1;
    if (memory.meterUsers > 0) return;
    this.#settle(undefined);
    native.meter(undefined);
    this.#words[Word.counted] = ABSENT;
    this.#words[Word.walking] = 0;
  }

  /** Whether JavaScript is walking the events of a turn. */
  get walking(): boolean {
    return this.#words[Word.walking] !== 0;
  }

  /** When this turn began, in nanoseconds. */
  get turnStart(): number {
    return this.#words[Word.turnStart];
  }

  /** Whether this turn is one whose layers are measured. */
  get measuresLayers(): boolean {
    return this.#words[METER_LAYERS + LayerWord.active] !== 0;
  }

  /** A handler has taken so many milliseconds of a turn whose layers are measured. */
  handlerTook(ms: number): void {
    this.#words[METER_LAYERS + LayerWord.handlerNs] += ms * NS_PER_MS;
    this.#words[METER_LAYERS + LayerWord.handlerLaps]++;
  }

  /** See layer_words.ts. */
  layerWords(): Float64Array {
    return this.#words.slice(METER_LAYERS);
  }

  /** Now, in nanoseconds of the same clock. */
  now(): number {
    return performance.now() * NS_PER_MS + this.#originNs;
  }

  /** The same time in milliseconds of performance.now(). */
  toMs(ns: number): number {
    return (ns - this.#originNs) / NS_PER_MS;
  }

  /** It will be told how long this turn took. More than once a turn is no harm. */
  count(counter: TurnCounter): void {
    if (this.#runtime.control[Control.turn] !== this.#turn) this.#enter();
    this.#touched.push(counter);
  }

  #enter(): void {
    const words = this.#words;
    this.#settle(words[Word.counted] === KNOWN ? words[Word.turnEnd] - this.#start : undefined);
    this.#turn = this.#runtime.control[Control.turn];
    this.#start = words[Word.turnStart];
    words[Word.counted] = WANTED;
  }

  #settle(ns: number | undefined): void {
    for (const counter of this.#touched) counter.settle(ns);
    this.#touched.length = 0;
  }

  /** For a reader: what is pending of turns that are over counts now. */
  catchUp(): void {
    const words = this.#words;
    if (words[Word.counted] !== KNOWN) return;
    this.#settle(words[Word.turnEnd] - this.#start);
    words[Word.counted] = ABSENT;
    this.#turn = -1;
  }

  sums(): TurnSums {
    const words = this.#words;
    return {
      turns: words[Word.turns],
      events: words[Word.events],
      waited: words[Word.waited],
      received: words[Word.received],
      walked: words[Word.walked],
      sent: words[Word.sent],
      host: words[Word.host],
    };
  }

  /** How long the loop took from one wait to the next: so late may what comes meanwhile be. */
  busy(): Histogram {
    return Histogram.fromBuckets(this.#words.subarray(Word.sums, DELAYS));
  }

  /** How long events waited, from the end of the wait to JavaScript. */
  delays(): Histogram {
    return Histogram.fromBuckets(this.#words.subarray(DELAYS, METER_LAYERS));
  }

  /**
   * The last `rows` turns are kept from now on. Call stop() of what it returns.
   * @throws RingpollError ERR_RINGPOLL_RECORDER_RUNNING
   */
  record(rows: number): TurnRing {
    if (this.#records) {
      const message = 'Turns of this thread are recorded already, for a trace or by correlate()';
      throw new RingpollError('ERR_RINGPOLL_RECORDER_RUNNING', message);
    }
    this.#records = true;
    const words = new Float64Array((rows + 1) * TURN_ROW_WORDS);
    this.#runtime.native.recordTurns(words);
    return new TurnRing(this, words, () => {
      this.#records = false;
      this.#runtime.native.recordTurns(undefined);
    });
  }
}

export class TurnRing {
  constructor(
    private readonly meter: TurnMeter,
    private readonly words: Float64Array,
    readonly stop: () => void,
  ) {}

  get rows(): number {
    return this.words.length / TURN_ROW_WORDS - 1;
  }

  /** How many turns were written, the forgotten ones too. */
  get written(): number {
    return this.words[0];
  }

  /** The turns that are kept, oldest first. */
  *[Symbol.iterator](): Generator<TurnRecord> {
    const { words, meter, rows, written } = this;
    for (let turn = Math.max(0, written - rows); turn < written; turn++) {
      const at = (1 + (turn % rows)) * TURN_ROW_WORDS;
      const [start, ready, walked, end, events, waited, minorFaults, majorFaults, kernelNs] =
        words.subarray(at, at + TURN_ROW_WORDS);
      yield {
        start: meter.toMs(start),
        ready: ready === 0 ? undefined : meter.toMs(ready),
        walked: meter.toMs(walked),
        end: meter.toMs(end),
        events,
        waited: waited / NS_PER_MS,
        minorFaults,
        majorFaults,
        kernelMs: kernelNs / NS_PER_MS,
      };
    }
  }
}

/** What performance.now() says is so many nanoseconds behind native code's clock. */
function originOf({ native }: Runtime): number {
  let origin = Number.NEGATIVE_INFINITY;
  // The pair of readings with the least between them is the one that says most.
  for (let i = 0; i < 8; i++) {
    const ms = performance.now();
    const least = native.clockNs() - performance.now() * NS_PER_MS;
    if (performance.now() - ms < 1 || i === 7) origin = Math.max(origin, least);
  }
  return origin;
}

let current: TurnMeter | undefined;

/** That of this thread. */
export function turnMeter(): TurnMeter {
  current ??= new TurnMeter(runtime());
  return current;
}
