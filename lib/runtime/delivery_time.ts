// The time, read once for all events of a delivery: reading it costs more than some handlers do.

let delivering = false;
let readMs = 0;
let waiting: (() => void)[] = [];

/** Events are told from now on. */
export function beginDelivery(): void {
  delivering = true;
  readMs = 0;
}

export function endDelivery(): void {
  delivering = false;
  if (waiting.length === 0) return;
  const all = waiting;
  waiting = [];
  for (const hear of all) hear();
}

/**
 * `hear` is called once, when all events of the delivery have been told; it must not throw. What
 * handlers have written leaves then. False: no events are being told, and it is not called.
 */
export function afterDelivery(hear: () => void): boolean {
  if (delivering) waiting.push(hear);
  return delivering;
}

/**
 * performance.now(), in milliseconds. While the events of a delivery are told, it is what the first
 * caller found: how long the handlers before this one took is not in it. Otherwise it is new.
 */
export function deliveryTime(): number {
  if (!delivering) return performance.now();
  if (readMs === 0) readMs = performance.now();
  return readMs;
}
