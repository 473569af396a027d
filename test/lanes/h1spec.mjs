// The lane of h1spec, the cases of HTTP/1.1 that uWebSockets keeps, which are fetched and never
// kept: each is answered by a server of ours over plain TCP and over TLS, on each engine that runs
// here. It runs when it is named.
// By hand: node test/lanes/h1spec.mjs [ENGINE]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { connect as tcpConnect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect as tlsConnect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { generate } from 'selfsigned';
import { runStep } from '../support/command.mjs';
import { refusal } from '../support/vitest-lane.mjs';

export const name = 'h1spec';
export const onRequest = true;
export const msMax = 10 * 60 * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = 'https://github.com/uNetworking/h1spec';
const COMMIT = 'f0a5650a20c575fbea0f7179a3a9cfa50f20ba6e';
const FETCHED = join(root, 'build', 'h1spec');
const ENGINES = ['poll', 'uring', 'hybrid'];
const FETCH_MS_MAX = 120_000;
/** So long a server that waits for the rest of a request has to be silent. */
const SILENT_MS = 500;
const ANSWER_MS_MAX = 20_000;

const SERVER = `
import { serve } from 'ringpoll/http';
const handler = async (request, response) => void response.end(await request.body());
const host = '127.0.0.1';
const plain = serve({ host, port: 0, handler });
const secure = serve({ host, port: 0, handler, tls: JSON.parse(process.env.PAIR) });
console.log(JSON.stringify({ plain: plain.port, secure: secure.port }));
`;

/** The list of cases, out of a program that is for Deno. */
async function findCases() {
  const file = join(process.env.RINGPOLL_H1SPEC ?? FETCHED, 'http_test.ts');
  if (!existsSync(file)) {
    mkdirSync(FETCHED, { recursive: true });
    const git = (what, ...args) => runStep(what, 'git', args, { msMax: FETCH_MS_MAX });
    await git('git clone of h1spec', 'clone', '--no-checkout', SOURCE, FETCHED);
    await git('git checkout of h1spec', '-C', FETCHED, 'checkout', COMMIT);
  }
  const text = readFileSync(file, 'utf8');
  const list = /const testCases: TestCase\[\] = (\[.*?\n\]);/s.exec(text)?.[1];
  if (list === undefined) throw new Error('there is no list of cases');
  return JSON.parse(runInContext(`JSON.stringify(${list})`, createContext({})));
}

/** What comes back for these bytes, until it is an answer or an end, or until `ms` are over. */
function answerTo(socket, request, ms) {
  return new Promise((resolve) => {
    let text = '';
    const done = () => {
      clearTimeout(late);
      socket.destroy();
      resolve(text);
    };
    const late = setTimeout(done, ms);
    socket.setEncoding('latin1').on('data', (piece) => {
      text += piece;
      const head = text.indexOf('\r\n\r\n');
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (/^HTTP\/1\.1 100 /.test(text)) done();
      if (head >= 0 && length !== undefined && text.length >= head + 4 + Number(length)) done();
    });
    socket.on('error', done).on('close', done);
    socket.write(request);
  });
}

async function judge(one, dial) {
  const ms = one.expectedTimeout ? SILENT_MS : ANSWER_MS_MAX;
  const text = await answerTo(await dial(), one.request, ms);
  if (one.expectedTimeout) return text === '' ? [] : [`${one.description}: ${text}`];
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
  const good = one.expectedStatus.some(([least, most]) => status >= least && status <= most);
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  const rightBody = status !== 200 || !one.expectedBody || body === one.expectedBody;
  return good && rightBody ? [] : [`${one.description}: ${JSON.stringify(text)}`];
}

async function startServer(engine, pair) {
  const args = ['--input-type=module', '--eval', SERVER];
  const env = { ...process.env, RINGPOLL_ENGINE: engine, PAIR: JSON.stringify(pair) };
  const stdio = ['ignore', 'pipe', 'inherit'];
  const child = spawn(process.execPath, args, { env, cwd: root, stdio });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return { ports: JSON.parse(line), stop };
}

async function runOn(engine, cases) {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    ...{ algorithm: 'sha256', keyType: 'ec' },
  });
  const { ports, stop } = await startServer(engine, { cert, key });
  const host = '127.0.0.1';
  const dials = {
    plain: async () => tcpConnect({ host, port: ports.plain }),
    TLS: async () => {
      const socket = tlsConnect({ host, port: ports.secure, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      return socket;
    },
  };
  const wrong = [];
  try {
    for (const [how, dial] of Object.entries(dials)) {
      const found = (await Promise.all(cases.map((one) => judge(one, dial)))).flat();
      wrong.push(...found.map((what) => `${engine}, ${how}: ${what}`));
    }
  } finally {
    await stop();
  }
  return wrong;
}

export async function run(engines = ENGINES) {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  let cases;
  try {
    cases = await findCases();
  } catch (error) {
    const [reason] = error.message.split('\n');
    return { ...result, skipped: 1, notes: [`h1spec cannot be fetched: ${reason}`] };
  }
  for (const engine of engines) {
    const reason = engine === 'uring' ? await refusal('uring') : undefined;
    if (reason) {
      result.skipped++;
      result.notes.push(`io_uring: ${reason}`);
      continue;
    }
    const wrong = await runOn(engine, cases);
    result.failed += wrong.length;
    result.passed += 2 * cases.length - wrong.length;
    result.notes.push(...wrong);
    for (const what of wrong) console.log(what);
  }
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, notes } = await run(process.argv[2] ? [process.argv[2]] : undefined);
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}
