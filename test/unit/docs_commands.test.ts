// The commands of the docs are ones that there are: every line of every block is understood by what
// it would start, and no block is of a kind that nobody looks at.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describe, expect, it } from 'vitest';
import { command as bench } from '../../lib/cli/bench/command.js';
import { command as build } from '../../lib/cli/build.js';
import { type Command, checkOperands, parseConfig } from '../../lib/cli/command.js';
import { command as doctor } from '../../lib/cli/doctor.js';
import { command as dump } from '../../lib/cli/dump.js';
import { command as echo } from '../../lib/cli/echo.js';
import { command as explain } from '../../lib/cli/explain.js';
import { command as layers } from '../../lib/cli/layers.js';
import { command as serve } from '../../lib/cli/serve.js';
import { command as shadow } from '../../lib/cli/shadow.js';
import { command as top } from '../../lib/cli/top.js';
import { TARGETS } from '../../scripts/targets.mjs';
import { blocksOf, docPages } from '../support/doc_pages.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const pages = ['README.md', 'bench/README.md', ...docPages(root)];
const commands: Record<string, Command> = {
  ...{ bench, build, doctor, dump, echo, explain, layers, serve, shadow, top },
};
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
// Programs that are not ours, and get nothing of ours but a path.
const FOREIGN = [
  ...[
    'bpftrace',
    'cd',
    'certbot',
    'curl',
    'docker',
    'gdb',
    'mkdir',
    'openssl',
    'perf',
    'pm2',
    'strace',
  ],
  ...['systemctl', 'taskset', 'valgrind'],
];

const blocks = pages.flatMap((page) => blocksOf(root, page));

/** Commands of a block, as words without comments, variables and quotes. */
function commandsOf(text: string): string[][] {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .flatMap((line) => line.replace(/(^|\s)#.*$/, '').split(/\s*(?:&&|;)\s*/))
    .map((line) => line.match(/'[^']*'|"[^"]*"|\S+/g) ?? [])
    .map((words) => words.map((word) => word.replace(/^(['"])(.*)\1$/, '$2')))
    .map((words) => words.slice(words.findIndex((word) => !/^[A-Z_]+=/.test(word))))
    .filter((words) => words.length > 0);
}

function ringpoll(name: string, args: string[]): void {
  if (name === '--help') return;
  const command = commands[name];
  if (command === undefined) throw new Error(`no command '${name}'`);
  const options = parseConfig(command);
  checkOperands(command, parseArgs({ args, options, allowPositionals: true }).positionals);
}

function lanes(names: string): void {
  const known = read('docs/hacking.md') + readdirSync(join(root, 'test/lanes')).join(' ');
  const engines = ['poll', 'uring', 'hybrid', 'denied', 'denied-all'];
  const usual = ['core', 'unit', ...engines, 'asan', 'tsan'];
  for (const name of names.split(',')) {
    if (!usual.includes(name) && !known.includes(`${name}.mjs`)) throw new Error(`no lane ${name}`);
  }
}

function npm(args: string[]): void {
  const [verb, ...rest] = args;
  if (verb === 'install') {
    expect(rest).toEqual(['ringpoll']);
    return;
  }
  // A folder of the reader's own.
  if (verb === 'init' || verb === 'pkg') return;
  const name = verb === 'run' ? rest.shift() : verb;
  expect(Object.keys(scripts)).toContain(name);
  const passed = rest[0] === '--' ? rest.slice(1) : [];
  if (name === 'test' && passed[0] === '--only') lanes(passed[1]);
  if (name === 'prebuilds' && !passed.every((word) => word.startsWith('--'))) {
    expect(Object.keys(TARGETS)).toContain(passed[0]);
  }
}

function file(path: string): void {
  const source = path.replace(/^dist(\/.*)\.js$/, 'lib$1.ts');
  if (!existsSync(join(root, source))) throw new Error(`no file ${path}`);
}

function cmake(args: string[]): void {
  const known = read('CMakeLists.txt');
  for (const word of args.filter((each) => each.startsWith('-DRINGPOLL'))) {
    expect(known).toContain(word.slice(2).split('=')[0]);
  }
}

function node(args: string[]): void {
  if (args[0] === '--import' || args[0] === '--require') {
    // An entry of the package, for a program of the reader's.
    const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> };
    expect(Object.keys(exports)).toContain(args[1].replace(/^ringpoll/, '.'));
    return;
  }
  const [path, ...rest] = args.slice(args.findIndex((word) => !word.startsWith('-')));
  file(path);
  if (path === 'dist/cli/main.js') ringpoll(rest[0], rest.slice(1));
}

function check([program, ...args]: string[]): void {
  if (program === 'npx' && args[0] === 'ringpoll') ringpoll(args[1], args.slice(2));
  else if (program === 'npx') expect(args[0]).toBe('vitest');
  else if (program === 'npm') npm(args);
  else if (program === 'cmake') cmake(args);
  else if (program === 'node') node(args);
  else expect([...FOREIGN, 'build/core/core_test']).toContain(program);
}

describe('the docs', () => {
  const shell = blocks.filter(({ language }) => language === 'sh');

  it.each(shell)('give commands that there are: $page', (block) => {
    const lines = commandsOf(block.text);
    expect(lines.length).toBeGreaterThan(0);
    for (const words of lines) expect(() => check(words), words.join(' ')).not.toThrow();
  });

  it('name commands of ringpoll that there are', () => {
    const named = pages.flatMap((page) => [...read(page).matchAll(/npx ringpoll ([a-z]+)/g)]);
    const unknown = named.map(([, name]) => name).filter((name) => commands[name] === undefined);
    expect(unknown).toEqual([]);
  });

  it('and the help have examples that are understood', () => {
    const examples = Object.values(commands).flatMap((command) => command.examples);
    const words = commandsOf(examples.join('\n'));
    expect(words.length).toBeGreaterThanOrEqual(Object.keys(commands).length);
    for (const [name, ...args] of words) expect(() => ringpoll(name, args)).not.toThrow();
  });

  it('name every command of ringpoll', () => {
    const text = pages.map(read).join('\n');
    const missing = Object.keys(commands).filter((name) => !text.includes(`ringpoll ${name}`));
    expect(missing).toEqual([]);
  });

  it.each(blocks.filter(({ language }) => language === 'json'))('have valid JSON: $page', (one) => {
    expect(() => JSON.parse(one.text)).not.toThrow();
  });

  it('have blocks of the kinds that are tried, and pictures', () => {
    // `javascript` is for other packages and other runtimes: to read, not to run.
    const kinds = ['js', 'ts', 'javascript', 'sh', 'json', 'mermaid', 'yaml', ''];
    expect(blocks.filter(({ language }) => !kinds.includes(language))).toEqual([]);
  });
});
