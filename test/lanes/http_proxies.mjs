// The lane that puts our gateway between proxies of others: client -> nginx or HAProxy -> gateway
// -> the same one -> server. On each engine every answer has to be the one to its own request, and
// what broke off must never look whole.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../bench/lib/server.mjs';
import { findProgram } from '../../scripts/steps.mjs';
import { installed } from '../support/installed.mjs';

export const name = 'http proxies';
export const onRequest = true;
export const msMax = 300_000;

const ENGINES = ['poll', 'uring', 'hybrid'];
const gatewayScript = fileURLToPath(new URL('../../bench/servers/gateway.mjs', import.meta.url));
const WAIT_MS_MAX = 30_000;
const LOOK_MS = 20;
const AT_ONCE = 16;
const ROUNDS = 25;
const SIZES = [0, 1, 1000, 70_000, 1_000_000];

const byteOf = (id) => 97 + (Number(id) % 26);
const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** What each path answers; X-Id is the request's own. */
const answers = {
  length(id, size, _, response) {
    response.setHeader('Content-Length', size);
    response.end(Buffer.alloc(size, byteOf(id)));
  },
  chunks(id, size, _, response) {
    for (let left = size; left > 0; left -= 10_000) {
      response.write(Buffer.alloc(Math.min(left, 10_000), byteOf(id)));
    }
    response.end();
  },
  async echo(_, __, incoming, response) {
    const pieces = [];
    for await (const piece of incoming) pieces.push(piece);
    response.end(digest(Buffer.concat(pieces)));
  },
  status(_, status, __, response) {
    response.statusCode = status;
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    response.end();
  },
  closes(id, size, _, response) {
    response.setHeader('Connection', 'close');
    response.end(Buffer.alloc(size, byteOf(id)));
  },
  breaks(id, size, _, response) {
    response.setHeader('Content-Length', size + 1);
    response.write(Buffer.alloc(size, byteOf(id)), () => response.destroy());
  },
};

async function startServer() {
  const server = createServer((incoming, response) => {
    const [, what, number] = incoming.url.split('/');
    const id = incoming.headers['x-id'];
    response.setHeader('X-Id', id);
    answers[what](id, Number(number), incoming, response);
  });
  server.on('upgrade', (incoming, socket) => {
    socket.on('error', () => {});
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n',
    );
    socket.pipe(socket);
    incoming.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** { program, args(folder, ports) }: `front` leads to `gateway`, and `back` to `server`. */
const subjects = {
  nginx(folder, { front, gateway, back, server }) {
    for (const each of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(folder, each));
    const hop = (from, to) => [
      `upstream to${to} { server 127.0.0.1:${to}; keepalive ${AT_ONCE}; }`,
      `server { listen 127.0.0.1:${from}; location / {`,
      `proxy_pass http://to${to}; proxy_http_version 1.1; proxy_set_header Host $host;`,
      'proxy_set_header Connection $hop; proxy_set_header Upgrade $http_upgrade;',
      'proxy_buffering off; proxy_request_buffering off; proxy_next_upstream off; } }',
    ];
    const config = [
      'daemon off; worker_processes 1; error_log stderr crit;',
      `pid ${folder}/pid;`,
      'events {}',
      'http { access_log off; client_max_body_size 0; lingering_close off;',
      `client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;`,
      `fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi;`,
      `scgi_temp_path ${folder}/scgi;`,
      "map $http_upgrade $hop { default upgrade; '' ''; }",
      ...hop(front, gateway),
      ...hop(back, server),
      '}',
    ];
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, config.join('\n'));
    return ['-c', file, '-p', folder];
  },
  haproxy(folder, { front, gateway, back, server }) {
    const hop = (from, to) => [
      `frontend from${from}`,
      `  bind 127.0.0.1:${from}`,
      `  default_backend to${to}`,
      `backend to${to}`,
      '  http-reuse always',
      `  server one 127.0.0.1:${to}`,
    ];
    const config = [
      'global',
      '  maxconn 1000',
      'defaults',
      '  mode http',
      '  timeout connect 5s',
      '  timeout client 20s',
      '  timeout server 20s',
      '  timeout tunnel 20s',
      '  retries 0',
      ...hop(front, gateway),
      ...hop(back, server),
    ];
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, `${config.join('\n')}\n`);
    return ['-db', '-f', file];
  },
};

function start(program, args, env = {}) {
  const stdio = ['ignore', 'ignore', 'inherit'];
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio });
  const ended = once(child, 'exit');
  return async () => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), WAIT_MS_MAX);
    await ended;
    clearTimeout(killer);
  };
}

async function listening(port) {
  for (const until = performance.now() + WAIT_MS_MAX; performance.now() < until; ) {
    const socket = connect(port, '127.0.0.1');
    const there = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (there) return;
    await delay(LOOK_MS);
  }
  throw new Error(`nothing listens on ${port}`);
}

/** { status, headers, body, whole }. */
function ask(port, agent, { method = 'GET', path, id, body, chunked = false }) {
  return new Promise((resolve, reject) => {
    const headers = { 'X-Id': id };
    if (body !== undefined && !chunked) headers['Content-Length'] = body.length;
    const options = { host: '127.0.0.1', port, agent, method, path, headers };
    const asked = request(options, (response) => {
      const pieces = [];
      const answered = (whole) =>
        resolve({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(pieces),
          whole,
        });
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => answered(response.complete));
      response.on('error', () => answered(false));
    });
    asked.setTimeout(WAIT_MS_MAX, () => asked.destroy(new Error(`no answer to ${path}`)));
    asked.on('error', reject);
    asked.end(body);
  });
}

let ids = 0;

const checks = {
  async 'answers of every framing are those to their own requests'(port, agent) {
    const one = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const id = String(++ids);
        const size = SIZES[round % SIZES.length];
        const what = ['length', 'chunks', 'closes'][round % 3];
        const { status, headers, body, whole } = await ask(port, agent, {
          ...{ id, path: `/${what}/${size}` },
        });
        assert.deepEqual([status, headers['x-id'], whole], [200, id, true]);
        assert.ok(body.equals(Buffer.alloc(size, byteOf(id))), `${what} ${size}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  },
  async 'bodies of requests arrive as they were sent'(port, agent) {
    const one = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const id = String(++ids);
        const body = Buffer.alloc(SIZES[round % SIZES.length], byteOf(id));
        const answer = await ask(port, agent, {
          ...{ id, path: '/echo/0', method: round % 2 ? 'POST' : 'PUT', body },
          chunked: round % 3 === 0,
        });
        assert.deepEqual(
          [answer.status, answer.headers['x-id'], String(answer.body)],
          [200, id, digest(body)],
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  },
  async 'HEAD, and statuses without a body, leave the connection in step'(port, agent) {
    for (let round = 0; round < ROUNDS; round++) {
      for (const [method, path, status, length] of [
        ['HEAD', '/length/1000', 200, '1000'],
        ['GET', '/status/204', 204, undefined],
        ['GET', '/status/304', 304, undefined],
        ['GET', '/status/404', 404, '0'],
        ['GET', '/length/1', 200, '1'],
      ]) {
        const id = String(++ids);
        const { headers, ...answer } = await ask(port, agent, { id, path, method });
        assert.deepEqual([answer.status, headers['x-id'], answer.whole], [status, id, true]);
        if (length === '1000') assert.equal(headers['content-length'], length);
        if (path.startsWith('/status')) assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
      }
    }
  },
  async 'what breaks off is never whole, and the next answer is right'(port, agent) {
    const one = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const id = String(++ids);
        const path = `/breaks/${SIZES[1 + (round % 3)]}`;
        const broken = await ask(port, agent, { id, path, method: 'POST' }).catch(() => undefined);
        assert.ok(broken === undefined || !broken.whole || broken.status >= 500, path);
        const next = String(++ids);
        const { status, headers } = await ask(port, agent, { id: next, path: '/length/9' });
        // A proxy may give a target up for a moment; it may not give an answer of another.
        assert.ok(status === 200 || status >= 500, String(status));
        if (status === 200) assert.equal(headers['x-id'], next);
      }
    };
    await Promise.all(Array.from({ length: 4 }, one));
  },
  async 'an upgraded connection is a tunnel, both ways'(port) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    let text = '';
    const sent = 'x'.repeat(200_000);
    socket.write('GET /up/0 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    for await (const piece of socket.setTimeout(WAIT_MS_MAX, () => socket.destroy())) {
      const isHead = !text.includes('\r\n\r\n');
      text += piece.toString('latin1');
      if (isHead && text.includes('\r\n\r\n')) socket.write(sent);
      if (text.endsWith(sent)) break;
    }
    assert.match(text, /^HTTP\/1\.1 101 /);
    assert.ok(text.endsWith(`\r\n\r\n${sent}`));
  },
};

async function chain(subject, program, engine, counts) {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-proxies-'));
  const server = await startServer();
  const ports = { server: server.address().port };
  for (const each of ['front', 'gateway', 'back']) ports[each] = await freePort();
  const stops = [];
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  try {
    stops.push(start(program, subjects[subject](folder, ports)));
    await listening(ports.back);
    const args = [gatewayScript, String(ports.gateway), String(ports.back)];
    stops.push(start(process.execPath, args, { RINGPOLL_ENGINE: engine }));
    await listening(ports.gateway);
    await listening(ports.front);
    for (const [what, check] of Object.entries(checks)) {
      try {
        await check(ports.front, agent);
        counts.passed++;
      } catch (error) {
        counts.failed++;
        console.log(`failed: ${subject}, ${engine}: ${what}\n${error.stack}`);
      }
    }
  } finally {
    agent.destroy();
    await Promise.all(stops.map((stop) => stop()));
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function run() {
  const counts = { passed: 0, failed: 0, skipped: 0, notes: [] };
  for (const subject of Object.keys(subjects)) {
    const { path, reason } = await installed(() => findProgram(subject), [subject]);
    if (path === undefined) {
      counts.skipped += ENGINES.length * Object.keys(checks).length;
      counts.notes.push(reason);
      continue;
    }
    for (const engine of ENGINES) await chain(subject, path, engine, counts);
  }
  return counts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(await run());
}
