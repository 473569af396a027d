// Who imports whom, held to what docs/architecture.md says.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  type Allowed,
  circlesOf,
  forbiddenImports,
  importsOfCpp,
  importsOfTypeScript,
} from '../support/structure.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Above the ground: the folder, and the one file of it that the scheduler uses as well. */
const RUNTIME = ['lib', 'lib/runtime', 'lib/runtime/package_folder.ts'];
const STREAMS = [...RUNTIME, 'lib/tls'];
/** `lib` stands for the files that lie in no folder of it: the ground, which knows no tenant. */
const LIB: Allowed = {
  lib: [],
  'lib/index.ts': [...RUNTIME, 'lib/tls', 'lib/tcp', 'lib/loop'],
  'lib/runtime': RUNTIME,
  'lib/runtime/package_folder.ts': ['lib'],
  'lib/scheduler': ['lib', 'lib/runtime/package_folder.ts'],
  'lib/tls': RUNTIME,
  'lib/tcp': STREAMS,
  'lib/fs': [...STREAMS, 'lib/tcp'],
  'lib/websocket': [...STREAMS, 'lib/tcp'],
  'lib/udp': [...STREAMS, 'lib/tcp'],
  'lib/framing': [...STREAMS, 'lib/tcp'],
  'lib/net': [...RUNTIME, 'lib/tcp'],
  'lib/dgram': [...RUNTIME, 'lib/udp'],
  'lib/http': [...STREAMS, 'lib/tcp', 'lib/fs', 'lib/websocket'],
  'lib/client': [...STREAMS, 'lib/scheduler', 'lib/tcp', 'lib/fs', 'lib/http'],
  'lib/upstream': [...STREAMS, 'lib/tcp', 'lib/fs', 'lib/http', 'lib/client'],
  'lib/tracing': [...STREAMS, 'lib/scheduler', 'lib/tcp', 'lib/fs', 'lib/http', 'lib/client'],
  'lib/guards': [...RUNTIME, 'lib/tcp', 'lib/http'],
  'lib/lifecycle': [...RUNTIME, 'lib/scheduler', 'lib/http'],
  'lib/queues': [...STREAMS, 'lib/scheduler', 'lib/tcp', 'lib/fs'],
  'lib/config': ['lib'],
  'lib/node_http': [...STREAMS, 'lib/tcp', 'lib/http'],
  'lib/fastify': ['lib', 'lib/node_http'],
  'lib/register': ['lib', 'lib/net', 'lib/dgram', 'lib/node_http', 'lib/admin'],
  'lib/crossws': ['lib', 'lib/tcp', 'lib/http', 'lib/websocket'],
  'lib/loop': [...STREAMS, 'lib/scheduler', 'lib/tcp', 'lib/fs', 'lib/http', 'lib/websocket'],
  'lib/admin': [
    ...['lib/index.ts', ...STREAMS, 'lib/scheduler', 'lib/tcp', 'lib/fs', 'lib/http'],
    ...['lib/websocket', 'lib/loop', 'lib/threads'],
  ],
  'lib/threads': [
    ...['lib/index.ts', ...STREAMS, 'lib/scheduler', 'lib/tcp', 'lib/fs', 'lib/http'],
    ...['lib/websocket', 'lib/loop'],
  ],
  'lib/cli': [
    ...['lib/index.ts', ...STREAMS, 'lib/scheduler'],
    ...['lib/tcp', 'lib/fs', 'lib/http', 'lib/websocket', 'lib/loop', 'lib/admin'],
    'lib/register',
  ],
};

const foldersOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);

describe('imports', () => {
  it('go in no circle, types included', () => {
    expect(circlesOf(importsOfTypeScript(root, 'lib'))).toEqual([]);
  });

  it('of C++ go in no circle', () => {
    expect(circlesOf(importsOfCpp(root, 'native'))).toEqual([]);
  });

  it('of lib stay within what their folder may import', () => {
    expect(forbiddenImports(importsOfTypeScript(root, 'lib'), LIB)).toEqual([]);
  });

  it('have a row for every folder of lib', () => {
    const rows = Object.keys(LIB).filter((row) => row !== 'lib' && !row.endsWith('.ts'));
    expect(rows.sort()).toEqual(foldersOf('lib').sort());
  });
});

describe('the table of folders in docs/architecture.md', () => {
  it('names the folders that there are, and no others', () => {
    const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
    const rows = text.matchAll(/^\| `((?:lib|native\/core)\/\w+)` \|/gm);
    const there = [...foldersOf('lib'), ...foldersOf('native/core')];
    expect([...rows].map(([, folder]) => folder).sort()).toEqual(there.sort());
  });
});

describe('the finder of circles', () => {
  const among = (arrows: Record<string, string[]>) => circlesOf(new Map(Object.entries(arrows)));

  it('prints the way back to the beginning', () => {
    expect(among({ a: ['b'], b: ['c'], c: ['a'], d: ['a'] })).toEqual(['a -> b -> c -> a']);
  });

  it('finds each of several, and none where there is none', () => {
    expect(among({ a: ['b'], b: ['a'], c: ['d'], d: ['c'] })).toHaveLength(2);
    expect(among({ a: ['b', 'c'], b: ['c'], c: [] })).toEqual([]);
  });
});

describe('the finder of forbidden imports', () => {
  const among = (arrows: Record<string, string[]>, allowed: Allowed) =>
    forbiddenImports(new Map(Object.entries(arrows)), allowed);

  it('prints the arrow that leaves its room for one that the table does not name', () => {
    const table = { 'lib/low': [], 'lib/high': ['lib/low'] };
    const high = { 'lib/high/a.ts': ['lib/low/b.ts', 'lib/high/c.ts'] };
    expect(among(high, table)).toEqual([]);
    const low = { 'lib/low/b.ts': ['lib/high/a.ts'] };
    expect(among(low, table)).toEqual(['lib/low/b.ts -> lib/high/a.ts']);
  });

  it('takes the longest row that a path begins with, and a whole name of a folder', () => {
    const table = { lib: [], 'lib/low': [], 'lib/low/one.ts': ['lib'] };
    expect(among({ 'lib/low/one.ts': ['lib/a.ts'] }, table)).toEqual([]);
    expect(among({ 'lib/low/two.ts': ['lib/low/one.ts'] }, table)).toHaveLength(1);
    expect(among({ 'lib/lower/a.ts': ['lib/a.ts'] }, table)).toEqual([]);
  });

  it('names a file that stands in no room, and an arrow to one', () => {
    expect(among({ 'test/a.ts': [] }, { lib: [] })).toEqual(['test/a.ts stands in no room']);
    expect(among({ 'lib/a.ts': ['test/a.ts'] }, { lib: [] })).toEqual(['lib/a.ts -> test/a.ts']);
  });
});
