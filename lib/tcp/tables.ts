// What native code's numbers stand for: connections by slot, endpoints by id. All of this copy
// of the package.
import { Connection } from './connection.js';
import { failed } from './delivery.js';
import type { Endpoint } from './endpoint.js';

export type AnyConnection = Connection;
export type AnyEndpoint = Endpoint<Connection>;

export const connections: (AnyConnection | undefined)[] = [];
export const endpoints: (AnyEndpoint | undefined)[] = [];

/** Takes all events of the connections of an endpoint, in the place of the handlers here. */
export type Taker = (kind: number, at: number, events: Int32Array) => void;
/** By endpoint. */
export const takers: (Taker | undefined)[] = [];

/** From here on the events of the endpoint are the taker's; undefined: it is over. */
export function giveEndpoint(endpointId: number, taker: Taker | undefined): void {
  while (takers.length < endpointId) takers.push(undefined);
  takers[endpointId] = taker;
}

/** From here on the connection is found by its slot. */
export function keepConnection<Data>(connection: Connection<Data>): void {
  while (connections.length < connection._slot) connections.push(undefined);
  connections[connection._slot] = connection as unknown as AnyConnection;
}

/** From here on events of the endpoint's connections find it. */
export function keepEndpoint<Data>(endpoint: Endpoint<Connection<Data>>, endpointId: number): void {
  endpoint.id = endpointId;
  // A look beyond its end would be a slow one.
  while (takers.length <= endpointId) takers.push(undefined);
  endpoints[endpointId] = endpoint as unknown as AnyEndpoint;
}

/** Native code has nothing of it any more, and may give its number to another copy's endpoint. */
export function leaveEndpoint<Data>(endpoint: Endpoint<Connection<Data>>): void {
  if (endpoints[endpoint.id] === (endpoint as unknown)) endpoints[endpoint.id] = undefined;
}

/** Connections are made when the first handler needs them: an idle one may never be. */
export function connectionAt(
  slot: number,
  generation: number,
  endpointId: number,
): AnyConnection | undefined {
  const known = connections[slot];
  if (known !== undefined) return known._generation === generation ? known : undefined;
  const endpoint = endpoints[endpointId];
  if (endpoint === undefined) return undefined;
  const connection = new Connection(endpoint, slot, generation);
  connections[slot] = connection;
  if (endpoint.makeData !== undefined) {
    try {
      connection.data = endpoint.makeData(connection);
    } catch (error) {
      failed(connection, error);
    }
  }
  return connection;
}
