// Every block of JavaScript in the docs runs, and what the docs take from the sources is fresh.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { docPages } from '../support/doc_pages.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TEST_MS_MAX = 30_000;
// A server runs until it is ended: after so long without a complaint it is taken to work.
const SERVER_MS = 1500;
const PROGRAM_MS_MAX = 20_000;

interface Block {
  name: string;
  code: string;
}

function blocksOf(path: string): Block[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(/^```(?:js|ts)\n(.*?)^```$/gms)].map((match) => ({
    name: `${path}:${text.slice(0, match.index).split('\n').length}`,
    code: match[1],
  }));
}

const pages = ['README.md', ...docPages(root)];
const blocks = pages.flatMap(blocksOf);

/** Runs a block as a module of its own, with ports that the system chooses. */
function run({
  name,
  code: source,
}: Block): Promise<{ code: number | null; signal: string | null; text: string }> {
  const program = source.replace(/\bport: \d+/g, 'port: 0');
  const listens = /\b(listen|serve)\(/.test(program) && !/\.stop\(\);?\s*$/m.test(program);
  // In a file below the package, which may import itself by name; a worker may start it again.
  const folder = join(root, 'build', 'docs');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replace(/\W+/g, '-')}.mjs`);
  writeFileSync(file, program);
  const child = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  child.stdout.on('data', (bytes) => output.push(bytes));
  child.stderr.on('data', (bytes) => output.push(bytes));
  const timer = setTimeout(() => child.kill('SIGKILL'), listens ? SERVER_MS : PROGRAM_MS_MAX);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const ended = listens && signal === 'SIGKILL' ? null : signal;
      resolve({ code: code ?? 0, signal: ended, text: Buffer.concat(output).toString() });
    });
  });
}

describe('the docs', () => {
  it.for(blocks)('run: $name', { timeout: TEST_MS_MAX }, async (block) => {
    const { code, signal, text } = await run(block);
    expect({ code, signal }, text).toEqual({ code: 0, signal: null });
  });

  it('name every counter of the core with its meaning', () => {
    const header = readFileSync(join(root, 'native/core/base/metrics.h'), 'utf8');
    const counters = [...header.matchAll(/X\((\w+),\s*"([^"]+)"\)/g)];
    const page = readFileSync(join(root, 'docs/metrics.md'), 'utf8');
    const missing = counters.filter(([, name, meaning]) => {
      return !page.includes(`| \`${name}\` | ${meaning} |`);
    });
    expect(missing.map(([, name]) => name)).toEqual([]);
  });

  it.each([
    ['lib/http/options.ts', 'HttpOptions'],
    ['lib/http/serve.ts', 'CommonOptions'],
    ['lib/http/send_file.ts', 'SendFileOptions'],
  ])('name every option of HTTP: %s, %s', (file, name) => {
    const source = readFileSync(join(root, file), 'utf8');
    const [, body] = new RegExp(`interface ${name}[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(source) ?? [];
    const options = [...(body ?? '').matchAll(/^ {2}(\w+)\??:/gm)].map(([, option]) => option);
    expect(options.length).toBeGreaterThan(0);
    const page = readFileSync(join(root, 'docs/http.md'), 'utf8');
    expect(options.filter((option) => !page.includes(`\`${option}`))).toEqual([]);
  });

  it('lead from each page of docs to pages that are there', () => {
    const existing = new Set(pages);
    const dead = pages
      .filter((path) => path.startsWith('docs/'))
      .flatMap((path) => {
        const links = readFileSync(join(root, path), 'utf8').matchAll(/\]\(([^)#:]+\.md)[^)]*\)/g);
        return [...links].map(([, link]) => join(path, '..', link));
      })
      .filter((link) => link.startsWith('docs/'))
      .filter((link) => !existing.has(link));
    expect(dead).toEqual([]);
  });
});
