// The private names of Node's sockets, once they were found.
import type { NodeSocket, Symbols } from './seams.js';

const missing = Symbol('missing');

export let symbols: Symbols = {
  owner: missing,
  reinitialize: missing,
  buffer: missing,
  bufferCallback: missing,
  bufferMaker: missing,
  lastWrite: missing,
};

export function useSymbols(found: Symbols): void {
  symbols = found;
}

/** Whose handle it is: Node writes it there. */
export function socketOf(handle: object): NodeSocket | undefined {
  return (handle as Record<symbol, NodeSocket | undefined>)[symbols.owner];
}
