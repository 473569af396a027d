// The tests of a package, each file in a process of its own, on plain Node or with a face.
import { join } from 'node:path';
import { runBounded } from '../support/command.mjs';

const FILE_MS_MAX = 60_000;
const AT_ONCE = 2;
const SAID_MAX = 1200;

/** Tests that passed, and the names of those that failed, as the reporter `tap` tells them. */
function tapCounts(output) {
  const told = /^# pass (\d+)$/m.exec(output);
  // A file that did not end has no sum.
  const passed = told === null ? [...output.matchAll(/^ok \d+/gm)].length : Number(told[1]);
  const lines = [...output.matchAll(/^( *)not ok \d+ - (.*?)$/gm)];
  // Said of a test that may fail, or was not run.
  const isExcused = (line) => / # [A-Z]{4}\b/.test(line);
  const failed = lines.map(([, , what]) => what).filter((what) => !isExcused(what));
  return { passed, failed };
}

/** The same of mocha's reporter `json`, behind whatever else was printed. */
function mochaCounts(output) {
  const from = output.search(/^\{\n {2}"stats"/m);
  if (from < 0) return { passed: 0, failed: [] };
  const text = output.slice(from);
  const told = JSON.parse(text.slice(0, text.search(/^\}/m) + 1));
  return {
    passed: told.passes.length,
    failed: told.failures.map(({ fullTitle }) => fullTitle),
  };
}

async function runFile({ tree, file, launcher = [], flags = [], mocha, env }) {
  const args =
    mocha === undefined
      ? [...flags, '--test-reporter=tap', file]
      : [
          ...flags,
          join('node_modules', 'mocha', 'bin', '_mocha'),
          '--reporter=json',
          ...mocha,
          file,
        ];
  const [command, ...rest] = [...launcher, process.execPath, ...args];
  const ended = await runBounded(command, rest, {
    ...{ cwd: tree, capture: true, msMax: FILE_MS_MAX },
    env: { NODE_ENV: 'test', FORCE_COLOR: '0', ...env },
  });
  const { code, signal, timedOut, output } = ended;
  const counts = mocha === undefined ? tapCounts(output) : mochaCounts(output);
  const how = timedOut ? 'late' : signal !== null ? `ended by ${signal}` : `exit code ${code}`;
  const why = code === 0 ? undefined : `${how}\n${output.slice(-SAID_MAX)}`;
  return { file, ...counts, why };
}

/**
 * { file, passed, failed, why }[] in their order: how many tests passed, the names of those that
 * failed, and how its process ended, if that was no success.
 */
export async function runPackage({ tree, files, env = {}, ...how }) {
  const waiting = [...files];
  const results = [];
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const r1 = await runFile({ tree, file, env, ...how });
      how.onDone?.(r1);
      results.push(r1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results.sort((a, b) => (a.file < b.file ? -1 : 1));
}
