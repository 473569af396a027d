// Sockets by slot: what native code's numbers stand for, in this copy of the package.
import type { Packet } from './packet.js';

/** Who hears the events of a socket. */
export interface Named {
  readonly _generation: number;
  /** True: they are kept for longer than the turn. */
  _data(packets: readonly Packet[]): boolean;
  _drain(): void;
  _error(error: Error): void;
  _close(error: Error | undefined): void;
  /** Its own code threw. */
  _failed(thrown: unknown): void;
}

const sockets: (Named | undefined)[] = [];

export function keepSocket(slot: number, socket: Named): void {
  while (sockets.length < slot) sockets.push(undefined);
  sockets[slot] = socket;
}

export function leaveSocket(slot: number, socket: Named): void {
  if (sockets[slot] === socket) sockets[slot] = undefined;
}

export function socketAt(slot: number, generation: number): Named | undefined {
  const socket = sockets[slot];
  return socket?._generation === generation ? socket : undefined;
}
