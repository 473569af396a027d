// What `npm pack` would put into the tarball, and what it must not.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TEST_MS_MAX = 60_000;

function packed(): string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
  const text = execFileSync('npm', args, { cwd: root, encoding: 'utf8' });
  const json = JSON.parse(text.slice(text.search(/^[[{]/m)));
  const [found] = (Array.isArray(json) ? json : Object.values(json)) as {
    files: { path: string }[];
  }[];
  return found!.files.map(({ path }) => path);
}

describe('the tarball', { timeout: TEST_MS_MAX }, () => {
  const files = packed();

  it('has no binding.gyp in its root: Yarn would compile, and pnpm warn', () => {
    expect(files.filter((path) => path.endsWith('.gyp'))).toEqual([]);
    expect(JSON.parse(readFileSync(`${root}package.json`, 'utf8')).gypfile).toBe(false);
  });

  it('has what `ringpoll build` needs, in both of its ways', () => {
    const needed = ['CMakeLists.txt', 'native/ringpoll.gypi', 'native/sources.txt'];
    const scripts = ['node-headers', 'sources', 'steps'].map((name) => `scripts/${name}.mjs`);
    expect(files).toEqual(expect.arrayContaining([...needed, ...scripts]));
  });
});
