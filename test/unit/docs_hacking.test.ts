// What the docs say of variables, limits and files is what the sources have.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { docPages, filesBelow } from '../support/doc_pages.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('docs/hacking.md', () => {
  const page = read('docs/hacking.md');

  it('names every variable of the environment that the sources read', () => {
    const scripts = ['lib', 'test', 'scripts', 'bench/lib', 'bench/servers']
      .flatMap((folder) => filesBelow(root, folder))
      .filter((path) => /\.(ts|mjs)$/.test(path));
    const names = scripts.flatMap((path) => read(path).match(/(?<=\benv\.)RINGPOLL_\w+/g) ?? []);
    expect(names).toContain('RINGPOLL_ENGINE');
    expect([...new Set(names)].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('a page', () => {
  it.each([...docPages(root), 'README.md', 'CONTRIBUTING.md'])(
    'names files that there are: %s',
    (path) => {
      const named = read(path).matchAll(
        /`((?:native|lib|test|scripts|bench|docs|examples)\/[\w./-]+\.\w+)`/g,
      );
      const missing = [...named]
        .map(([, file]) => file!)
        .filter((file) => !/\b[A-Z]{4,}\b/.test(file) && !existsSync(join(root, file)));
      expect(missing).toEqual([]);
    },
  );
});

describe('CONTRIBUTING.md', () => {
  it('has the limits of tidy.test.ts', () => {
    const tidy = read('test/unit/tidy.test.ts');
    const limit = (name: string) => new RegExp(`${name} = (\\d+);`).exec(tidy)?.[1];
    const text = read('CONTRIBUTING.md');
    expect(text).toContain(`at most ${limit('COLUMNS_MAX')} columns`);
    expect(text).toContain(`at most ${limit('LINES_MAX')} lines`);
    expect(text).toContain(`more than ${limit('LINES_USUAL')}`);
  });
});
