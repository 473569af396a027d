// What stands in the place of modules of Node's, for Loop.explain().

/** By the module's name: 'ringpoll', or why it is Node's own. */
export const faces = new Map<string, string>();

/** Why servers are Node's although their module is ringpoll's, and how many. */
export const fellBack = new Map<string, number>();

/** Which servers those are; undefined: that one is not. */
const reasons = new WeakMap<object, string | undefined>();

/** A server is Node's, for this reason: the first that is given when it listens. */
export function noteFallback(why: string, server: object): void {
  if (reasons.has(server)) return;
  fellBack.set(why, (fellBack.get(why) ?? 0) + 1);
  reasons.set(server, why);
}

/** A server is ringpoll's, whoever looks at it next. */
export function noteServed(server: object): void {
  if (!reasons.has(server)) reasons.set(server, undefined);
}

/** undefined: it is not, or it did not ask. */
export const fallbackOf = (server: object): string | undefined => reasons.get(server);

/** What wings have to report, for explain(): by name, once they have begun. */
export const reports = new Map<string, () => unknown>();
