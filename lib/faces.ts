// What stands in the place of modules of Node's, for Loop.explain().

/** By the module's name: 'ringpoll', or why it is Node's own. */
export const faces = new Map<string, string>();

/** Why servers are Node's although their module is ringpoll's, and how many. */
export const fellBack = new Map<string, number>();

/** A server is Node's, for this reason. */
export function countFallback(why: string): void {
  fellBack.set(why, (fellBack.get(why) ?? 0) + 1);
}
