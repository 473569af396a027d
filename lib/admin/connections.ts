// What connections do now: how many in each state, and a list of them.
import type { NativeConnection } from '../runtime/native.js';
import { runtime } from '../runtime/runtime.js';
import type { Pieces } from './pieces.js';

/** In the order of native/binding/metering.cc. */
export const CONNECTION_STATES = [
  'connecting',
  'handshake',
  'idle',
  'active',
  'open',
  'ending',
  'closing',
] as const;
export type ConnectionState = (typeof CONNECTION_STATES)[number];
const ROUTES = ['readiness', 'completion', 'poll'] as const;

export type Census = Record<ConnectionState, number>;

/** Slots that are looked at in one turn. */
const SLOTS_AT_ONCE = 4096;

/**
 * Connections by state: idle and active are those of HTTP/1, open is all else that is served.
 * Others have their turn within it, so the numbers of a large server are not of one moment.
 */
export async function census(pieces: Pieces, atOnce = SLOTS_AT_ONCE): Promise<Census> {
  const counts = new Float64Array(CONNECTION_STATES.length);
  const { native } = runtime();
  let slot = native.census(counts, 0, atOnce);
  while (slot > 0) {
    await pieces.pause();
    slot = native.census(counts, slot, atOnce);
  }
  const entries = CONNECTION_STATES.map((state, index) => [state, counts[index]]);
  return Object.fromEntries(entries) as Census;
}

export interface ConnectionRow extends Omit<NativeConnection, 'state' | 'route'> {
  state: ConnectionState;
  route: (typeof ROUTES)[number];
}

/** At most `most` connections, in the order of their slots, from slot `from` on. */
export function listConnections(from: number, most: number): ConnectionRow[] {
  return runtime()
    .native.connectionList(from, most)
    .map((row) => ({ ...row, state: CONNECTION_STATES[row.state], route: ROUTES[row.route] }));
}
