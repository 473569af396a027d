// Who is behind the numbers of native code: connections by slot, groups by owner. All of this copy
// of the package.
import { Connection } from './connection.js';
import type { Group } from './group.js';

export type AnyConnection = Connection;
export type AnyGroup = Group<Connection>;

export const connections: (AnyConnection | undefined)[] = [];
export const groups: (AnyGroup | undefined)[] = [];

/** From here on the connection is found by its slot. */
export function keepConnection<Data>(connection: Connection<Data>): void {
  while (connections.length < connection._slot) connections.push(undefined);
  connections[connection._slot] = connection as unknown as AnyConnection;
}

/** From here on events of the owner's connections find the group. */
export function keepGroup<Data>(group: Group<Connection<Data>>, owner: number): void {
  group.owner = owner;
  groups[owner] = group as unknown as AnyGroup;
}

/** Native code has nothing of it any more, and may give its number to another copy's group. */
export function leaveGroup<Data>(group: Group<Connection<Data>>): void {
  if (groups[group.owner] === (group as unknown)) groups[group.owner] = undefined;
}

/** Connections are made when the first handler needs them: an idle one may never be. */
export function connectionAt(
  slot: number,
  generation: number,
  owner: number,
): AnyConnection | undefined {
  const known = connections[slot];
  if (known !== undefined) return known._generation === generation ? known : undefined;
  const group = groups[owner];
  if (group === undefined) return undefined;
  const connection = new Connection(group, slot, generation);
  connections[slot] = connection;
  return connection;
}
