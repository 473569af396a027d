// What docs/hacking.md and CONTRIBUTING.md say of variables and limits is what the sources have.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { filesBelow } from '../support/doc_pages.js';

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

  it('and the recipes name files that there are', () => {
    const named = page.matchAll(/`((?:native|lib|test|scripts|bench|docs)\/[\w./-]+\.\w+)`/g);
    const missing = [...named]
      .filter(([, path]) => !/NAME/.test(path!))
      .filter(([, path]) => {
        try {
          read(path!);
          return false;
        } catch {
          return true;
        }
      });
    expect(missing.map(([, path]) => path)).toEqual([]);
  });
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
