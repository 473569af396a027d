// The lane `core` and docs/hacking.md build in one folder.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { plainFolder } from '../support/core-lane.mjs';

function checkoutWith(...built: string[]): string {
  const top = mkdtempSync(join(tmpdir(), 'ringpoll-core-'));
  onTestFinished(() => rmSync(top, { recursive: true }));
  for (const name of built) {
    mkdirSync(join(top, 'build', name), { recursive: true });
    writeFileSync(join(top, 'build', name, 'CMakeCache.txt'), '');
  }
  return top;
}

describe('the lane core', () => {
  it('builds in the folder of docs/hacking.md, where that was made', () => {
    const top = checkoutWith('core', 'cmake');
    expect(plainFolder(top)).toBe(join(top, 'build', 'core'));
    const page = readFileSync(new URL('../../docs/hacking.md', import.meta.url), 'utf8');
    expect(page).toContain('cmake -S . -B build/core -DRINGPOLL_CORE_TESTS=ON');
  });

  it('takes the objects of the addon otherwise, where there are some', () => {
    const top = checkoutWith('cmake');
    expect(plainFolder(top)).toBe(join(top, 'build', 'cmake'));
    expect(plainFolder(checkoutWith())).toMatch(/build\/core$/);
  });
});
