// `ringpoll explain`: which engines run here, why the others do not, and what goes where.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as own from '../index.js';
import { type Command, EXIT, UsageError } from './command.js';
import { JSON_OPTION } from './help.js';
import { type Output, table } from './output.js';

type Ringpoll = Pick<typeof own, 'Loop' | 'formatExplanation'>;

function tell({ Loop, formatExplanation }: Ringpoll, output: Output): void {
  const loop = Loop.current();
  const { engines } = loop.capabilities;
  const asked = process.env.RINGPOLL_ENGINE || 'hybrid';
  if (output.json) {
    output.document({ asked, engine: loop.engine, engines, routing: loop.explain() });
    return;
  }
  output.line(`asked for: ${asked}`);
  output.line(`running:   ${loop.engine}`);
  output.line();
  const rows = engines.map(({ name, available, reason }) => [
    name,
    available ? 'available' : 'not available',
    reason ?? '',
  ]);
  output.line(table(rows));
  output.line();
  output.line(formatExplanation(loop.explain()));
}

/** The copy of this package that the program loads, which has its own loop. */
async function ringpollOf(script: string): Promise<Ringpoll> {
  try {
    const path = createRequire(script).resolve('ringpoll');
    return (await import(pathToFileURL(path).href)) as Ringpoll;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return own;
    throw error;
  }
}

/** Ends at the signals that would end the program, so that there is an end to report at. */
function endAtSignals(): void {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  }
}

/** Runs the program in this process; what it did is told when it ends. */
async function runProgram(script: string, args: string[], output: Output): Promise<void> {
  const ringpoll = await ringpollOf(script);
  process.argv = [process.argv[0], script, ...args];
  const write = process.stdout.write.bind(process.stdout);
  if (output.json) process.stdout.write = process.stderr.write.bind(process.stderr);
  endAtSignals();
  process.on('exit', () => {
    process.stdout.write = write;
    tell(ringpoll, output);
  });
  await import(pathToFileURL(script).href);
}

export const command: Command = {
  summary: 'show which engines run here, where operations go, and what they cost',
  usage: '[SCRIPT [-- ARG...]]',
  operandsMax: Number.POSITIVE_INFINITY,
  details:
    'Without SCRIPT it sends messages and reads files by every route for half a second.\n' +
    'With SCRIPT it runs that program, and reports its operations when the program ends or\n' +
    'gets SIGINT. Loops of worker threads are not shown. With --json, what the program prints\n' +
    'goes to standard error. RINGPOLL_ENGINE=hybrid|uring|poll chooses the engines, as for a\n' +
    'server.',
  examples: ['explain', 'explain server.mjs -- --port 8080'],
  options: { json: JSON_OPTION },
  async run(_values, [script, ...args], output) {
    if (script === undefined) {
      const { exercise } = await import('./explain_workload.js');
      await exercise();
      tell(own, output);
      return EXIT.ok;
    }
    const path = resolve(script);
    if (!existsSync(path)) throw new UsageError(`there is no script '${path}'`);
    await runProgram(path, args, output);
    return Number(process.exitCode ?? EXIT.ok); // the program's own
  },
};
