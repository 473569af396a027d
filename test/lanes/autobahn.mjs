// The lane of Autobahn's test suite for WebSocket: its fuzzing client tries our server on each
// engine, where io_uring is denied, and over TLS, and its fuzzing server tries our client. It runs
// when it is named, and keeps what it found in test/websocket/autobahn.json. The suite itself is
// fetched, and never kept.
// By hand: node test/lanes/autobahn.mjs [server|client] [poll|uring|hybrid|denied|tls] [CASES]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../scripts/steps.mjs';
import { aptInstall } from '../../scripts/toolchain.mjs';
import { runBounded, runStep } from '../support/command.mjs';
import { buildDenyProgram, denyProgram } from '../support/vitest-lane.mjs';

export const name = 'autobahn';
export const onRequest = true;
export const msMax = 3 * 60 * 60 * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const KEPT = join(root, 'test', 'websocket', 'autobahn.json');
const FETCHED = join(root, 'build', 'autobahn');
const TLS_FOLDER = join(root, 'build', 'autobahn-tls');
// The suite itself is for Python 2; this is a port of it, at the commit that was used.
const SOURCE = 'https://github.com/asodeur/autobahn-testsuite';
const COMMIT = '98e24c890b23a73d0c76e42d0b5ef3675d1b409b';
/** Columns of the table for each side: the engine, and what else is not as usual. */
const WAYS = {
  poll: { engine: 'poll' },
  uring: { engine: 'uring' },
  hybrid: { engine: 'hybrid' },
  denied: { engine: 'hybrid', denied: true, brief: true },
  tls: { engine: 'hybrid', tls: true, brief: true },
};
/** What is kept as soon as it is done: the last two take most of the time. */
const GROUPS = ['1.*,2.*,3.*,4.*,5.*,6.*,7.*,10.*', '9.*', '12.*', '13.*'];
/** The same code runs there as elsewhere: of the last two groups a sample. */
const BRIEF_GROUPS = [...GROUPS.slice(0, 2), '12.1.1,12.3.10,12.5.18', '13.1.1,13.4.10,13.7.18'];
const PYTHON_PACKAGES = [
  ...['python3', 'python3-autobahn', 'python3-twisted', 'python3-future', 'python3-openssl'],
  ...['python3-service-identity', 'python3-pkg-resources', 'python3-wsaccel'],
];
const IMPORTS = 'import autobahn.websocket, twisted, future, pkg_resources, OpenSSL';
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

/** Starts a program of ours in one of the WAYS. */
async function startOurs({ engine, denied = false }, [program, ...args], env) {
  const command = [process.execPath, join(root, ...program.split('/')), ...args];
  if (denied) {
    await buildDenyProgram();
    command.unshift(denyProgram);
  }
  return start(command[0], command.slice(1), { ...env, RINGPOLL_ENGINE: engine });
}

const PAIR = { TLS_CERT: join(TLS_FOLDER, 'cert.pem'), TLS_KEY: join(TLS_FOLDER, 'key.pem') };

/** A certificate for 127.0.0.1, in files that both sides read. */
async function makePair() {
  const { generate } = await import('selfsigned');
  const made = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    ...{ algorithm: 'sha256', keyType: 'ec' },
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  mkdirSync(TLS_FOLDER, { recursive: true });
  writeFileSync(PAIR.TLS_CERT, made.cert);
  writeFileSync(PAIR.TLS_KEY, made.private);
}

async function tryServer({ python, folder }, way, cases) {
  const env = way.tls ? { WS_TLS: '1', ...PAIR } : {};
  const echo = await startOurs(way, ['bench/servers/ws-echo.mjs', '0'], env);
  const address = async () => /^ready (\d+)/.exec(await echo.line(START_MS_MAX))?.[1];
  let suite;
  try {
    const url = `${schemeOf(way)}://127.0.0.1:${await address()}/deflate`;
    suite = start(python, [runner, folder, 'client', url, cases]);
    return await outcomesOf(suite);
  } finally {
    await suite?.stop();
    await echo.stop();
  }
}

const schemeOf = (way) => (way.tls ? 'wss' : 'ws');

async function tryClient({ python, folder }, way, cases) {
  const url = `${schemeOf(way)}://127.0.0.1:${await freePort()}`;
  const env = way.tls ? PAIR : {};
  const suite = start(python, [runner, folder, 'server', url, cases], env);
  let client;
  try {
    const line = await suite.line(START_MS_MAX);
    if (line !== 'listening') throw new Error(line);
    client = await startOurs(way, ['test/websocket/echo_client.mjs', url], env);
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
  await makePair();
  for (const [role, attempt] of Object.entries(roles)) {
    for (const [name, way] of Object.entries(WAYS)) {
      if ((only.role ?? role) !== role || (only.way ?? name) !== name) continue;
      const groups = way.brief ? BRIEF_GROUPS : GROUPS;
      for (const cases of only.cases === undefined ? groups : [only.cases]) {
        const outcomes = await attempt(suite, way, cases);
        const failed = [...outcomes.values()].filter(failureIn);
        keep(`${role}, ${name}`, outcomes);
        result.passed += outcomes.size - failed.length;
        result.failed += failed.length;
        for (const { id } of failed) result.notes.push(`${role}, ${name}: ${id}`);
        console.log(`${role}, ${name}, ${cases}: ${outcomes.size}, ${failed.length} failed`);
      }
    }
  }
  return result;
}

/** What was kept, for the test of it. */
export const readKept = () => JSON.parse(readFileSync(KEPT, 'utf8'));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [role, way, cases] = process.argv.slice(2);
  const { passed, failed, skipped, notes } = await run({ role, way, cases });
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
