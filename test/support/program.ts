// Programs that run in a process of their own: test/support/programs/*.mjs. They load the built
// package by its name, as a user's program does.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { within } from './recorder.js';

const PROGRAM_MS_MAX = 20_000;
const root = fileURLToPath(new URL('../../', import.meta.url));

export function programPath(name: string): string {
  return fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
}

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

interface Settings {
  args?: string[];
  env?: Record<string, string>;
  /** Words before `node`: a shell that sets a limit, for example. */
  launcher?: string[];
  /** Descriptors from number 3 on. */
  descriptors?: number[];
  msMax?: number;
}

/** A program that runs; it is killed when the test is over. */
export class Program {
  name = 'node';
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ending>;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string) => void)[] = [];

  constructor(readonly child: ChildProcess) {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.stdout += `${line}\n`;
      const waiting = this.#waiting.shift();
      if (waiting) waiting(line);
      else this.#lines.push(line);
    });
    child.stderr!.setEncoding('utf8').on('data', (text) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
    onTestFinished(() => void child.kill('SIGKILL'));
  }

  /** The next line of its standard output. */
  line(msMax?: number): Promise<string> {
    const known = this.#lines.shift();
    if (known !== undefined) return Promise.resolve(known);
    const arrival = new Promise<string>((resolve) => this.#waiting.push(resolve));
    return within(arrival, () => `a line; standard error: ${this.stderr}`, msMax);
  }

  /** The port that a program's first line, `ready PORT`, tells. */
  async port(): Promise<number> {
    const line = await this.line();
    const match = /^ready (\d+)$/.exec(line);
    if (!match) throw new Error(`expected "ready PORT", got "${line}"`);
    return Number(match[1]);
  }

  /** How it ended, once it has. */
  ending(msMax = PROGRAM_MS_MAX): Promise<Ending> {
    return within(this.ended, () => `the end of the program; so far: ${this.stdout}`, msMax);
  }
}

export function startProgram(name: string, { args = [], ...settings }: Settings = {}): Program {
  const program = spawnNode([programPath(name), ...args], settings);
  program.name = name;
  return program;
}

/** Starts Node with these arguments. */
export function spawnNode(args: string[], settings: Omit<Settings, 'args'> = {}): Program {
  const { env = {}, launcher = [], descriptors = [] } = settings;
  const [command, ...rest] = [...launcher, process.execPath, ...args];
  const child = spawn(command!, rest, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe', ...descriptors],
  });
  return new Program(child);
}

/** Runs a program to its end. */
export function runProgram(name: string, settings: Settings = {}): Promise<Ending> {
  return startProgram(name, settings).ending(settings.msMax);
}
