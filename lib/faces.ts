// What stands in the place of modules of Node's, for Loop.explain().

/** By the module's name: 'ringpoll', or why it is Node's own. */
export const faces = new Map<string, string>();
