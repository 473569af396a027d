// The trailer section of a request's body.
import type { Runtime } from '../runtime/runtime.js';

/** Adds the fields of the event at `at`, names in lower case; several are joined by ', '. */
export function readTrailers(
  { events, memory }: Runtime,
  at: number,
  trailers: Record<string, string>,
): void {
  const slab = memory.slabs[events[at + 3]];
  const section = events[at + 4];
  const fields = events[at + 6];
  const text = (start: number, length: number) =>
    slab.toString('latin1', section + start, section + start + length);
  for (let i = 0; i < events[at + 5]; i++) {
    const [name, nameLength, value, length] = memory.heads.subarray(fields + 4 * i);
    const key = text(name, nameLength & 0xffff).toLowerCase();
    const before = trailers[key];
    const added = text(value, length);
    trailers[key] = before === undefined ? added : `${before}, ${added}`;
  }
}
