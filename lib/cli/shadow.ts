// `ringpoll shadow`: one workload on both engines, each run in a process of its own; compares what
// was seen and what it cost.
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, EXIT, Failure, integerOption, UsageError } from './command.js';
import { JSON_OPTION } from './help.js';
import { type Output, reporting, table } from './output.js';
import type { ShadowRun } from './shadow_run.js';

const ENGINES = ['uring', 'poll'] as const;
type Engine = (typeof ENGINES)[number];
const ROUNDS_DEFAULT = 3;
const SECONDS_DEFAULT = 60;

interface Side {
  engine: Engine;
  /** What really ran: uring falls back to poll where it is refused. */
  ran: string;
  runs: ShadowRun[];
  /** Medians over the runs. */
  cpuMicroseconds: number;
  operations: number;
  cpuPerOperation: number;
}

interface Report {
  script: string;
  rounds: number;
  /** Whether every run saw and returned the same. */
  same: boolean;
  differences: string[];
  sides: Side[];
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Runs the script in a child, which reports by its channel. */
function runOn(engine: Engine, script: string, seconds: number): Promise<ShadowRun> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1], ['shadow', '--child', script], {
      env: { ...process.env, RINGPOLL_ENGINE: engine },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let report: ShadowRun | undefined;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    child.on('message', (message) => {
      report = message as ShadowRun;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (report !== undefined && code === 0) resolve(report);
      else if (late) reject(new Failure(`${script} took more than ${seconds} s on ${engine}`));
      else reject(new Failure(`${script} ended with ${signal ?? `code ${code}`} on ${engine}`));
    });
  });
}

/** Each name that was not the same in every run. */
function differencesOf(sides: Side[]): string[] {
  const runs = sides.flatMap(({ engine, runs }) => runs.map((run) => ({ engine, run })));
  const names = new Set(runs.flatMap(({ run }) => Object.keys(run.seen)));
  const differences: string[] = [];
  for (const name of names) {
    const told = ({ run }: { run: ShadowRun }) => {
      const seen = run.seen[name];
      return seen === undefined ? 'nothing' : `${seen.bytes} bytes, sha256 ${seen.sha256}`;
    };
    if (new Set(runs.map(told)).size === 1) continue;
    differences.push(...runs.map((each) => `${name}, ${each.engine}: ${told(each)}`));
  }
  if (new Set(runs.map(({ run }) => run.result)).size > 1) {
    differences.push(...runs.map(({ engine, run }) => `result, ${engine}: ${run.result}`));
  }
  return differences;
}

async function compare(
  script: string,
  rounds: number,
  seconds: number,
  output: Output,
): Promise<Report> {
  const runs: Record<Engine, ShadowRun[]> = { uring: [], poll: [] };
  // In turns, so that what else the machine does is shared.
  for (let round = 0; round < rounds; round++) {
    for (const engine of ENGINES) {
      const what = () => `round ${round + 1} of ${rounds}, on ${engine} ...`;
      runs[engine].push(await reporting(output, what, runOn(engine, script, seconds)));
    }
  }
  const sides = ENGINES.map((engine): Side => {
    const of = runs[engine];
    return {
      engine,
      ran: of[0].engine,
      runs: of,
      cpuMicroseconds: median(of.map((run) => run.cpuMicroseconds)),
      operations: median(of.map((run) => run.operations)),
      cpuPerOperation: median(of.map((run) => run.cpuMicroseconds / Math.max(1, run.operations))),
    };
  });
  const differences = differencesOf(sides);
  return { script, rounds, same: differences.length === 0, differences, sides };
}

function text({ same, differences, sides }: Report): string {
  const rows = sides.map(({ engine, ran, cpuMicroseconds, operations, cpuPerOperation }) => [
    engine === ran ? engine : `${engine} (ran ${ran})`,
    String(operations),
    (cpuMicroseconds / 1000).toFixed(1),
    cpuPerOperation.toFixed(2),
  ]);
  const head = ['engine', 'operations', 'CPU ms', 'CPU µs per operation'];
  const verdict = same ? 'results: the same on both engines' : 'results DIFFER:';
  return [table([head, ...rows], [1, 2, 3]), '', verdict, ...differences].join('\n');
}

export const command: Command = {
  summary: 'run a workload on both engines and compare results and cost',
  usage: 'SCRIPT',
  operandsMax: 1,
  details:
    'SCRIPT is a module. Its default export is a function: async ({ engine, saw }) => result.\n' +
    'The function starts servers and clients, sends data, and stops them. It calls\n' +
    'saw(bytes, name) with what a peer received. These bytes and the result must be the same in\n' +
    'each run; the exit code is 1 if they differ. Operations are receives, sends, accepts,\n' +
    'connects and operations on files. CPU is that of the whole process while the function ran.',
  examples: ['shadow workload.mjs --rounds 5'],
  options: {
    rounds: { type: 'string', value: 'N', help: `runs on each engine (default ${ROUNDS_DEFAULT})` },
    seconds: {
      type: 'string',
      value: 'N',
      help: `time limit of a run (default ${SECONDS_DEFAULT})`,
    },
    json: JSON_OPTION,
    child: { type: 'boolean', hidden: true, help: 'one run; its parent gets the report' },
  },
  async run(values, [name], output) {
    if (name === undefined) throw new UsageError('shadow takes one script');
    const script = resolve(name);
    if (!existsSync(script)) throw new UsageError(`there is no ${script}`);
    if (values.child === true) {
      if (process.send === undefined) throw new UsageError('--child is for shadow itself');
      // Not imported: its help is there without an addon too.
      const { shadowRun } = await import('./shadow_run.js');
      await shadowRun(script);
      return EXIT.ok;
    }
    const rounds = integerOption(values, 'rounds', ROUNDS_DEFAULT, [1, 1000]);
    const seconds = integerOption(values, 'seconds', SECONDS_DEFAULT, [1, 86_400]);
    const report = await compare(script, rounds, seconds, output);
    if (output.json) output.document(report);
    else output.line(text(report));
    return report.same ? EXIT.ok : EXIT.failure;
  },
};
