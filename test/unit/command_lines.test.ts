// Scripts that a developer starts by `npm run` or by name: they understand their command line, or
// say in a line what they do not, before they build or measure anything.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TEST_MS_MAX = 60_000;

async function run(words: string[]) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...text };
}

const scripts = [
  'scripts/test.mjs',
  'test/run.mjs',
  'scripts/start.mjs',
  'examples/showcase.mjs',
  'scripts/build.mjs',
  'scripts/prebuilds.mjs',
  'scripts/docs.mjs',
  'scripts/lint.mjs',
  'scripts/clean.mjs',
  'bench/run.mjs',
  'bench/micro/burst.mjs',
  'bench/micro/fs.mjs',
  'bench/micro/scheduler.mjs',
];

describe.each(scripts)('%s', { timeout: TEST_MS_MAX }, (script) => {
  it('prints its usage for --help', async () => {
    const { code, stdout, stderr } = await run([script, '--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^usage: (npm|node) /);
  });

  it('says which option it does not know, without a stack, and does nothing', async () => {
    const { code, stdout, stderr } = await run([script, '--prot=1']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Unknown option '--prot'[^\n]*\n\nusage: /);
    expect(stderr).not.toContain('    at ');
  });
});

describe('npm test', { timeout: TEST_MS_MAX }, () => {
  it('lists the lanes with --list, and runs none', async () => {
    const { code, stdout, stderr } = await run(['test/run.mjs', '--list']);
    expect([code, stderr]).toEqual([0, '']);
    const names = stdout.split('\n').map((line) => line.split(' ')[0]);
    expect(names).toEqual(expect.arrayContaining(['core', 'unit', 'poll', 'hybrid', 'package']));
    expect(stdout).not.toContain('passed');
  });

  it('runs nothing for words that it does not know', async () => {
    const { code, stdout } = await run(['scripts/test.mjs', 'unit']);
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('values that make no sense', { timeout: TEST_MS_MAX }, () => {
  it.each([
    ['scripts/start.mjs', '--http-port', 'x'],
    ['scripts/start.mjs', '--echo-port', '65536'],
    ['bench/run.mjs', '--rounds', 'x'],
    ['bench/run.mjs', '--seconds', '0'],
    ['bench/run.mjs', '--only', '('],
    ['bench/run.mjs', '--quick', 'nosuch'],
  ])('of %s: %s %s', async (script, ...words) => {
    const { code, stdout, stderr } = await run([script, ...words]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words.at(-1));
    expect(stderr).not.toContain('    at ');
  });
});
