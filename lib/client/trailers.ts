// The trailer section of a response's body.

import { FIELD_WORDS } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';

const LENGTH_MASK = 0xffff;

/** Adds the fields of the event at `at`, names in lower case; several are joined by ', '. */
export function readFields(
  { events, memory }: Runtime,
  at: number,
  trailers: Record<string, string>,
): void {
  const slab = memory.slabs[events[at + 3]];
  const section = events[at + 4];
  const text = (start: number, length: number) =>
    slab.toString('latin1', section + start, section + start + length);
  for (let i = 0; i < events[at + 5]; i++) {
    const field = events[at + 6] + FIELD_WORDS * i;
    const [name, nameLength, value, length] = memory.clientHeads.subarray(field, field + 4);
    const key = text(name, nameLength & LENGTH_MASK).toLowerCase();
    const before = Object.hasOwn(trailers, key) ? trailers[key] : undefined;
    trailers[key] =
      before === undefined ? text(value, length) : `${before}, ${text(value, length)}`;
  }
}
