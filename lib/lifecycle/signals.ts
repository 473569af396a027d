// Signals of the process that begin a shutdown: the first one asks, the second one forces.
import { constants } from 'node:os';
import type { Clock } from '../scheduler/clock.js';

// Ctrl+C in a terminal reaches a program twice when its parent, such as npm, passes it on.
const REPEAT_MS = 100;
const EXIT_BY_SIGNAL = 128;

export type Told = (name: NodeJS.Signals, exitCode: number, forces: boolean) => void;

export class Signals {
  readonly #names: readonly NodeJS.Signals[];
  readonly #clock: Clock;
  readonly #told: Told;
  #listening = false;
  #firstMs: number | undefined;

  constructor(names: readonly NodeJS.Signals[], clock: Clock, told: Told) {
    this.#names = names;
    this.#clock = clock;
    this.#told = told;
  }

  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    for (const name of this.#names) process.on(name, this.#came);
  }

  leave(): void {
    this.#listening = false;
    for (const name of this.#names) process.removeListener(name, this.#came);
  }

  readonly #came = (name: NodeJS.Signals): void => {
    const nowMs = this.#clock.now();
    if (this.#firstMs !== undefined && nowMs - this.#firstMs < REPEAT_MS) return;
    const forces = this.#firstMs !== undefined;
    this.#firstMs ??= nowMs;
    this.#told(name, EXIT_BY_SIGNAL + (constants.signals[name] ?? 0), forces);
  };
}
