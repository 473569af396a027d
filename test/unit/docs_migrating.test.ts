// The programs of docs/migrating that are there twice, before and after, do the same.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM_MS_MAX = 20_000;
const pages = readdirSync(join(root, 'docs/migrating'));
const read = (page: string) => readFileSync(join(root, 'docs/migrating', page), 'utf8');

/** What the program below this heading prints. */
function printed(page: string, heading: string): string {
  const [, section] = read(page).split(`\n## ${heading}\n`);
  const [, code] = /```js\n(.*?)^```$/ms.exec(section!)!;
  const folder = join(root, 'build', 'docs');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `migrating-${page}-${heading.replace(/\W+/g, '-')}.mjs`);
  writeFileSync(file, code!.replace(/\bport: \d+/g, 'port: 0'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    ...{ cwd: folder, encoding: 'utf8', timeout: PROGRAM_MS_MAX },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

describe('the guides for migrating', { timeout: 2 * PROGRAM_MS_MAX }, () => {
  it.each(['node-net.md', 'node-http.md'])('have programs that print the same: %s', (page) => {
    const after = printed(page, 'And after');
    expect(after).not.toBe('');
    expect(printed(page, 'The same program, before')).toBe(after);
  });

  it.each(pages)('say what is not there, and show a program before and after: %s', (page) => {
    const headings = [...read(page).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings.slice(-3)).toEqual([
      ...['What is not there', 'The same program, before', 'And after'],
    ]);
  });
});
