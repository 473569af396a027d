// node:cluster: a worker that disconnects closes its servers, ours like those of node:net.
import { cluster } from '../builtins.js';

const stops = new Set<() => unknown>();
let hears = false;

/** Calls `stop` when this process is a worker and disconnects. Returns what takes that back. */
export function stopWithWorker(stop: () => unknown): () => void {
  // Only a process with a channel can be a worker: others need not load node:cluster.
  if (process.connected !== true) return () => {};
  const { worker } = cluster();
  if (worker === undefined) return () => {};
  stops.add(stop);
  if (!hears) {
    hears = true;
    worker.once('disconnect', () => {
      for (const each of stops) each();
    });
  }
  return () => stops.delete(stop);
}
