// `ringpoll doctor APP`: runs a program with ringpoll/register for a while, and tells who served
// what, and why.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Observation } from '../register/observe.js';
import { EXIT, UsageError } from './command.js';
import { type Output, table } from './output.js';

export const SECONDS_DEFAULT = 10;
/** After the last server began to listen, another one may. */
const QUIET_MS = 1000;
const LOOK_MS = 50;
const STOP_MS = 2000;
const VARIABLE = 'RINGPOLL_DOCTOR_REPORT';

interface Seen {
  program: string;
  /** How it ended by itself: an exit code or a signal; undefined: it was stopped. */
  ended: string | undefined;
  observations: Observation[];
}

function linesOf(file: string): Observation[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Observation);
}

const entry = (name: string) => new URL(`../register/${name}.js`, import.meta.url).href;

async function observe(program: string, args: string[], seconds: number): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-doctor-'));
  const file = join(folder, 'report');
  const flags = ['--import', entry('index'), '--import', entry('observe')];
  // What it prints is not the report.
  const child = spawn(process.execPath, [...process.execArgv, ...flags, program, ...args], {
    env: { ...process.env, [VARIABLE]: file },
    stdio: ['ignore', 2, 2],
  });
  let ended: string | undefined;
  const over = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = signal ?? String(code);
      resolve();
    });
  });
  try {
    await settled(file, seconds, () => ended !== undefined);
    const result = { program, ended, observations: linesOf(file) };
    if (ended === undefined) {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await over;
      clearTimeout(killer);
    }
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Until servers have listened and no other follows, or the time or the program is over. */
async function settled(file: string, seconds: number, isOver: () => boolean): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  let count = 0;
  let changed = performance.now();
  while (!isOver() && performance.now() < deadline) {
    const seen = linesOf(file).filter(({ what }) => what === 'server').length;
    if (seen !== count) {
      count = seen;
      changed = performance.now();
    }
    if (count > 0 && performance.now() - changed > QUIET_MS) return;
    await sleep(LOOK_MS);
  }
}

function textOf({ observations, ended }: Seen): string {
  const modules = observations.filter((each) => each.what === 'module');
  const servers = observations.filter((each) => each.what === 'server');
  const connections = observations.filter((each) => each.what === 'connection');
  const names = new Map(modules.map(({ name, by }) => [name, by]));
  const parts = [table([...names].map(([name, by]) => [name, by]))];
  const rows = servers.map(({ kind, at, by, why = '' }) => [kind, at, by, why]);
  if (rows.length > 0) parts.push(table([['server', 'listens on', 'served by', 'why'], ...rows]));
  else parts.push('No server has listened.');
  const out = connections.map(({ kind, by, why = '' }) => [kind, by, why]);
  if (out.length > 0) parts.push(table([['connections', 'made by', 'why'], ...out]));
  if (ended !== undefined && ended !== '0') parts.push(`The program ended: ${ended}.`);
  return parts.join('\n\n');
}

/** @throws UsageError when there is no such program */
export async function doctorProgram(
  operands: readonly string[],
  seconds: number,
  output: Output,
): Promise<number> {
  const [name, ...args] = operands;
  const program = resolve(name);
  if (!existsSync(program)) throw new UsageError(`there is no ${program}`);
  const seen = await observe(program, args, seconds);
  if (output.json) output.document(seen);
  else output.line(textOf(seen));
  return seen.ended === undefined || seen.ended === '0' ? EXIT.ok : EXIT.failure;
}
