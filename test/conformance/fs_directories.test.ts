// Folders, links and permissions: node:fs under the names of ringpoll/fs.
import * as nodeFs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fs from 'ringpoll/fs';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { codeOf, within } from '../support/recorder.js';

describe('ringpoll/fs', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), 'ringpoll-'));
    onTestFinished(() => fs.rm(folder, { recursive: true, force: true }));
  });

  it('makes, lists and removes folders', async () => {
    expect(await fs.mkdir(join(folder, 'a', 'b'), { recursive: true })).toBe(join(folder, 'a'));
    await fs.writeFile(join(folder, 'a', 'file'), 'x');
    const names: string[] = [];
    for await (const entry of await fs.opendir(join(folder, 'a'))) {
      names.push(`${entry.name} ${entry.isDirectory()}`);
    }
    expect(names.sort()).toEqual(['b true', 'file false']);
    await fs.rmdir(join(folder, 'a', 'b'));
    await fs.rm(join(folder, 'a'), { recursive: true });
    expect(await fs.readdir(folder)).toEqual([]);
  });

  it('makes links of both kinds, and resolves them', async () => {
    const [file, hard, soft] = ['file', 'hard', 'soft'].map((name) => join(folder, name));
    await fs.writeFile(file!, 'x');
    await fs.link(file!, hard!);
    await fs.symlink(file!, soft!);
    expect((await fs.stat(hard!)).nlink).toBe(2);
    expect(await fs.readlink(soft!)).toBe(file);
    expect(await fs.realpath(soft!)).toBe(nodeFs.realpathSync(file!));
  });

  it('changes and checks permissions and times', async () => {
    const file = join(folder, 'file');
    await fs.writeFile(file, 'x');
    await fs.chmod(file, 0o640);
    await fs.utimes(file, 10, 20);
    const { mode, mtimeMs } = await fs.stat(file);
    expect([mode & 0o777, mtimeMs]).toEqual([0o640, 20_000]);
    expect(await fs.access(file, nodeFs.constants.R_OK)).toBeUndefined();
  });

  it('fails as node:fs does', async () => {
    const missing = join(folder, 'missing', 'file');
    for (const call of [fs.access, fs.readlink, fs.realpath, fs.rm, fs.rmdir, fs.opendir]) {
      const error = await call(missing).then(() => undefined, codeOf);
      expect({ name: call.name, error }).toEqual({ name: call.name, error: 'ENOENT' });
    }
    await expect(fs.access(5 as never)).rejects.toThrow(TypeError);
  });

  it('tells of changes in a folder, until it is aborted', async () => {
    const controller = new AbortController();
    const changes = fs.watch(folder, { signal: controller.signal });
    const first = changes[Symbol.asyncIterator]().next();
    await fs.writeFile(join(folder, 'file'), 'x');
    const { value } = await within(first, () => 'a change');
    expect(value).toEqual({ eventType: 'rename', filename: 'file' });
    const rest = changes[Symbol.asyncIterator]().next();
    controller.abort();
    await within(
      rest.then(
        () => {},
        (error) => expect(error.name).toBe('AbortError'),
      ),
      () => 'the end',
    );
  });
});
