// What connections do now: how many in each state, and a list of them.
import type { NativeConnection } from '../runtime/native.js';
import { runtime } from '../runtime/runtime.js';

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

const counts = new Float64Array(CONNECTION_STATES.length);

/** Connections by state: idle and active are those of HTTP/1, open is all else that is served. */
export function census(): Census {
  runtime().native.census(counts);
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
