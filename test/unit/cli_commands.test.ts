// `ringpoll COMMAND` as a process of its own: what it prints, where to, and its exit code.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeReport } from '../../lib/cli/bench/report.js';

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const COMMANDS = [
  'bench',
  'build',
  'doctor',
  'dump',
  'echo',
  'explain',
  'layers',
  'serve',
  'shadow',
  'top',
];
const HELP_COLUMNS_MAX = 100;
// Starting Node on a busy machine takes its time.
const TEST_MS_MAX = 30_000;

function start(...args: string[]): ChildProcess {
  return startWith({}, ...args);
}

function startWith(variables: NodeJS.ProcessEnv, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...variables },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function ending(child: ChildProcess) {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...text };
}

const ringpoll = (...args: string[]) => ending(start(...args));

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a server with --json; resolves with its address once it listens. */
async function serving(...args: string[]) {
  const child = start(...args, '--port', '0', '--json');
  let text = '';
  for await (const part of child.stdout ?? []) {
    text += String(part);
    if (text.trimEnd().endsWith('}')) break;
  }
  return { child, where: JSON.parse(text) as { address: string; port: number } };
}

async function interrupted(child: ChildProcess): Promise<unknown> {
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  return code;
}

describe('the command line', { timeout: TEST_MS_MAX }, () => {
  it('lists its commands, with 2 as the exit code where it was not asked to', async () => {
    const [asked, unasked] = await Promise.all([ringpoll('--help'), ringpoll()]);
    for (const name of COMMANDS) expect(asked.stdout).toContain(`  ${name}`);
    expect([asked.code, unasked.code]).toEqual([0, 2]);
  });

  it.each(COMMANDS)('%s --help names its options, --json among them', async (name) => {
    const { code, stdout, stderr } = await ringpoll(name, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`ringpoll ${name}`);
    expect(stdout).toContain('--json');
    expect(stdout).toContain(`Examples:\n  npx ringpoll ${name}`);
    expect(stdout.split('\n').filter((line) => line.length > HELP_COLUMNS_MAX)).toEqual([]);
  });

  it('helps, lists and diagnoses where no addon is for the machine, and else says so', async () => {
    const elsewhere = { PREBUILDS_ONLY: '1', npm_config_arch: 'riscv64' };
    const run = (...args: string[]) => ending(startWith(elsewhere, ...args));
    const helps = [['--help'], ...COMMANDS.map((name) => [name, '--help'])];
    const codes = await Promise.all(helps.map(async (args) => (await run(...args)).code));
    expect(codes).toEqual(helps.map(() => 0));
    const doctor = await run('doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/^addon: There is no prebuilt addon for \w+-riscv64/m);
    for (const name of ['bench', 'echo', 'explain', 'serve']) {
      const { code, stdout, stderr } = await run(name);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^ringpoll: There is no prebuilt addon .*: npx ringpoll build\n$/);
    }
  });

  it.each([
    ['an unknown command', ['fly'], /no command 'fly'/],
    ['an unknown option', ['explain', '--fast'], /--fast/],
    ['a port that is none', ['echo', '--port', '70000'], /0 to 65535/],
    ['a host that is none', ['echo', '--host', 'nonsense'], /IP address/],
    ['two folders', ['serve', 'a', 'b'], /at most 1 .*'b'/],
    ['a folder that is not there', ['serve', '/nowhere/at/all'], /not a folder/],
    ['an argument that means nothing', ['echo', 'all'], /no argument .*'all'/],
    ['a program that is not there', ['doctor', 'no.mjs'], /no.*no\.mjs/],
    ['help for an unknown command', ['help', 'fly'], /no command 'fly'/],
    ['a script that is not there', ['shadow', 'no.mjs'], /no.*no\.mjs/],
    ['a pattern that is none', ['bench', '--only', '('], /--only: /],
    ['a pattern without --only', ['bench', 'timers'], /'timers' goes with/],
    ['one report to compare', ['bench', '--compare', 'a.json'], /two files/],
    ['a report that is not there', ['bench', '--compare', 'no.json', 'no.json'], /no\.json/],
    ['a pattern without a match', ['bench', '--only', 'nothing like it'], /no benchmark/],
  ])('answers %s with 2 and a reason on standard error', async (_what, args, reason) => {
    const { code, stdout, stderr } = await ringpoll(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(reason);
  });

  it('explain --json is one document that names the engines', async () => {
    const { code, stdout } = await ringpoll('explain', '--json');
    const { engine, engines } = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(['hybrid', 'uring', 'poll']).toContain(engine);
    expect(engines.map(({ name }: { name: string }) => name)).toContain('poll');
  });

  it('doctor --json is one document, with an exit code of its own for problems', async () => {
    const { code, stdout } = await ringpoll('doctor', '--json');
    expect(JSON.parse(stdout).checks.length).toBeGreaterThan(0);
    expect([0, 1]).toContain(code);
  });

  it('bench keeps reports that can be compared', async () => {
    const [before, after] = ['before', 'after'].map((name) => join(temporaryFolder(), name));
    const args = ['bench', '--quick', '--rounds', '3', '--only', 'ready queue', '--json'];
    const { code, stdout } = await ringpoll(...args, '--out', before);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    const [result] = report.results;
    expect(result.ns).toBeGreaterThan(0);
    const slower = { ...report, results: [{ ...result, ns: result.ns * 1000 }] };
    writeFileSync(after, JSON.stringify(slower));
    const compare = (a: string, b: string) => ringpoll('bench', '--compare', a, b, '--json');
    const [same, worse] = await Promise.all([compare(before, before), compare(before, after)]);
    const verdicts = [same, worse].map((one) => JSON.parse(one.stdout).changes[0].verdict);
    expect(verdicts).toEqual(['same', 'slower']);
    expect([same.code, worse.code]).toEqual([0, 1]);
  });

  it('bench says at once that it cannot keep a report', async () => {
    const out = join(temporaryFolder(), 'no', 'such', 'folder');
    const { code, stdout, stderr } = await ringpoll('bench', '--out', out);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^ringpoll: ENOENT.*\n$/);
  });

  it('bench --compare says that two reports have nothing in common', async () => {
    const name = join(temporaryFolder(), 'empty');
    writeFileSync(name, JSON.stringify(makeReport({}, [], [])));
    const { code, stdout, stderr } = await ringpoll('bench', '--compare', name, name);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^ringpoll: .*in common\n$/);
  });

  it('shadow says on standard error how far it is, and its results on the other', async () => {
    const script = join(temporaryFolder(), 'long.mjs');
    const long = 'export default () => new Promise((resolve) => setTimeout(resolve, 2500));';
    writeFileSync(script, long);
    const { stdout, stderr } = await ringpoll('shadow', script, '--rounds', '1', '--json');
    expect(JSON.parse(stdout).rounds).toBe(1);
    expect(stderr).toMatch(/^round 1 of 1, on uring \.\.\. \(2 s\)$/m);
  });

  it('shadow tells in one line of a script that is none', async () => {
    const script = join(temporaryFolder(), 'none.mjs');
    writeFileSync(script, 'export const nothing = 1;');
    const { code, stderr } = await ringpoll('shadow', script);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no function as its default.*\nringpoll: .*with code 1/);
  });

  it('echo sends back what it gets, until it is interrupted', async () => {
    const { child, where } = await serving('echo');
    const socket = connect(where.port, where.address);
    socket.write('hello');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toBe('hello');
    socket.destroy();
    expect(await interrupted(child)).toBe(0);
  });

  it('serve gives out the files of a folder, until it is interrupted', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'index.html'), '<p>hello</p>');
    const { child, where } = await serving('serve', folder);
    const options = { headers: { connection: 'close' } };
    const found = await fetch(`http://${where.address}:${where.port}/`, options);
    expect(await found.text()).toBe('<p>hello</p>');
    const missing = await fetch(`http://${where.address}:${where.port}/no`, options);
    expect(missing.status).toBe(404);
    await missing.arrayBuffer();
    expect(await interrupted(child)).toBe(0);
  });

  it('serve answers 200 at the URL that it prints, with a list without an index', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'a & <b>.txt'), 'text');
    writeFileSync(join(folder, 'sub', 'x:y'), 'below');
    writeFileSync(join(folder, '.hidden'), '');
    const child = start('serve', folder, '-p', '0');
    const [line] = await once(child.stdout!, 'data');
    const [url] = /http:\/\/\S+/.exec(String(line)) ?? [];
    const get = async (path: string) => {
      const answer = await fetch(new URL(path, url), { headers: { connection: 'close' } });
      return [answer.status, await answer.text()] as const;
    };
    const [status, page] = await get('');
    expect(status).toBe(200);
    const links = [...page.matchAll(/href="([^"]+)">([^<]*)</g)];
    expect(links.map(([, , text]) => text)).toEqual(['a &amp; &lt;b&gt;.txt', 'sub/']);
    expect(await get(links[0]![1]!)).toEqual([200, 'text']);
    const [, below] = await get(links[1]![1]!);
    const [, link] = /href="([^"]+)"/.exec(below) ?? [];
    expect(await get(`sub/${link}`)).toEqual([200, 'below']);
    expect((await get('none/'))[0]).toBe(404);
    expect((await get('.hidden/'))[0]).toBe(404);
    expect(await interrupted(child)).toBe(0);
  });

  it('says what it waits for when an interrupted server has connections', async () => {
    const { child, where } = await serving('echo');
    const socket = connect({ port: where.port, host: where.address, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {}).write('hello');
    await once(socket, 'data');
    child.kill('SIGTERM');
    const { code, stderr } = await ending(child);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^connections that have not finished: 1 \(2 s\)$/m);
  });

  it('puts an address of IPv6 in brackets', async () => {
    const child = start('echo', '--host', '::1', '--port', '0');
    const [line] = await once(child.stdout as NodeJS.ReadableStream, 'data');
    expect(String(line)).toMatch(/^echo server on \[::1\]:\d+\n$/);
    expect(await interrupted(child)).toBe(0);
  });

  it('ends quietly when nobody reads on', async () => {
    const child = start('--help');
    child.stdout?.destroy();
    const { code, stderr } = await ending(child);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('says in one line that an address is in use, with 1 as the exit code', async () => {
    const { child, where } = await serving('echo');
    const { code, stderr } = await ringpoll('echo', '--port', String(where.port));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ringpoll: .*EADDRINUSE.*\n$/);
    expect(await interrupted(child)).toBe(0);
  });
});
