// The tutorial as a reader goes through it: its files in an empty folder, its test, its server.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { blocksOf, codeOf } from '../support/doc_pages.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = 'docs/getting-started.md';
const TEST_MS_MAX = 30_000;

const folder = mkdtempSync(join(tmpdir(), 'ringpoll-tutorial-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, 'node_modules'));
symlinkSync(root, join(folder, 'node_modules', 'ringpoll'));
for (const { text } of codeOf(root, PAGE)) {
  writeFileSync(join(folder, /^\/\/ (.*)\n/.exec(text)![1]!), text);
}
const env = { ...process.env, PORT: '0' };
for (const name of Object.keys(env)) if (name.startsWith('NODE_TEST')) delete env[name as 'PORT'];

describe('the tutorial', { timeout: TEST_MS_MAX }, () => {
  it('has tests that pass', () => {
    const output = execFileSync(process.execPath, ['--test'], { cwd: folder, env });
    expect(output.toString()).toMatch(/^.*pass 3$/m);
  });

  it('has a server that answers as the page says, and ends in order at SIGTERM', async () => {
    const child = spawn(process.execPath, ['server.mjs'], { cwd: folder, env });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const [line] = await once(child.stdout, 'data');
    const base = /http:\S+\//.exec(String(line))![0];
    const ask = async (path: string, init?: RequestInit) => {
      return (await fetch(base + path, init)).text();
    };
    const answers = [
      (await ask('health')).trim(),
      await ask('notes', { method: 'POST', body: '{"text":"buy milk"}' }),
      await ask('notes/0'),
    ];
    const page = blocksOf(root, PAGE).filter(({ text }) => text.includes('curl -d'));
    expect(page[0]?.text).toContain('buy milk');
    expect(answers).toEqual(['ok', '{"id":0}', '{"text":"buy milk"}']);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
