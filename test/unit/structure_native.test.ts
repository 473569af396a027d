// Who may include whom in native, held to what docs/architecture.md says.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Allowed, forbiddenImports, importsOfCpp } from '../support/structure.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

const core = (...names: string[]) => names.map((name) => `native/core/${name}`);
const LOOP = 'native/core/loop';
/** What a protocol sees of the loop, and no more. */
const SEAM = `${LOOP}/protocol.h`;
/** And what a filter sees of it. */
const FILTER = `${LOOP}/filter.h`;

/** What threads share with a loop. */
const SOURCES = [`${LOOP}/accept_source.h`, `${LOOP}/arrivals.h`];

const SYSTEM = core('base');
const MEMORY = core('base');
const CHANNEL = core('base', 'system', 'memory');
const RINGS = [...CHANNEL, ...core('channel')];
const FILES = [...RINGS, ...core('rings')];
const ENGINE = [...FILES, ...core('files')];
const ROUTING = [...ENGINE, ...core('engine')];

const CORE: Allowed = {
  'native/core/base': [],
  'native/core/system': SYSTEM,
  'native/core/memory': MEMORY,
  'native/core/channel': CHANNEL,
  'native/core/rings': RINGS,
  'native/core/files': FILES,
  'native/core/engine': ENGINE,
  'native/core/routing': ROUTING,
  [SEAM]: FILES,
  [FILTER]: [...FILES, SEAM],
  ...Object.fromEntries(SOURCES.map((source) => [source, CHANNEL])),
  [LOOP]: [...ROUTING, ...core('routing', 'raw'), SEAM, FILTER, ...SOURCES],
  'native/core/handoff': [...CHANNEL, ...SOURCES],
  'native/core/raw': [...RINGS, ...core('rings'), SEAM],
  'native/core/http/parser': core('base'),
  'native/core/tls': [...RINGS, ...core('rings', 'http/parser'), SEAM, FILTER],
  'native/core/udp': [...RINGS, ...core('rings'), SEAM],
  'native/core/websocket': [...RINGS, ...core('rings'), SEAM],
  'native/core/http/client': [...RINGS, ...core('rings', 'http/parser'), SEAM],
  'native/core/http/server': [...RINGS, ...core('rings', 'http/parser'), SEAM],
};
/** These may use all of the core; the benchmarks, what the binding shares too. */
const ALLOWED: Allowed = {
  ...CORE,
  'native/bench': [...Object.keys(CORE), 'native/binding'],
  'native/binding': Object.keys(CORE),
};

describe('includes in native', () => {
  it('go where the table of folders allows', () => {
    expect(forbiddenImports(importsOfCpp(root, 'native'), ALLOWED)).toEqual([]);
  });

  it('into another wing of protocols are told', () => {
    const imports = new Map([['native/core/raw/a.h', ['native/core/http/server/b.h']]]);
    expect(forbiddenImports(imports, ALLOWED)).toEqual([
      'native/core/raw/a.h -> native/core/http/server/b.h',
    ]);
  });
});
