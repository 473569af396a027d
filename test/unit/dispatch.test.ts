// The walk over a turn's events, which another copy of the package in the thread may be meant by.
import { expect, it } from 'vitest';
import { registerSink, type Wing, walkEvents } from '../../lib/runtime/dispatch.js';
import { Control, RECORD_WORDS } from '../../lib/runtime/protocol.js';

const OWN = 0 as Wing;
const OF_ANOTHER_COPY = 48;

it('events of a wing that this copy has not loaded are passed over, and the rest delivered', () => {
  const seen: number[] = [];
  registerSink(OWN, { event: (kind) => seen.push(kind) });
  const kinds = [1, OF_ANOTHER_COPY, 2];
  const events = new Int32Array(kinds.length * RECORD_WORDS);
  for (const [i, kind] of kinds.entries()) events[i * RECORD_WORDS] = kind;
  const control = new Int32Array(16);
  control[Control.eventCount] = kinds.length;
  walkEvents({ control, events });
  expect(seen).toEqual([1, 2]);
});
