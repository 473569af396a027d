// docs/errors.md has a row for every code of the sources, and for no other.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { filesBelow } from '../support/doc_pages.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const page = read('docs/errors.md');
const rows = [...page.matchAll(/^\| `(\w+)` \|(.*)\|$/gm)].map(([, code, rest]) => ({
  code: code!,
  cells: rest!.split(' | ').map((cell) => cell.trim()),
}));
const documented = (pattern: RegExp) =>
  rows.map(({ code }) => code).filter((code) => pattern.test(code));

const errors = read('lib/errors.ts');
const codes = [...new Set(errors.match(/\bERR_RINGPOLL_\w+/g) ?? [])];

const sources = filesBelow(root, 'lib').map((path) => ({ path, text: read(path) }));
/** Codes and names that stand in a call of emitWarning() or in what makes one. */
const warnings = sources
  .filter(({ text }) => /emitWarning|deprecat/i.test(text))
  .flatMap(({ text }) => text.match(/(?<=')(RINGPOLL_[A-Z_]+|Ringpoll\w+Warning)(?=')/g) ?? [])
  .filter((name) => !isVariable(name) && name !== 'RINGPOLL_TASK');

function isVariable(name: string): boolean {
  return sources.some(({ text }) => text.includes(`env.${name}`));
}

describe('the index of error codes', () => {
  it('has every code of the catalogue, once', () => {
    expect(codes.length).toBeGreaterThan(70);
    expect(documented(/^ERR_RINGPOLL_/).sort()).toEqual(codes.sort());
  });

  it('has every warning, and no other', () => {
    expect(warnings).toContain('RINGPOLL_FILE_NOT_CLOSED');
    expect(documented(/^(RINGPOLL_\w+|Ringpoll\w+Warning)$/).sort()).toEqual(
      [...new Set(warnings)].sort(),
    );
  });

  it('says of each when it comes, and its cure', () => {
    expect(rows.filter(({ cells }) => cells.length < 2 || cells.includes(''))).toEqual([]);
  });

  it('gives refused requests the status that the server sends', () => {
    const path = filesBelow(root, 'native/core').find((name) => /http\b.*\/errors\.cc$/.test(name));
    const native = read(path!).matchAll(/CODE\("(\w+)"\), (\d+)/g);
    const sent = [...native].map(([, name, status]) => `ERR_RINGPOLL_HTTP_${name} ${status}`);
    const told = rows
      .filter(({ cells }) => /^\d{3}$/.test(cells[0]!))
      .map(({ code, cells }) => `${code} ${cells[0]}`);
    expect(told.sort()).toEqual(sent.sort());
  });
});
