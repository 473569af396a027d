// The lane of Autobahn's test suite for WebSocket: its fuzzing client tries our server on each
// engine, and its fuzzing server tries our client. It runs when it is named, and keeps what it
// found in test/websocket/autobahn.json. The suite itself is fetched, and never kept.
// By hand: node test/lanes/autobahn.mjs [server|client] [ENGINE] [CASES]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/steps.mjs';
import { aptInstall } from '../../scripts/toolchain.mjs';
import { runBounded, runStep } from '../support/command.mjs';

export const name = 'autobahn';
export const onRequest = true;
export const msMax = 3 * 60 * 60 * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const KEPT = join(root, 'test', 'websocket', 'autobahn.json');
const FETCHED = join(root, 'build', 'autobahn');
// The suite itself is for Python 2; this is a port of it, at the commit that was used.
const SOURCE = 'https://github.com/asodeur/autobahn-testsuite';
const COMMIT = '98e24c890b23a73d0c76e42d0b5ef3675d1b409b';
const ENGINES = ['poll', 'uring', 'hybrid'];
/** What is kept as soon as it is done: the last two take most of the time. */
const GROUPS = ['1.*,2.*,3.*,4.*,5.*,6.*,7.*,10.*', '9.*', '12.*', '13.*'];
const PYTHON_PACKAGES = [
  ...['python3', 'python3-autobahn', 'python3-twisted', 'python3-future'],
  'python3-pkg-resources',
];
const IMPORTS = 'import autobahn.websocket, twisted, future, pkg_resources';
/** Debian's own Python first: another one does not see its packages. */
const PYTHONS = ['/usr/bin/python3', 'python3'];
const FETCH_MS_MAX = 300_000;
const START_MS_MAX = 30_000;
const BEHAVIOURS = new Set(['OK', 'NON-STRICT', 'INFORMATIONAL', 'UNIMPLEMENTED']);

async function imports(python) {
  if (findProgram(python) === undefined && !existsSync(python)) return false;
  const ended = await runBounded(python, ['-c', IMPORTS], { capture: true, msMax: START_MS_MAX });
  return ended.code === 0;
}

/** { python, folder }, or { reason } why the suite cannot be had. */
async function findSuite() {
  const found = async () => {
    for (const python of PYTHONS) if (await imports(python)) return python;
    return undefined;
  };
  let python = await found();
  if (python === undefined && process.getuid?.() === 0 && findProgram('apt-get')) {
    await aptInstall(PYTHON_PACKAGES);
    python = await found();
  }
  if (python === undefined) return { reason: `no Python 3 with ${IMPORTS.slice(7)}` };
  const given = process.env.RINGPOLL_AUTOBAHN;
  if (given !== undefined) return { python, folder: join(given, 'autobahntestsuite') };
  try {
    await fetchSuite();
  } catch (error) {
    return { reason: `the suite cannot be fetched: ${error.message.split('\n')[0]}` };
  }
  return { python, folder: join(FETCHED, 'autobahntestsuite') };
}

async function fetchSuite() {
  if (existsSync(join(FETCHED, 'autobahntestsuite'))) return;
  const git = (what, ...args) => runStep(what, 'git', args, { msMax: FETCH_MS_MAX });
  await git('git clone of Autobahn', 'clone', '--no-checkout', SOURCE, FETCHED);
  await git('git checkout of Autobahn', '-C', FETCHED, 'checkout', COMMIT);
}

/** A program that is under way: its lines, and a way to end it. */
function start(command, args, env = {}) {
  const options = { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawn(command, args, options);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors = (errors + text).slice(-2000);
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async line(ms) {
      let timer;
      const late = new Promise((_, reject) => {
        timer = setTimeout(reject, ms, new Error(`nothing within ${ms / 1000} s`));
      });
      const { value, done } = await Promise.race([lines.next(), late]).finally(() =>
        clearTimeout(timer),
      );
      if (done) throw new Error(`${args[0]} ended: ${errors.trim()}`);
      return value;
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** No case takes longer than this, by its own clock. */
const CASE_MS_MAX = 500_000;

/** The cases that a running suite reports until it says that it is done. */
async function outcomesOf(suite) {
  const outcomes = new Map();
  for (;;) {
    const line = await suite.line(CASE_MS_MAX);
    if (line === 'done') return outcomes;
    const outcome = JSON.parse(line);
    outcomes.set(outcome.id, outcome);
    const { id, behavior, behaviorClose, result, resultClose, wasNotCleanReason } = outcome;
    if (failureIn(outcome)) {
      console.log(`FAILED  ${id} ${behavior}/${behaviorClose}: ${result} ${resultClose}`);
      if (wasNotCleanReason) console.log(`        ${wasNotCleanReason}`);
    }
  }
}

async function tryServer({ python, folder }, engine, cases) {
  const echo = start(process.execPath, [join(root, 'bench', 'servers', 'ws-echo.mjs'), '0'], {
    RINGPOLL_ENGINE: engine,
  });
  const address = async () => /^ready (\d+)/.exec(await echo.line(START_MS_MAX))?.[1];
  let suite;
  try {
    const url = `ws://127.0.0.1:${await address()}/deflate`;
    suite = start(python, [runner, folder, 'client', url, cases]);
    return await outcomesOf(suite);
  } finally {
    await suite?.stop();
    await echo.stop();
  }
}

async function tryClient({ python, folder }, engine, cases) {
  const url = `ws://127.0.0.1:${await freePort()}`;
  const suite = start(python, [runner, folder, 'server', url, cases]);
  let client;
  try {
    const line = await suite.line(START_MS_MAX);
    if (line !== 'listening') throw new Error(line);
    const program = join(root, 'test', 'websocket', 'echo_client.mjs');
    client = start(process.execPath, [program, url], { RINGPOLL_ENGINE: engine });
    return await outcomesOf(suite);
  } finally {
    await client?.stop();
    await suite.stop();
  }
}

const runner = join(root, 'test', 'websocket', 'fuzzing.py');
const roles = { server: tryServer, client: tryClient };

async function freePort() {
  const server = createServer();
  await once(server.listen({ host: '127.0.0.1', port: 0 }), 'listening');
  const { port } = server.address();
  await once(server.close(), 'close');
  return port;
}

/** A close that is wrong counts as a failure too, as far as the suite judges it. */
function failureIn({ behavior, behaviorClose }) {
  return !BEHAVIOURS.has(behavior) || !['OK', 'INFORMATIONAL'].includes(behaviorClose);
}

const shown = ({ behavior, behaviorClose }) =>
  behaviorClose === 'OK' ? behavior : `${behavior}, close ${behaviorClose}`;

const byNumber = (a, b) => a.localeCompare(b, 'en', { numeric: true });

/** Puts what was found into the table that is kept: one case a line, so that a change shows. */
function keep(run, outcomes) {
  const before = existsSync(KEPT) ? readKept() : { runs: [], cases: {} };
  const runs = [...new Set([...before.runs, run])].sort();
  const cell = (id, name) => {
    if (name === run && outcomes.has(id)) return shown(outcomes.get(id));
    return before.cases[id]?.[before.runs.indexOf(name)] ?? 'not run';
  };
  const ids = [...new Set([...Object.keys(before.cases), ...outcomes.keys()])].sort(byNumber);
  const rows = ids.map((id) => {
    const cells = runs.map((name) => cell(id, name));
    return `    ${JSON.stringify(id)}: ${JSON.stringify(cells)}`;
  });
  const text = JSON.stringify({ source: SOURCE, commit: COMMIT, runs }, null, 2);
  const head = text.replace(/\n}$/, '');
  writeFileSync(KEPT, `${head},\n  "cases": {\n${rows.join(',\n')}\n  }\n}\n`);
}

export async function run(only = {}) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  const suite = await findSuite();
  if (suite.reason !== undefined) return { ...result, skipped: 1, notes: [suite.reason] };
  const groups = only.cases === undefined ? GROUPS : [only.cases];
  for (const [role, attempt] of Object.entries(roles)) {
    for (const engine of ENGINES) {
      if ((only.role ?? role) !== role || (only.engine ?? engine) !== engine) continue;
      for (const cases of groups) {
        const outcomes = await attempt(suite, engine, cases);
        const failed = [...outcomes.values()].filter(failureIn);
        keep(`${role}, ${engine}`, outcomes);
        result.passed += outcomes.size - failed.length;
        result.failed += failed.length;
        for (const { id } of failed) result.notes.push(`${role}, ${engine}: ${id}`);
        console.log(`${role}, ${engine}, ${cases}: ${outcomes.size}, ${failed.length} failed`);
      }
    }
  }
  return result;
}

/** What was kept, for the test of it. */
export const readKept = () => JSON.parse(readFileSync(KEPT, 'utf8'));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [role, engine, cases] = process.argv.slice(2);
  const { passed, failed, skipped, notes } = await run({ role, engine, cases });
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
