// How long a server of the command line runs: until somebody ends it.

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process as usual. */
export function ended(): Promise<void> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const stop = () => {
      for (const signal of signals) process.removeListener(signal, stop);
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
}
