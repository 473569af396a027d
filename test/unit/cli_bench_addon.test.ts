// The native benchmarks are an addon of their own, which is not shipped.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nativeCases } from '../../lib/cli/bench/native_cases.js';
import { native } from '../../lib/runtime/native.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

function emptyPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-bench-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe('the native benchmarks', () => {
  it('come from an addon of their own', () => {
    const { cases, missing } = nativeCases(root);
    expect(missing).toBeUndefined();
    const groups = new Set(cases.map(({ group }) => group));
    expect([...groups]).toEqual(expect.arrayContaining(['turn', 'http parser', 'crossing']));
  });

  it('are no functions of the addon that is shipped', () => {
    expect(Object.keys(native()).filter((name) => /bench/i.test(name))).toEqual([]);
  });

  it('say in one line how to get them where they were not compiled', () => {
    const { cases, missing } = nativeCases(emptyPackage());
    expect(cases).toEqual([]);
    expect(missing).toMatch(/^The native benchmarks are not compiled.*npx ringpoll build --bench$/);
  });

  it('say so too where their addon does not load', () => {
    const folder = emptyPackage();
    mkdirSync(join(folder, 'build', 'bench'), { recursive: true });
    writeFileSync(join(folder, 'build', 'bench', 'ringpoll_bench.node'), 'no addon');
    const { cases, missing } = nativeCases(folder);
    expect(cases).toEqual([]);
    expect(missing).toMatch(/^.*ringpoll_bench\.node does not load: .*ringpoll build --bench$/);
  });
});
