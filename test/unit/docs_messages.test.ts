// The docs' own code keeps together what TCP takes apart: a message, or a character, of which a
// part comes first and the rest when that has been seen.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codeOf, docPages } from '../support/doc_pages.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TEST_MS_MAX = 30_000;

const programs = (page: string) => codeOf(root, page).map(({ text }) => text);

/** The one block of a page with these words, changed so that it can be tried. */
function block(page: string, words: string, ...changes: [string, string][]): string {
  const found = programs(page).filter((code) => code.includes(words));
  expect(found.length).toBe(1);
  return changes.reduce((code, [before, after]) => {
    expect(code).toContain(before);
    return code.replace(before, after);
  }, found[0]!);
}

function run(name: string, code: string) {
  const folder = join(root, 'build', 'docs');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  writeFileSync(file, code);
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

describe('the docs', { timeout: TEST_MS_MAX }, () => {
  it('teach framing that keeps the begin of a message until its rest has come', async () => {
    const code = block(
      'docs/scheduler.md',
      'lineParser',
      ['port: 7000', 'port: 0'],
      ['listen({', 'const server = listen({'],
    );
    const child = run('framing.mjs', `${code}\nconsole.log(server.port);\n`);
    const [port] = await once(child.stdout, 'data');
    const socket = connect(Number(port), '127.0.0.1');
    onTestFinished(() => {
      socket.destroy();
    });
    // The answer to the first message proves that the begin of the second has been parsed.
    for (const [sent, answer] of [
      ['1 sum [1]\n2 sum [1,', '1 1\n'],
      ['2', ''],
      [']\n3 sum [4]\n4 s', '2 3\n3 4\n'],
      ['um [5]\n', '4 5\n'],
    ]) {
      socket.write(sent!);
      let received = '';
      while (received.length < answer!.length) received += String((await once(socket, 'data'))[0]);
      expect(received).toBe(answer);
    }
    socket.write('x'.repeat(70_000));
    const [error] = await once(socket, 'error');
    expect(error.code).toBe('ECONNRESET');
  });

  it('decode characters that come in two pieces', async () => {
    const code = block('docs/tcp.md', 'for await (const { bytes }', [
      "peer.end('hello\\n')",
      '(globalThis.peer = peer).write(Uint8Array.of(0xc3))',
    ]);
    // The second half of é is sent when the first has been printed.
    const start = `const write = process.stdout.write.bind(process.stdout);
      process.stdout.write = (text) => {
        globalThis.peer?.end(Uint8Array.of(0xa9, 0x21));
        globalThis.peer = undefined;
        return write(text);
      };`;
    const child = run('characters.mjs', `${start}\n${code}`);
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
    });
    await once(child, 'close');
    expect(printed).toBe('é!');
  });

  it('make no text of a part of a stream by itself', () => {
    const pages = ['README.md', 'bench/README.md', ...docPages(root)];
    const found = pages.flatMap((page) =>
      programs(page)
        .flatMap((code) => code.match(/\b(chunk|bytes|data|piece)\.toString\(.*/g) ?? [])
        .map((line) => `${page}: ${line}`),
    );
    expect(found).toEqual([]);
  });
});
