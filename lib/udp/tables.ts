// Sockets by slot: what native code's numbers stand for, in this copy of the package.
interface Named {
  readonly _generation: number;
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
