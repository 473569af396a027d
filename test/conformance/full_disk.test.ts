// A disk that is really full: a small file system of its own, in a namespace of its own.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../support/program.js';
import { temporaryFolder } from '../support/temporary.js';

const MOUNT = 'mount -t tmpfs -o size=512k ringpoll-test "$FULL_DISK"';
const FOUND_MS_MAX = 40_000;

/** Why there is no such file system here. */
function missing(folder: string): string | undefined {
  if (process.platform !== 'linux') return 'namespaces are a facility of Linux';
  const env = { ...process.env, FULL_DISK: folder };
  const tried = spawnSync('unshare', ['-rm', 'sh', '-c', MOUNT], { env, encoding: 'utf8' });
  if (tried.status === 0) return undefined;
  return `no tmpfs in a user namespace: ${tried.error?.message ?? tried.stderr.trim()}`;
}

describe('a disk that is full', () => {
  it('loses nothing that was taken, and serves on when there is room', {
    timeout: 60_000,
  }, async (context) => {
    const folder = temporaryFolder();
    const reason = missing(folder);
    context.skip(reason !== undefined, reason);
    const { code, stdout, stderr } = await runProgram('full_disk', {
      launcher: ['unshare', '-rm', 'sh', '-c', `${MOUNT} && exec "$0" "$@"`],
      env: { FULL_DISK: folder },
      args: [folder],
      msMax: FOUND_MS_MAX,
    });
    expect([code, stderr]).toEqual([0, '']);
    const { overflows, stops, configures } = JSON.parse(stdout);
    expect(overflows).toMatchObject({ isWhole: true, other: [], diskBytes: 0, again: 'memory' });
    expect(overflows.taken).toBeGreaterThan(300);
    expect(overflows.refused).toBeGreaterThan(100);
    expect(overflows.done).toBe(overflows.taken);
    const all = Array.from({ length: 100 }, (_, n) => n);
    expect(stops).toEqual({ first: 'ENOSPC', left: 100, second: 'done', got: all });
    const cutOff = { written: 'ENOSPC', told: ['SyntaxError'], held: 1, next: 3 };
    expect(configures).toEqual(cutOff);
  });
});
