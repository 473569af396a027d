// How a server of the benchmarks ends.

/** A signal calls `stop`, and ends the process when that is done; a second one ends it at once. */
export function endOnSignal(stop) {
  let stopping = false;
  async function end() {
    if (stopping) process.exit(1);
    stopping = true;
    await stop();
    process.exit(0);
  }
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}
