// What differs when the suite runs over TLS.
import { expect } from 'vitest';

export const overTls = process.env.RINGPOLL_TEST_TLS !== undefined;

/** bytesRead and bytesWritten count what the socket has seen: over TLS more than was said. */
export function expectCounted(counted: number, said: number): void {
  if (overTls) expect(counted).toBeGreaterThan(said);
  else expect(counted).toBe(said);
}
