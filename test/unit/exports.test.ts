// What each addon offers to other modules of the process, and what it asks of the machine: the one
// that was built here, that of the benchmarks, and the prebuilds for Linux that lie beside it.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { readSharedObject, type SharedObject } from '../support/elf.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

function prebuilds(): string[] {
  const folder = join(root, 'prebuilds');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const isOurs = (name: string) => name.startsWith('linux-') && name.endsWith('.node');
  return names.filter(isOurs).map((name) => `prebuilds/${name}`);
}

const addons = ['build/Release/ringpoll.node', 'build/bench/ringpoll_bench.node', ...prebuilds()];
// The C library that Node 20's own binaries ask for.
const GLIBC_MAX = [2, 28];
const C_LIBRARIES = /^(lib(c|m|dl|pthread|rt)\.so(\.\d+)?|ld-linux.*|libc\.musl.*)$/;

function isNewer(version: string, bound: number[]): boolean {
  const parts = version.split('_')[1].split('.').map(Number);
  const at = bound.findIndex((limit, index) => (parts[index] ?? 0) !== limit);
  return at === -1 ? parts.length > bound.length : (parts[at] ?? 0) > bound[at];
}

describe.each(addons)('%s', (name) => {
  beforeEach((context) => {
    context.skip(process.platform !== 'linux', 'addons are ELF files on Linux alone');
  });

  let object: SharedObject;
  const read = () => {
    object ??= readSharedObject(join(root, name));
    return object;
  };
  const versioned = (prefix: string) =>
    read().needed.filter(({ version }) => version?.startsWith(prefix));

  it('exports the registration symbols of Node-API and nothing else', () => {
    expect(read().exported.sort()).toEqual([
      'napi_register_module_v1',
      'node_api_module_get_api_version_v1',
    ]);
  });

  it(`needs no symbol newer than GLIBC_${GLIBC_MAX.join('.')}`, () => {
    const tooNew = versioned('GLIBC_').filter(({ version }) => isNewer(`${version}`, GLIBC_MAX));
    expect(tooNew).toEqual([]);
    // musl's symbols have no versions: one that does was not linked for it.
    if (name.includes('musl')) expect(versioned('')).toEqual([]);
    else expect(versioned('GLIBC_')).not.toEqual([]);
  });

  it('needs no library of the machine but that of C', () => {
    expect([...versioned('GLIBCXX_'), ...versioned('CXXABI_'), ...versioned('GCC_')]).toEqual([]);
    expect(read().libraries.filter((library) => !C_LIBRARIES.test(library))).toEqual([]);
  });

  it('has its symbols resolved lazily, so that older Nodes can load it', () => {
    expect(read().bindNow).toBe(false);
  });
});
