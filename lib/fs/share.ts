// What a turn of the event loop may spend on answers that come at once. A promise that is resolved
// when it is made lets its caller go on without the event loop having turned, so a loop of reads
// would keep out everything else. When the share is used up, the next operation waits for a turn.

/** Bytes moved in one turn, and what a call counts for beside its bytes. */
const SHARE_BYTES = 1024 * 1024;
const CALL_BYTES = 2048;

let left = SHARE_BYTES;
let waiting: Promise<void> | undefined;

/** Takes from this turn's share. False: wait for nextTurn() first. */
export function spend(bytes: number): boolean {
  if (left <= 0) return false;
  left -= bytes + CALL_BYTES;
  return true;
}

function renew(resolve: () => void): void {
  left = SHARE_BYTES;
  waiting = undefined;
  resolve();
}

/** Resolves in the next turn of the event loop: one timer for all who wait. */
export function nextTurn(): Promise<void> {
  waiting ??= new Promise((resolve) => setImmediate(renew, resolve));
  return waiting;
}
