// Who is next, without promises and without a clock: the ready queue by itself.
import { describe, expect, it } from 'vitest';
import type { Queueable } from '../../lib/scheduler/class_queue.js';
import { type Fairness, ReadyQueue } from '../../lib/scheduler/ready_queue.js';
import { Random } from '../support/random.js';

const WEIGHTS = [4, 2, 1];
const FAIRNESS: Fairness = {
  ...{ quantum: 1, decay: 0.95, floor: 0.25, starveAfter: 3, boost: 3, roundMs: 50 },
};
const SEEDS = 40;
const STEPS = 3000;

interface Item extends Queueable {
  classIndex: number;
  key: unknown;
  /** How many steps its class had when it became ready. */
  at: number;
  /** Tasks of the same class and key that were ready before it. */
  ahead: number;
}

function item(classIndex: number, key?: unknown): Item {
  return { queueNext: null, classIndex, key, at: 0, ahead: 0 };
}

function filled(count: number, classes = [0, 1, 2]): ReadyQueue<Item> {
  const queue = new ReadyQueue<Item>(WEIGHTS, FAIRNESS);
  for (const classIndex of classes) {
    for (let index = 0; index < count; index++) queue.push(item(classIndex), classIndex, undefined);
  }
  return queue;
}

/** Runs steps of `ms` and counts the time that each class got. */
function shares(queue: ReadyQueue<Item>, steps: number, ms: (classIndex: number) => number) {
  const got = [0, 0, 0];
  for (let step = 0; step < steps; step++) {
    const next = queue.shift();
    if (next === null) break;
    got[next.classIndex] += ms(next.classIndex);
    queue.charge(next.classIndex, next.key, ms(next.classIndex));
    queue.push(next, next.classIndex, next.key);
  }
  return got;
}

describe('the ready queue', () => {
  it('is first in, first out within a class', () => {
    const queue = new ReadyQueue<Item>(WEIGHTS, FAIRNESS);
    const items = [1, 2, 3].map(() => item(1));
    for (const each of items) queue.push(each, 1, undefined);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([...items, null]);
    expect(queue.size).toBe(0);
  });

  it('lets keys take turns within a class', () => {
    const queue = new ReadyQueue<Item>(WEIGHTS, FAIRNESS);
    const keys = ['a', 'a', 'a', 'b', undefined, undefined];
    for (const key of keys) queue.push(item(2, key), 2, key);
    const order = keys.map(() => queue.shift()?.key);
    expect(order).toEqual(['a', 'b', undefined, 'a', undefined, 'a']);
  });

  it('shares time by weight when every class is busy', () => {
    const got = shares(filled(10), 20_000, () => 0.01);
    expect(got[0] / got[2]).toBeGreaterThan(3.5);
    expect(got[0] / got[2]).toBeLessThan(4.5);
    expect(got[1] / got[2]).toBeGreaterThan(1.75);
    expect(got[1] / got[2]).toBeLessThan(2.25);
  });

  it('shares time and not turns: long steps are paid for', () => {
    const got = shares(filled(10, [0, 2]), 20_000, (classIndex) => (classIndex === 0 ? 0.5 : 0.05));
    expect(got[0] / got[2]).toBeGreaterThan(3.5);
    expect(got[0] / got[2]).toBeLessThan(4.6);
  });

  it('lowers the weight by 5 % for each turn, down to the floor', () => {
    const queue = filled(2, [0, 1]);
    const [connection] = queue.classes;
    queue.shift();
    expect(connection.weight).toBeCloseTo(4 * 0.95);
    shares(queue, 5000, () => 1);
    expect(connection.weight).toBeCloseTo(1);
  });

  it('gives a class its own weight back when the others were alone', () => {
    const queue = filled(1, [0, 1]);
    shares(queue, 5000, () => 1);
    while (queue.size > 0) queue.shift();
    shares(filledInto(queue, 1), 10, () => 1);
    expect(queue.classes[0].weight).toBe(4);
  });

  it('puts a class that missed three rounds first, with three times its weight', () => {
    const queue = filled(100, [0, 2]);
    const business = queue.classes[2];
    const stepUntilBusiness = () => {
      let steps = 0;
      for (let next = queue.shift() as Item; next.classIndex !== 2; next = queue.shift() as Item) {
        queue.charge(next.classIndex, undefined, 1);
        queue.push(next, next.classIndex, undefined);
        steps++;
      }
      return steps;
    };
    stepUntilBusiness();
    // A step far longer than a turn: the class would be in debt for hundreds of passes.
    queue.charge(2, undefined, 1000);
    const { weight } = business;
    const steps = stepUntilBusiness();
    expect(queue.starvations).toBe(1);
    expect(steps).toBeLessThan(3 * FAIRNESS.roundMs + 20);
    expect(business.credit).toBeCloseTo(weight * 3);
    expect(business.weight).toBeCloseTo(weight * 3 * 0.95);
  });

  it('passes over a key that ran for long until the others have had their turn', () => {
    const queue = new ReadyQueue<Item>(WEIGHTS, FAIRNESS);
    queue.push(item(1, 'hog'), 1, 'hog');
    for (const key of ['a', 'a', 'a', 'b', 'b']) queue.push(item(1, key), 1, key);
    const hog = queue.shift() as Item;
    queue.push(hog, 1, 'hog');
    queue.charge(1, 'hog', 50);
    const order = Array.from({ length: 6 }, () => queue.shift()?.key);
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'hog']);
  });

  it('forgives debts when nobody else is ready', () => {
    const queue = filled(2, [2]);
    queue.shift();
    queue.charge(2, undefined, 1000);
    queue.shift();
    expect(queue.classes[2].credit).toBeGreaterThan(0);
    expect(queue.starvations).toBe(0);
  });

  it('ends a turn even when steps take no time that the clock can see', () => {
    const got = shares(filled(3), 200_000, () => 0);
    expect(got).toEqual([0, 0, 0]);
  });
});

function filledInto(queue: ReadyQueue<Item>, classIndex: number): ReadyQueue<Item> {
  queue.push(item(classIndex), classIndex, undefined);
  return queue;
}

// The bound of docs/scheduler.md has two parts. While a class has ready tasks, the next of them
// gets its step within r · (S + Σ (boost · weight · quantum + L)), the sum over the other classes.
// And a task with p others of its key ahead has the (p + 1) · 2P-th step of its class at the
// latest, with P tasks of that class ready at most.
function turnBound(classIndex: number, stepMsMax: number): number {
  const { boost, quantum, roundMs, starveAfter } = FAIRNESS;
  const others = WEIGHTS.reduce(
    (sum, weight, index) =>
      index === classIndex ? sum : sum + boost * weight * quantum + stepMsMax,
    0,
  );
  return starveAfter * (roundMs + others);
}

interface Play {
  late: string[];
  starvations: number;
  /** The longest wait for a turn, and the latest step, as shares of their bounds. */
  turnShare: number;
  stepShare: number;
}

/** A seeded play of arrivals and steps, some of them a whole slice long, over a virtual clock. */
class Stage {
  readonly random: Random;
  readonly queue: ReadyQueue<Item>;
  readonly stepMsMax: number;
  readonly result: Play = { late: [], starvations: 0, turnShare: 0, stepShare: 0 };
  readonly #away: Item[] = [];
  readonly #population = WEIGHTS.map(() => 0);
  readonly #readyByKey = new Map<string, number>();
  /** Since when a class has ready tasks and no step; undefined while it has none. */
  readonly #since: (number | undefined)[] = WEIGHTS.map(() => undefined);
  readonly #steps = WEIGHTS.map(() => 0);
  readonly #hogs: number;
  #now = 0;

  constructor(seed: number, fairness: Fairness) {
    this.random = new Random(seed);
    this.queue = new ReadyQueue<Item>(WEIGHTS, fairness);
    this.stepMsMax = 1 + this.random.below(60);
    this.#hogs = this.random.next();
    const keys = 1 + this.random.below(4);
    const count = 3 + this.random.below(30);
    for (let index = 0; index < count; index++) {
      const key = this.random.below(keys);
      const made = item(this.random.below(WEIGHTS.length), key === 0 ? undefined : key);
      this.#population[made.classIndex]++;
      this.#away.push(made);
    }
  }

  step(): void {
    const { random, queue } = this;
    while (this.#away.length > 0 && (queue.size === 0 || random.chance(0.5))) {
      this.#enter(this.#away.splice(random.below(this.#away.length), 1)[0]);
    }
    const next = queue.shift() as Item;
    this.#check(next);
    // Tasks of the lowest class are the hogs more often than others.
    const isHog = random.chance(this.#hogs * (next.classIndex === 2 ? 0.9 : 0.2));
    const step = isHog ? this.stepMsMax : random.next() * 0.5;
    this.#now += step;
    const stays = random.chance(0.9);
    // As in the drive: a task that yields is in the queue again before its step is paid for.
    if (stays) this.#enter(next);
    else this.#away.push(next);
    queue.charge(next.classIndex, next.key, step);
    const { classIndex } = next;
    this.#since[classIndex] = queue.classes[classIndex].count > 0 ? this.#now : undefined;
  }

  #enter(entering: Item): void {
    const { classIndex, key } = entering;
    const name = `${classIndex}/${key}`;
    entering.at = this.#steps[classIndex];
    entering.ahead = this.#readyByKey.get(name) ?? 0;
    this.#readyByKey.set(name, entering.ahead + 1);
    this.#since[classIndex] ??= this.#now;
    this.queue.push(entering, classIndex, key);
  }

  #check({ classIndex, key, at, ahead }: Item): void {
    const name = `${classIndex}/${key}`;
    this.#readyByKey.set(name, (this.#readyByKey.get(name) ?? 0) - 1);
    const waited = this.#now - (this.#since[classIndex] ?? this.#now);
    const waitedMax = turnBound(classIndex, this.stepMsMax);
    this.#steps[classIndex]++;
    const step = this.#steps[classIndex] - at;
    const stepMax = (ahead + 1) * 2 * this.#population[classIndex];
    const { result } = this;
    if (waited > waitedMax) result.late.push(`class ${classIndex}: ${waited} > ${waitedMax} ms`);
    if (step > stepMax) result.late.push(`key ${key}: step ${step} > ${stepMax}`);
    result.turnShare = Math.max(result.turnShare, waited / waitedMax);
    result.stepShare = Math.max(result.stepShare, step / stepMax);
  }
}

function play(seed: number, fairness = FAIRNESS): Play {
  const stage = new Stage(seed, fairness);
  for (let step = 0; step < STEPS; step++) stage.step();
  stage.result.starvations = stage.queue.starvations;
  return stage.result;
}

describe('the bound on how long a ready task waits', () => {
  it(`holds in ${SEEDS} seeded plays`, () => {
    const plays = Array.from({ length: SEEDS }, (_, seed) => play(seed));
    expect(plays.flatMap(({ late }) => late)).toEqual([]);
    // The plays come near to what they are meant to test.
    expect(plays.filter(({ starvations }) => starvations > 0).length).toBeGreaterThan(SEEDS / 4);
    expect(Math.max(...plays.map(({ turnShare }) => turnShare))).toBeGreaterThan(0.4);
    expect(Math.max(...plays.map(({ stepShare }) => stepShare))).toBeGreaterThan(0.4);
  });

  it('does not hold without the starved queue (so the plays can tell)', () => {
    const never = { ...FAIRNESS, starveAfter: 1000 };
    const late = Array.from({ length: SEEDS }, (_, seed) => play(seed, never).late).flat();
    expect(late.length).toBeGreaterThan(0);
  });
});
