// What a process warns of.

/** The codes of the deprecations that `work` is warned of, in order. */
export async function deprecationsOf(work: () => unknown): Promise<(string | undefined)[]> {
  const codes: (string | undefined)[] = [];
  const heard = (warning: Error & { code?: string }) => {
    if (warning.name === 'DeprecationWarning') codes.push(warning.code);
  };
  process.on('warning', heard);
  try {
    await work();
    // Warnings come on a tick of their own.
    await new Promise(setImmediate);
  } finally {
    process.off('warning', heard);
  }
  return codes;
}
