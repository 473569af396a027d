// The lane that runs frameworks and libraries of others on serve({ fetch }), on each engine, and on
// @hono/node-server, and compares the answers. And the package ws on the other side of WebSockets.
// The packages are those of a lock file of its own.
// By hand: node test/lanes/ecosystem.mjs [APP ...]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { askAll, differences } from '../ecosystem/client.mjs';
import { failureOf, runBounded } from '../support/command.mjs';
import { installPackages } from '../support/installed.mjs';

export const name = 'ecosystem';
export const oneCpu = true;

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'test', 'ecosystem');
const folder = join(root, 'build', 'ecosystem');
const FILES = ['server.mjs', 'ws_peers.mjs', 'apps'];
const START_MS_MAX = 60_000;
const ENGINES = ['poll', 'uring', 'hybrid'];
const RINGPOLL_HTTP = pathToFileURL(join(root, 'dist', 'http', 'index.js')).href;
const WS = 'ws';
/** Lines that are shown of what differs. */
const SHOWN_MAX = 400;

async function start(app, face, engine) {
  const env = { ...process.env, RINGPOLL_HTTP, ...(engine && { RINGPOLL_ENGINE: engine }) };
  const options = { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] };
  const child = spawn(process.execPath, ['server.mjs', app, face], options);
  const errors = [];
  child.stderr.on('data', (bytes) => errors.push(bytes));
  const ended = once(child, 'exit');
  const killer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
  const first = once(createInterface({ input: child.stdout }), 'line');
  const [line] = await Promise.race([first, ended.then(() => ['it ended'])]);
  clearTimeout(killer);
  const said = () => Buffer.concat(errors).toString().trim();
  const port = /^ready (\d+)$/.exec(line)?.[1];
  if (port === undefined) throw new Error(`${app} on ${face} does not start: ${line}\n${said()}`);
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    return said();
  };
  return { port: Number(port), stop };
}

/** What a server answers, and what it had to complain about. */
async function outcomesOf(app, definition, face, engine) {
  const { port, stop } = await start(app, face, engine);
  let complaints = '';
  try {
    return { outcomes: await askAll(port, definition), complaints: () => complaints };
  } finally {
    complaints = await stop();
  }
}

async function compare(app, result) {
  const definition = await import(pathToFileURL(join(folder, 'apps', `${app}.mjs`)).href);
  const theirs = await outcomesOf(app, definition, 'node-server');
  for (const engine of ENGINES) {
    const ours = await outcomesOf(app, definition, 'ringpoll', engine);
    let failed = 0;
    ours.outcomes.forEach((outcome, i) => {
      const lines = differences(outcome, theirs.outcomes[i]);
      if (lines.length === 0) {
        result.passed++;
        return;
      }
      failed++;
      result.failed++;
      result.notes.push(`${app}, ${engine}: ${outcome.what}`);
      console.log(`FAILED  ${app}, ${engine}: ${outcome.what}`);
      for (const line of lines) console.log(`        ${line.slice(0, SHOWN_MAX)}`);
    });
    if (failed > 0) console.log(ours.complaints().slice(0, SHOWN_MAX * 10));
    else console.log(`ok      ${app}, ${engine}: ${ours.outcomes.length} answers`);
  }
}

async function tryWs(result) {
  const RINGPOLL_WEBSOCKET = new URL('../websocket/index.js', RINGPOLL_HTTP).href;
  for (const engine of ENGINES) {
    const env = { ...process.env, RINGPOLL_HTTP, RINGPOLL_WEBSOCKET, RINGPOLL_ENGINE: engine };
    const options = { cwd: folder, env, msMax: START_MS_MAX, capture: true };
    const ended = await runBounded(process.execPath, ['ws_peers.mjs'], options);
    const failure = failureOf(ended, START_MS_MAX);
    if (failure) throw new Error(`ws_peers.mjs: ${failure}\n${ended.output}`);
    const checks = ended.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const failed = checks.filter(({ error }) => error !== undefined);
    result.passed += checks.length - failed.length;
    result.failed += failed.length;
    for (const { what, error } of failed) {
      result.notes.push(`${WS}, ${engine}: ${what}`);
      console.log(`FAILED  ${WS}, ${engine}: ${what}\n        ${error}`);
    }
    if (failed.length === 0) console.log(`ok      ${WS}, ${engine}: ${checks.length} checks`);
  }
}

export async function run(only = []) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  await installPackages(source, folder, FILES);
  const apps = readdirSync(join(source, 'apps')).map((file) => file.replace(/\.mjs$/, ''));
  for (const app of [...apps, WS].filter((one) => only.length === 0 || only.includes(one))) {
    try {
      await (app === WS ? tryWs(result) : compare(app, result));
    } catch (error) {
      result.failed++;
      result.notes.push(`${app}: ${error.message.split('\n')[0]}`);
      console.log(`FAILED  ${app}\n${error.stack}`);
    }
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed } = await run(process.argv.slice(2));
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}
