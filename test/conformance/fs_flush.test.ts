// Flushes where no ring does them: many at a time, on threads that outlive nobody.
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { explain, open } from 'ringpoll/fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';

const pooled = (name: string) =>
  explain().operations.find(({ operation }) => operation === name)!.pool;

describe('flushes without the ring', () => {
  it('of many files end all, each behind its own write', async () => {
    const folder = temporaryFolder();
    const names = Array.from({ length: 40 }, (_, index) => join(folder, `log${index}`));
    const before = pooled('datasync');
    const handles = await Promise.all(
      names.map((name) => open(name, 'a', undefined, { engine: 'pool' })),
    );
    const rounds = 5;
    const append = async (index: number) => {
      for (let round = 0; round < rounds; round += 1) {
        await handles[index]!.write(`${index} ${round}\n`);
        await handles[index]!.datasync();
      }
      await handles[index]!.sync();
    };
    await Promise.all(names.map((_, index) => append(index)));
    expect(pooled('datasync') - before).toBe(names.length * rounds);
    await Promise.all(handles.map((handle) => handle.close()));
    for (const [index, name] of names.entries()) {
      const expected = Array.from({ length: rounds }, (_, round) => `${index} ${round}\n`).join('');
      expect(nodeFs.readFileSync(name, 'utf8')).toBe(expected);
    }
  });

  it('fail like those of node:fs', async () => {
    const handle = await open('/dev/null', 'r+', undefined, { engine: 'pool' });
    const real = await nodeFs.promises.open('/dev/null', 'r+');
    for (const call of ['sync', 'datasync'] as const) {
      const tell = (error: NodeJS.ErrnoException) => {
        const { message, code, errno, syscall } = error;
        return { message, code, errno, syscall };
      };
      const expected = await real[call]().then(() => 'no error', tell);
      expect(expected).not.toBe('no error');
      expect(await handle[call]().then(() => 'no error', tell)).toEqual(expected);
    }
    await real.close();
    await handle.close();
  });
});
