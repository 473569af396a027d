// The trailer section of a body: a request's, and a response's for the client.
import { FIELD_WORDS } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';

const LENGTH_MASK = 0xffff;

/** Tells the fields of the event at `at`, as they were sent; native code lists them in `heads`. */
export function eachTrailer(
  { events, memory }: Runtime,
  heads: Uint32Array,
  at: number,
  tell: (name: string, value: string) => void,
): void {
  const slab = memory.slabs[events[at + 3]];
  const section = events[at + 4];
  const text = (start: number, length: number) =>
    slab.toString('latin1', section + start, section + start + length);
  for (let i = 0; i < events[at + 5]; i++) {
    const field = events[at + 6] + FIELD_WORDS * i;
    const [name, nameLength, value, length] = heads.subarray(field, field + FIELD_WORDS);
    tell(text(name, nameLength & LENGTH_MASK), text(value, length));
  }
}

/** Adds them, names in lower case; several are joined by ', '. */
export function readTrailers(
  runtime: Runtime,
  heads: Uint32Array,
  at: number,
  trailers: Record<string, string>,
): void {
  eachTrailer(runtime, heads, at, (name, value) => {
    const key = name.toLowerCase();
    // Not what every object has, such as 'constructor'.
    const before = Object.hasOwn(trailers, key) ? trailers[key] : undefined;
    trailers[key] = before === undefined ? value : `${before}, ${value}`;
  });
}
