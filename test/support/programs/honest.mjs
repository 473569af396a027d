// The honest client beside an attack: asks every face, one question after the other, and looks at
// every byte. For each line on its standard input it prints what it has seen since the last one.
// Usage: node honest.mjs '{"raw":PORT,"fast":PORT,"fetch":PORT}' PID-OF-THE-SERVER

import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request as ask } from 'node:http';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const ports = JSON.parse(process.argv[2]);
const host = '127.0.0.1';
const PAUSE_MS = 5;
const forty = 'f'.repeat(40_000);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function http(port, path, body) {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const asked = ask({ host, port, path, method, agent }, async (response) => {
      try {
        const parts = [];
        for await (const part of response) parts.push(part);
        resolve(`${response.statusCode} ${Buffer.concat(parts)}`);
      } catch (error) {
        reject(error);
      }
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

/** Sends `text` on an open socket and resolves with as many bytes of answer. */
async function exchanged(socket, text) {
  if (socket.destroyed) throw new Error('the connection is gone');
  socket.write(text);
  let answer = '';
  while (answer.length < text.length) {
    const [part] = await once(socket, 'data');
    answer += part.toString('latin1');
  }
  return answer;
}

async function upgraded() {
  const headers = { Connection: 'Upgrade', Upgrade: 'echo' };
  const asked = ask({ host, port: ports.fast, path: '/upgrade', headers });
  asked.end();
  const [response, socket] = await once(asked, 'upgrade');
  if (response.statusCode !== 101) throw new Error(`status ${response.statusCode}`);
  return socket;
}

const rawSocket = connect(ports.raw, host);
const upgradedSocket = await upgraded();
let round = 0;
const text = () => `e${round}`.padEnd(2000, 'x');

const QUESTIONS = {
  raw: async () => [await exchanged(rawSocket, text()), text()],
  upgraded: async () => [await exchanged(upgradedSocket, text()), text()],
  handler: async () => [await http(ports.fast, '/small'), '200 hello'],
  body: async () => [await http(ports.fast, '/body', text()), '200 2000'],
  static: async () => [await http(ports.fast, '/static'), `200 ${forty}`],
  file: async () => [(await http(ports.fast, '/file')).length, 4 + 1024 * 1024],
  fetch: async () => [await http(ports.fetch, '/forty'), `200 ${forty}`],
  'fetch echo': async () => [await http(ports.fetch, '/echo', text()), `200 ${text()}`],
};

// How long the server's main thread has run, in milliseconds. What a busy machine takes from it
// makes an answer late, and is not its fault.
const schedule = `/proc/${process.argv[3]}/schedstat`;
const workMs = existsSync(schedule)
  ? () => Number(readFileSync(schedule, 'utf8').split(' ')[0]) / 1e6
  : () => performance.now();

let answers = 0;
let wrong = [];
const nothing = () => ({ face: 'none', ms: 0, workMs: 0 });
let slowest = nothing();
const begin = (face) => ({ face, at: performance.now(), workAt: workMs() });
let current = begin('none');

function took({ face, at, workAt }) {
  const ms = Math.round(performance.now() - at);
  const work = Math.round(workMs() - workAt);
  if (work > slowest.workMs) slowest = { face, ms, workMs: work };
  slowest.ms = Math.max(slowest.ms, ms);
}

createInterface({ input: process.stdin })
  .on('line', () => {
    took(current);
    console.log(JSON.stringify({ answers, slowest, wrong: wrong.slice(0, 5) }));
    [answers, wrong, slowest] = [0, [], nothing()];
  })
  .once('close', () => process.exit(0));

console.log('ready');
for (; ; round += 1) {
  for (const [face, question] of Object.entries(QUESTIONS)) {
    current = begin(face);
    try {
      const [answer, expected] = await question();
      answers += 1;
      if (answer !== expected) wrong.push(`${face}: ${String(answer).slice(0, 100)}`);
    } catch (error) {
      wrong.push(`${face}: ${error.message}`);
    }
    took(current);
  }
  current = begin('none');
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
