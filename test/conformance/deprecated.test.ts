// Old names: they do what the new ones do, and warn once.
import nodeFs from 'node:fs';
import { join } from 'node:path';
import * as fs from 'ringpoll/fs';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { deprecationsOf } from '../support/warnings.js';

describe("engine: 'poll' of a file", () => {
  it("means 'pool', and warns once", async () => {
    const path = join(temporaryFolder(), 'file');
    nodeFs.writeFileSync(path, 'content');
    const ringReads = () => fs.explain().operations.reduce((sum, { ring }) => sum + ring, 0);
    const before = ringReads();
    const read = async () => {
      expect(await fs.readFile(path, { encoding: 'utf8', engine: 'poll' })).toBe('content');
      const handle = await fs.open(path, 'r', undefined, { engine: 'poll' });
      expect(await handle.readFile('utf8')).toBe('content');
      await handle.close();
    };
    expect(await deprecationsOf(read)).toEqual(['RINGPOLL_DEP_FILE_POLL']);
    expect(await deprecationsOf(read)).toEqual([]);
    expect(ringReads()).toBe(before);
  });

  it("with 'pool' warns of nothing", async () => {
    const path = join(temporaryFolder(), 'file');
    nodeFs.writeFileSync(path, 'content');
    expect(await deprecationsOf(() => fs.readFile(path, { engine: 'pool' }))).toEqual([]);
  });
});
