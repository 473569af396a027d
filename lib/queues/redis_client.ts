// What queues need of a client of the package `redis`, and how its replies are read.

/** A client of `redis` (node-redis 4 and newer), connected. */
export interface RedisCommands {
  sendCommand(args: string[]): PromiseLike<unknown>;
  duplicate(): RedisReader;
}

/** A connection of its own, for commands that wait. */
export interface RedisReader {
  on(event: 'error', listener: (error: Error) => void): unknown;
  connect(): PromiseLike<unknown>;
  sendCommand(args: string[]): PromiseLike<unknown>;
  destroy?(): unknown;
  disconnect?(): unknown;
}

/** An entry of a stream. */
export interface Entry {
  readonly id: string;
  readonly fields: ReadonlyMap<string, string>;
}

/** Of XRANGE and the like: [[id, [name, value, ...]], ...]; one that was deleted has no fields. */
export function entriesIn(reply: unknown): Entry[] {
  if (!Array.isArray(reply)) return [];
  return reply.map(entryIn).filter((entry) => entry !== undefined);
}

export function entryIn(reply: unknown): Entry | undefined {
  if (!Array.isArray(reply) || reply[0] === null) return undefined;
  const [id, values] = reply as [unknown, unknown];
  const fields = new Map<string, string>();
  const list = Array.isArray(values) ? values : [];
  for (let i = 0; i + 1 < list.length; i += 2) fields.set(String(list[i]), String(list[i + 1]));
  return { id: String(id), fields };
}

/** Of XREADGROUP on one stream: a list of pairs, or with RESP3 a map. Nothing came: null. */
export function entriesRead(reply: unknown): Entry[] {
  if (reply === null || reply === undefined) return [];
  if (reply instanceof Map) return entriesIn([...reply.values()][0]);
  if (Array.isArray(reply)) {
    const [first, second] = reply as unknown[];
    // A map of RESP3 may come as a flat list: name, entries.
    return entriesIn(typeof first === 'string' ? second : (first as unknown[] | undefined)?.[1]);
  }
  return entriesIn(Object.values(reply)[0]);
}
