// How a face looks for private members of Node that it stands on: before it relies on them.

/** What is missing, in words. */
export class SeamMissing extends Error {}

/** @throws SeamMissing */
export function demand(found: boolean, what: string): asserts found {
  if (!found) throw new SeamMissing(`Node ${process.version} has no ${what}`);
}

/** The symbol of an object that is described so, or undefined. */
export function describedSymbol(of: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(of).find((each) => each.description === description);
}

/** @throws SeamMissing, which names it as `what` */
export function symbolOf(of: object, description: string, what: string): symbol {
  const found = describedSymbol(of, description);
  demand(found !== undefined, what);
  return found;
}
