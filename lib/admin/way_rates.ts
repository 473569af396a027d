// Which engine or route did how many operations a second.
import { type Explanation, Loop } from '../index.js';

/** Between two looks. */
const WAYS_MS = 4500;

export interface WayRate {
  operation: string;
  way: string;
  /** Operations a second. */
  rate: number;
}

function waysOf({ receive, send, open, file }: Explanation): [string, string, number][] {
  const routes = Object.entries(receive.routes).map(([route, { receives }]) => {
    return ['receive', route, receives] as [string, string, number];
  });
  const others = Object.entries({ send, open, file }).flatMap(([operation, { ways }]) =>
    Object.entries(ways).map(([way, count]): [string, string, number] => [operation, way, count]),
  );
  return [...routes, ...others];
}

/** Asking for them costs more than all else, and they change slowly: not every report asks. */
export class WayRates {
  /** Of those that there have been, when it was looked last. */
  rates: WayRate[] = [];
  #at = performance.now();
  #counts = new Map<string, number>();
  #due = 0;

  constructor() {
    this.look(this.#at);
    // What there was before is known now: the next look tells rates.
    this.#due = 0;
  }

  look(at: number): void {
    if (at < this.#due) return;
    this.#due = at + WAYS_MS;
    const seconds = Math.max(1, at - this.#at) / 1000;
    this.#at = at;
    const ways = waysOf(Loop.current().explain()).filter(([, , count]) => count > 0);
    this.rates = ways.map(([operation, way, count]) => {
      const key = `${operation} ${way}`;
      const rate = (count - (this.#counts.get(key) ?? 0)) / seconds;
      this.#counts.set(key, count);
      return { operation, way, rate };
    });
  }
}
