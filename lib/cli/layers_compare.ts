// `ringpoll layers --compare APP`: what a request costs, layer by layer, where node:http serves it,
// and where ringpoll does. It is the same program, in a process of its own each time.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LayerCosts, LayerName } from '../admin/layer_costs.js';
import { EXIT, Failure, UsageError } from './command.js';
import { HttpLoad } from './http_load.js';
import { LAYER_ROWS } from './layer_rows.js';
import type { SideMessage, SideOrder, SideUsage } from './layers_side.js';
import { type Output, reporting, table } from './output.js';

export interface CompareOptions {
  /** Seconds of each measuring; there are two in a round, for each side. */
  seconds: number;
  rounds: number;
  path: string;
  connections: number;
  depth: number;
}

const SIDES = { 'node:http': [] as string[], ringpoll: ['../register/index.js'] };
type SideName = keyof typeof SIDES;
const PROBES: Record<SideName, string> = {
  'node:http': '../cli/layers_of_node.js',
  ringpoll: '../cli/layers_of_ringpoll.js',
};
const WARM_UP_MS = 1000;
const START_MS_MAX = 20_000;
const STOP_MS_MAX = 2000;

/** What one round found out of one side. */
interface Round {
  /** Microseconds of CPU time of the process, a request, without measuring layers. */
  user: number;
  system: number;
  requestsPerSecond: number;
  costs: LayerCosts;
}

export interface Side extends Round {
  name: SideName;
  rounds: Round[];
}

export interface Comparison {
  program: string;
  path: string;
  connections: number;
  depth: number;
  sides: Side[];
}

/** The program, as it runs in a process of its own. */
class Program {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #exit: Promise<void>;
  #ended: string | undefined;
  #next: ((message: SideMessage | undefined) => void) | undefined;
  readonly #kept: SideMessage[] = [];

  constructor(side: SideName, program: string, args: readonly string[]) {
    const url = (path: string) => new URL(path, import.meta.url).href;
    const imports = [...SIDES[side], PROBES[side]].flatMap((path) => ['--import', url(path)]);
    this.#name = `${program} on ${side}`;
    // What it prints is no result.
    this.#child = spawn(process.execPath, [...process.execArgv, ...imports, program, ...args], {
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.#exit = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#ended = signal ?? `code ${code}`;
        this.#next?.(undefined);
        resolve();
      });
    });
    this.#child.on('message', (message: SideMessage) => {
      if (this.#next === undefined) this.#kept.push(message);
      else this.#next(message);
    });
  }

  /** @throws Failure when it ends, or tells nothing */
  async #told<What extends SideMessage['what']>(
    what: What,
    msMax: number,
  ): Promise<Extract<SideMessage, { what: What }>> {
    const late = AbortSignal.timeout(msMax);
    let message = this.#kept.shift();
    if (message === undefined && this.#ended === undefined) {
      message = await new Promise((resolve) => {
        this.#next = resolve;
        late.onabort = () => resolve(undefined);
      });
      this.#next = undefined;
      late.onabort = null;
    }
    if (message?.what === what) return message as never;
    if (this.#ended !== undefined) throw new Failure(`${this.#name} ended: ${this.#ended}`);
    const missing = what === 'listens' ? 'no HTTP server of it listens' : 'it does not answer';
    throw new Failure(`${this.#name}: ${missing}, after ${msMax / 1000} s`);
  }

  listens(): Promise<Extract<SideMessage, { what: 'listens' }>> {
    return this.#told('listens', START_MS_MAX);
  }

  async begin(layers: boolean): Promise<void> {
    this.#child.send({ what: 'begin', layers } satisfies SideOrder);
    await this.#told('began', START_MS_MAX);
  }

  async end(): Promise<SideUsage> {
    this.#child.send({ what: 'end' } satisfies SideOrder);
    return (await this.#told('ended', START_MS_MAX)).usage;
  }

  async stop(): Promise<void> {
    if (this.#ended === undefined) this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
    await this.#exit;
    clearTimeout(killer);
  }
}

async function measured(
  program: Program,
  load: HttpLoad,
  seconds: number,
  layers: boolean,
): Promise<{ usage: SideUsage; requests: number; ms: number }> {
  await program.begin(layers);
  const [from, answered] = [performance.now(), load.answered];
  await delay(seconds * 1000);
  const usage = await program.end();
  return { usage, requests: load.answered - answered, ms: performance.now() - from };
}

async function round(
  side: SideName,
  [name, ...args]: readonly string[],
  { seconds, ...options }: CompareOptions,
): Promise<Round> {
  const program = new Program(side, name, args);
  let load: HttpLoad | undefined;
  try {
    const { host, port, fellBack } = await program.listens();
    if (fellBack !== undefined) throw new Failure(`ringpoll does not serve ${name}: ${fellBack}`);
    load = await HttpLoad.start({ ...options, host, port });
    await delay(WARM_UP_MS);
    const plain = await measured(program, load, seconds, false);
    const timed = await measured(program, load, seconds, true);
    const { layers: costs } = timed.usage;
    if (costs === undefined || costs.requests === 0) {
      throw new Failure(`no request of ${name} on ${side} was measured`);
    }
    return {
      user: plain.usage.user / plain.requests,
      system: plain.usage.system / plain.requests,
      requestsPerSecond: (plain.requests / plain.ms) * 1000,
      costs,
    };
  } finally {
    load?.stop();
    await program.stop();
  }
}

/** Of an odd number, the one in the middle. */
function middle(rounds: readonly Round[]): Round {
  const sorted = [...rounds].sort((a, b) => a.user + a.system - b.user - b.system);
  return sorted[sorted.length >> 1];
}

/** Where node:http has what it cannot be told apart from. */
const WITHIN: Partial<Record<LayerName, string>> = {
  ...{ accept: 'loop', read: 'loop', tls: 'loop', parse: 'loop', host: 'loop' },
  serialise: 'handler',
};

const us = (value: number) => value.toFixed(value < 100 ? 2 : 1);

export function comparisonText({ program, path, connections, depth, sides }: Comparison): string {
  const cell = ({ costs }: Side, layer: LayerName) => {
    const found = costs.layers.find((each) => each.layer === layer);
    return found === undefined ? `in ${WITHIN[layer]}` : us(found.microseconds);
  };
  const row = (name: string, of: (side: Side) => string, meaning = '') => [
    ...[name, ...sides.map(of), meaning],
  ];
  const apart = ({ costs }: Side) =>
    `${((costs.microseconds + costs.measuringMicroseconds) / costs.wholeMicroseconds).toFixed(3)}`;
  const rows = [
    row('µs a request', ({ name }) => name),
    ...LAYER_ROWS.map(([layer, meaning]) => row(layer, (side) => cell(side, layer), meaning)),
    row('all layers', ({ costs }) => us(costs.microseconds), 'their sum'),
    row('measuring', ({ costs }) => us(costs.measuringMicroseconds), 'left out above'),
    row('the whole', ({ costs }) => us(costs.wholeMicroseconds), 'the thread, without its waits'),
    row('sum / whole', apart, 'with measuring; 1 is right'),
    row('CPU, user', ({ user }) => us(user), 'of the process, while no layers were measured'),
    row('CPU, kernel', ({ system }) => us(system), 'the same'),
    row('CPU', ({ user, system }) => us(user + system), 'both'),
    row('requests/s', (side) => Math.round(side.requestsPerSecond).toString(), 'the same time'),
  ];
  const [node, own] = sides;
  const cpu = (own.user + own.system) / (node.user + node.system);
  const speed = own.requestsPerSecond / node.requestsPerSecond;
  const load = depth === 1 ? '' : `, ${depth} requests at once`;
  return [
    `GET ${path} of ${program}, ${connections} connections${load}`,
    '',
    table(rows, [1, 2]),
    '',
    `ringpoll: ${cpu.toFixed(2)} times the CPU of a request, ${speed.toFixed(2)} times the ` +
      'requests a second.',
    'Layers of ringpoll are timed by native code, one turn in 61. Those of node:http are timed',
    'around the calls of its parser, the handlers and the sending calls; loop is all that is left',
    'of the time of its event loop. These are times of a clock: if other programs had the',
    'processor meanwhile, that is in them. CPU is getrusage(), of all threads of the process.',
  ].join('\n');
}

/** @throws UsageError, Failure */
export async function compareLayers(
  [name, ...args]: readonly string[],
  options: CompareOptions,
  output: Output,
): Promise<number> {
  const program = resolve(name);
  if (!existsSync(program)) throw new UsageError(`there is no ${program}`);
  const names = Object.keys(SIDES) as SideName[];
  const rounds = new Map(names.map((side): [SideName, Round[]] => [side, []]));
  // In turns, so that what else the machine does is shared.
  for (let at = 1; at <= options.rounds; at++) {
    for (const side of names) {
      const what = () => `round ${at} of ${options.rounds}, ${side} ...`;
      const work = round(side, [program, ...args], options);
      rounds.get(side)?.push(await reporting(output, what, work));
    }
  }
  const sides = names.map((side): Side => {
    const all = rounds.get(side) as Round[];
    return { name: side, ...middle(all), rounds: all };
  });
  const { path, connections, depth } = options;
  const comparison: Comparison = { program: name, path, connections, depth, sides };
  if (output.json) output.document(comparison);
  else output.line(comparisonText(comparison));
  return EXIT.ok;
}
