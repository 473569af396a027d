// Which ready task runs next: weighted round robin over the classes, with two queues so that no
// class starves. It knows no clock and no promises; the drive tells it what each step cost.
//
//   main     connection ─▶ request ─▶ business ─▶ connection ...
//            a visit adds weight × quantum to the credit; with credit the class has its turn, which
//            lasts until the credit or the tasks are used up, and costs it decay of its weight;
//            in debt (a step was longer than its turn) it is passed over
//   starved  classes that had no turn for so many rounds; they stand before everything in main,
//            with boosted weight and without debt
//
// A round is a pass over the classes, or as many passes as fill the time of one slice: else a long
// step would be forgiven as soon as three short ones of others have run.
import { ClassQueue, type Queueable } from './class_queue.js';
import type { FairnessOptions } from './types.js';

export interface Fairness extends Required<Omit<FairnessOptions, 'weights'>> {
  /** Milliseconds of steps that a round holds at least. */
  roundMs: number;
}

// A step that the clock could not see still costs something, or its turn would never end.
const STEP_MS_MIN = 0.0005;

export class ReadyQueue<T extends Queueable> {
  /** Tasks in all classes. */
  size = 0;
  rounds = 0;
  starvations = 0;
  readonly classes: readonly ClassQueue<T>[];
  readonly #fairness: Fairness;
  readonly #starved: ClassQueue<T>[] = [];
  #current: ClassQueue<T> | null = null;
  #cursor = 0;
  #roundMs = 0;

  constructor(weights: readonly number[], fairness: Fairness) {
    this.classes = weights.map((weight) => new ClassQueue<T>(weight));
    this.#fairness = fairness;
  }

  get starvedCount(): number {
    return this.#starved.length;
  }

  push(task: T, classIndex: number, key: unknown): void {
    this.classes[classIndex].push(task, key);
    this.size++;
  }

  /** The task whose turn it is, taken out of the queue; null when there is none. */
  shift(): T | null {
    if (this.size === 0) return null;
    let current = this.#current;
    if (current === null || current.count === 0 || current.credit <= 0) {
      current = this.#choose();
      this.#current = current;
    }
    this.size--;
    return current.shift();
  }

  /** Tells what a step of a task of that class and key cost. */
  charge(classIndex: number, key: unknown, ms: number): void {
    const charged = this.classes[classIndex];
    const cost = ms > STEP_MS_MIN ? ms : STEP_MS_MIN;
    charged.credit -= cost;
    this.#roundMs += cost;
    if (cost > this.#fairness.quantum) charged.defer(key);
  }

  #choose(): ClassQueue<T> {
    const only = this.#onlyReady();
    if (only !== null) return this.#beginAlone(only);
    for (;;) {
      const starved = this.#starved.shift();
      if (starved !== undefined) {
        starved.starved = false;
        if (starved.count > 0) return this.#begin(starved, starved.weight * this.#fairness.quantum);
        continue;
      }
      const visited = this.classes[this.#cursor];
      this.#cursor++;
      if (this.#cursor === this.classes.length) {
        this.#endPass();
      }
      if (this.#visit(visited)) return this.#begin(visited, visited.credit);
    }
  }

  #endPass(): void {
    this.#cursor = 0;
    if (this.#roundMs < this.#fairness.roundMs) return;
    this.#roundMs = 0;
    this.rounds++;
  }

  #onlyReady(): ClassQueue<T> | null {
    let only: ClassQueue<T> | null = null;
    for (const candidate of this.classes) {
      if (candidate.count === 0) continue;
      if (only !== null) return null;
      only = candidate;
    }
    return only;
  }

  /** Nobody else is ready: there is no debt to anyone, and the others start afresh. */
  #beginAlone(only: ClassQueue<T>): ClassQueue<T> {
    for (const other of this.classes) {
      if (other === only) continue;
      other.weight = other.base;
      other.credit = 0;
      other.missed = 0;
    }
    if (only.starved) {
      only.starved = false;
      this.#starved.splice(this.#starved.indexOf(only), 1);
    }
    return this.#begin(only, only.weight * this.#fairness.quantum);
  }

  /** Whether the class has its turn on this visit. */
  #visit(visited: ClassQueue<T>): boolean {
    const { quantum, roundMs, starveAfter, boost } = this.#fairness;
    // Credit is not saved up: what the last turn left is gone, what it overdrew is not. No debt
    // outlasts the rounds after which it would be forgiven anyway.
    const debt = Math.max(Math.min(visited.credit, 0), -starveAfter * roundMs);
    visited.credit = debt + visited.weight * quantum;
    if (visited.count === 0) {
      if (visited.credit > 0) visited.weight = visited.base;
      visited.missed = 0;
      return false;
    }
    if (visited.credit > 0) return true;
    if (visited.missedRound === this.rounds) return false;
    visited.missedRound = this.rounds;
    visited.missed++;
    if (visited.missed >= starveAfter) {
      visited.missed = 0;
      visited.weight = Math.min(visited.weight * boost, visited.base * boost);
      visited.starved = true;
      this.starvations++;
      this.#starved.push(visited);
    }
    return false;
  }

  #begin(chosen: ClassQueue<T>, credit: number): ClassQueue<T> {
    const { decay, floor } = this.#fairness;
    chosen.credit = credit;
    chosen.missed = 0;
    chosen.missedRound = -1;
    chosen.weight = Math.max(chosen.weight * decay, chosen.base * floor);
    return chosen;
  }
}
