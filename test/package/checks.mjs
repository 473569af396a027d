// What the lanes that try the packed package have in common: the programs, running one, counting.
import { join } from 'node:path';
import { failureOf, runBounded } from '../support/command.mjs';

const PROGRAM_MS_MAX = 20_000;

const CLASSES = `ERR_RINGPOLL_OUT_OF_RANGE
ERR_RINGPOLL_INVALID_ARG_TYPE
ERR_INVALID_ARG_TYPE
ERR_RINGPOLL_OUT_OF_RANGE
ERR_RINGPOLL_CHANNEL_CLOSED
true true
42`;
const FETCH = `request 200 body
other 200 other
own 200 body
clone 200 body
proxy 200 body
headers 200 seen
constructor 200 body
instance 200 true
platform 200 true
fetched 200 200
twice 200 body,TypeError
200 relayed`;
// A program of test/package/programs, and what it has to print.
export const PROGRAMS = [
  ['ESM', 'echo.mjs', 'hello'],
  ['HTTP', 'http.mjs', '200 {"path":"/hello"}'],
  ['the fetch face', 'fetch.mjs', FETCH],
  ['require() of ESM', 'required.cjs', 'hello'],
  ['worker threads', 'worker.mjs', 'hello\nhello\nhello\n0 0'],
  ['next ticks and microtasks', 'order.mjs', 'function in order'],
  ['one copy of each class, and compute workers', 'classes.mjs', CLASSES],
  ['AsyncLocalStorage', 'context.mjs', /^outside undefined, inside stored/],
];

export function expectOutput(output, expected) {
  const text = output
    .split('\n')
    .filter((line) => !/Warning|trace-warnings/.test(line))
    .join('\n')
    .trim();
  const matches = typeof expected === 'string' ? text === expected : expected.test(text);
  if (!matches) throw new Error(`expected ${expected}, but it printed:\n${output}`);
}

export class Checks {
  result = { passed: 0, failed: 0, skipped: 0, notes: [] };

  async check(what, work) {
    const start = performance.now();
    try {
      await work();
      this.result.passed++;
      console.log(`ok      ${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.result.failed++;
      this.result.notes.push(`${what}: ${error.message.split('\n')[0]}`);
      console.log(`FAILED  ${what}\n${error.message}`);
    }
  }

  skip(what, reason) {
    this.result.skipped++;
    this.result.notes.push(`${what}: ${reason}`);
  }

  none(what, complaints) {
    return this.check(what, async () => {
      const lines = await complaints();
      if (lines.length > 0) throw new Error(lines.join('\n'));
    });
  }
}

/** `node` is a path, or a command with arguments that ends in one. */
export async function program(app, node, flags, file, env = {}) {
  const options = { msMax: PROGRAM_MS_MAX, cwd: app, capture: true, env };
  const [command, ...args] = [node, flags, join(app, file)].flat();
  const ended = await runBounded(command, args, options);
  return { ...ended, failure: failureOf(ended, PROGRAM_MS_MAX) };
}

/** Runs a program that has to succeed; resolves with what it printed. */
export async function printed(app, node, flags, file) {
  const { output, failure } = await program(app, node, flags, file);
  if (failure) throw new Error(`${failure}\n${output}`);
  return output;
}
