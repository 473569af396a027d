// What the addon offers to other modules of the process, and what it asks of the machine.
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { readSharedObject, type SharedObject } from '../support/elf.js';

const addon = fileURLToPath(new URL('../../build/Release/ringpoll.node', import.meta.url));

// The C library that Node 20's own binaries ask for.
const GLIBC_MAX = [2, 28];

function isNewer(version: string, bound: number[]): boolean {
  const parts = version.split('_')[1].split('.').map(Number);
  const at = bound.findIndex((limit, index) => (parts[index] ?? 0) !== limit);
  return at === -1 ? parts.length > bound.length : (parts[at] ?? 0) > bound[at];
}

describe('the addon (an ELF file)', () => {
  beforeEach((context) => {
    context.skip(process.platform !== 'linux', 'addons are ELF files on Linux alone');
  });

  let object: SharedObject;
  const read = () => {
    object ??= readSharedObject(addon);
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
  });

  it('needs no C++ runtime and no liburing of the machine', () => {
    expect([...versioned('GLIBCXX_'), ...versioned('CXXABI_'), ...versioned('GCC_')]).toEqual([]);
    expect(read().libraries.filter((name) => /stdc\+\+|gcc_s|uring/.test(name))).toEqual([]);
  });

  it('has its symbols resolved lazily, so that older Nodes can load it', () => {
    expect(read().bindNow).toBe(false);
  });
});
