// `ringpoll explain`, with and without a program: what became of operations, told at the end.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Explanation } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const files = new URL('../../dist/fs/index.js', import.meta.url).href;
const TEST_MS_MAX = 30_000;

function explain(...args: string[]) {
  const child = spawn(process.execPath, [program, 'explain', ...args]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const over = once(child, 'close').then(([code]) => ({ code, ...text }));
  return { child, over };
}

/** A file with this text, which is a module. */
function script(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-explain-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'script.mjs');
  writeFileSync(path, text);
  return path;
}

const routingOf = (stdout: string) => (JSON.parse(stdout) as { routing: Explanation }).routing;

describe('ringpoll explain', { timeout: TEST_MS_MAX }, () => {
  it('measures messages of two sizes by each route that is there, and reads', async () => {
    const { code, stdout, stderr } = await explain('--json').over;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { receive, open, send, file } = routingOf(stdout);
    const available = Object.values(receive.routes).filter((route) => route.available);
    expect(available.length).toBeGreaterThan(0);
    for (const route of available) {
      expect(route.receives).toBeGreaterThan(0);
      expect(route.costs.map(({ bytesMax }) => bytesMax)).toEqual([512, 16384]);
    }
    expect(open.total).toBe(16);
    expect(send.total).toBeGreaterThan(0);
    const read = file.operations.find(({ operation }) => operation === 'read');
    expect(read && read.now + read.ring + read.pool).toBe(1200);
  });

  it('runs a program with its arguments, and tells at its end what its calls became', async () => {
    const path = script(`
      import { readFile } from ${JSON.stringify(files)};
      console.log(process.argv.slice(2).join());
      await readFile(new URL(import.meta.url));
      process.exitCode = 3;
    `);
    const { code, stdout, stderr } = await explain('--json', path, '--', '--name', 'x').over;
    expect({ code, stderr }).toEqual({ code: 3, stderr: '--name,x\n' });
    const { operations } = routingOf(stdout).file;
    expect(operations.map(({ operation }) => operation)).toEqual(['readFile']);
  });

  it('tells at SIGINT too, and ends as the signal would', async () => {
    const { child, over } = explain(script("setInterval(() => {}, 1e6); console.log('ready')"));
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const { code, stdout } = await over;
    expect(code).toBe(130);
    expect(stdout).toMatch(/^ready\n.*\nreceive: /s);
  });

  it('leaves a signal to a program that waits for it', async () => {
    const { child, over } = explain(
      script(`
        const timer = setInterval(() => {}, 1e6);
        process.on('SIGINT', () => clearInterval(timer));
        console.log('ready');
      `),
    );
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    expect((await over).code).toBe(0);
  });

  it('answers 2 when there is no such script, and tells nothing', async () => {
    const { code, stdout, stderr } = await explain('no.mjs').over;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('no.mjs');
  });
});
