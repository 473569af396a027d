// Static tracepoints: the notes in each addon that bpftrace and perf read, against the list in the
// documentation and what the scripts ask for.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { readProbes } from '../support/elf.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The stable set: names, and how many arguments each has. */
const PROBES: Record<string, number> = {
  accept: 2,
  close: 2,
  error: 2,
  javascript_begin: 1,
  javascript_end: 1,
  receive: 2,
  request: 2,
  send: 2,
  turn_begin: 1,
  turn_end: 1,
  wait_begin: 1,
};

function addons(): string[] {
  const folder = join(root, 'prebuilds');
  const names = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
    : [];
  const isOurs = (name: string) => name.startsWith('linux-') && name.endsWith('.node');
  return [
    'build/Release/ringpoll.node',
    ...names.filter(isOurs).map((name) => `prebuilds/${name}`),
  ];
}

describe.each(addons())('%s', (name) => {
  beforeEach((context) => {
    context.skip(process.platform !== 'linux', 'static tracepoints are for Linux');
  });

  it('has each tracepoint, where there is an instruction that does nothing', () => {
    // The C++ library has some of its own.
    const probes = readProbes(join(root, name)).filter(({ provider }) => provider === 'ringpoll');
    const found = new Map(probes.map((probe) => [probe.name, probe.arguments.length]));
    expect(Object.fromEntries([...found].sort())).toEqual(PROBES);
    for (const { arguments: places, instruction, semaphore } of probes) {
      expect(instruction).toBe('nop');
      expect(semaphore).toBe(0n);
      // Where it lies: in a register, in memory relative to one, or it is a number.
      for (const place of places) expect(place).toMatch(/^-8@[$%\w[(-][\w$%(),[\] +-]*$/);
    }
  });
});

describe('the scripts of bpftrace', () => {
  const folder = join(root, 'examples/trace');

  it.each(readdirSync(folder))('%s asks for tracepoints and arguments that there are', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    const blocks = [...text.matchAll(/^usdt:\*:ringpoll:(\w+)\n(?:\/.*\/\n)?\{([^}]*)\}/gm)];
    expect(blocks.length).toBeGreaterThan(0);
    expect(text.match(/^usdt:/gm)).toHaveLength(blocks.length);
    for (const [whole, probe] of blocks) {
      expect(Object.keys(PROBES)).toContain(probe);
      for (const [, number] of whole.matchAll(/\barg(\d)/g)) {
        expect(Number(number), `${probe} in ${name}`).toBeLessThan(PROBES[probe]);
      }
    }
  });

  it('and the documentation lists them', () => {
    const text = readFileSync(join(root, 'docs/observability.md'), 'utf8');
    const [, section] = text.split('\n## Static tracepoints\n');
    const [list] = section.split('\n## ');
    const listed = [...list.matchAll(/^\| `ringpoll:(\w+)` \| ([^|]*)\|/gm)];
    const counts = listed.map(([, name, words]) => [name, words.split(',').length]);
    expect(Object.fromEntries(counts)).toEqual(PROBES);
  });
});
