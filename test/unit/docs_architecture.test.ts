// What docs/architecture.md says of the folders of the core, and of the way of a byte, is so.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOfCpp } from '../support/structure.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const CORE = 'native/core';

const foldersOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** What each folder of the core may import, as the table has it. */
const table = new Map(
  [...page.matchAll(/^\| `native\/core\/(\w+)` \|.*\| ([^|]+) \|$/gm)].map(([, folder, names]) => [
    folder!,
    names!
      .replace(/\(.*?\)/g, '')
      .match(/\w+/g)!
      .filter((name) => name !== 'nothing'),
  ]),
);

/** The folder, those of its row, and those of their rows. */
function reachable(folder: string, found = new Set<string>()): Set<string> {
  if (found.has(folder)) return found;
  found.add(folder);
  for (const name of table.get(folder) ?? []) reachable(name, found);
  return found;
}

const folderOf = (path: string) => path.slice(CORE.length + 1).split('/')[0]!;

describe('docs/architecture.md', () => {
  it('shows every folder of the core and of lib in its picture', () => {
    const [, picture] = /^```\n(.*?)^```$/ms.exec(page)!;
    const http = foldersOf(`${CORE}/http`).map((name) => `http/${name}`);
    const core = foldersOf(CORE).filter((name) => name !== 'http');
    const lib = foldersOf('lib').map((name) => `lib/${name}`);
    const shown = picture!.match(/[a-z_/]+/g)!;
    expect([...core, ...http, ...lib].filter((name) => !shown.includes(name))).toEqual([]);
  });

  it('says what the folders of the core may import', () => {
    const imports = importsOfCpp(root, CORE);
    expect(imports.size).toBeGreaterThan(80);
    const forbidden = [...imports].flatMap(([file, targets]) =>
      targets
        .filter((target) => !reachable(folderOf(file)).has(folderOf(target)))
        .map((target) => `${file} -> ${target}`),
    );
    expect(forbidden).toEqual([]);
  });

  it('says that the parser of HTTP imports nothing of the core', () => {
    const parser = [...importsOfCpp(root, `${CORE}/http/parser`).values()].flat();
    expect(parser.filter((target) => !target.startsWith(`${CORE}/http/parser/`))).toEqual([]);
  });

  it('follows a byte through five files that are there, by functions that they have', () => {
    const steps = [...page.matchAll(/^\d\. `([\w./]+)`: `([\w:]+)`/gm)];
    expect(steps).toHaveLength(5);
    const wrong = steps.filter(([, path, name]) => {
      return !readFileSync(join(root, path!), 'utf8').includes(`${name}(`);
    });
    expect(wrong.map(([line]) => line)).toEqual([]);
  });
});
