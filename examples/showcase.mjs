/**
 * What `npm start` runs: a TCP echo server, a Redis-like key-value server and an HTTP server on
 * loopback. The HTTP server has a live page at /, which gets what it shows by WebSocket.
 *
 *   node examples/showcase.mjs [--echo-port N] [--resp-port N] [--http-port N] [--admin-port N]
 *
 * Ctrl-C drains: no new connections, those there are may finish. A second Ctrl-C forces.
 */

import { fileURLToPath } from 'node:url';
import { Loop, listen } from 'ringpoll';
import { admin } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';
import { serveResp } from './resp/server.mjs';
import { livePage } from './showcase_live.mjs';
import { adminPort, echoPort, httpPort, respPort } from './showcase_options.mjs';

const drainDeadline = 5000; // milliseconds
const liveInterval = 500;
const plainInterval = 5000;

const traffic = { connections: 0, bytes: 0, messages: 0 };

const echo = listen({
  host: '127.0.0.1',
  port: echoPort,
  open() {
    traffic.connections += 1;
  },
  data(connection, chunk) {
    traffic.messages += 1;
    traffic.bytes += chunk.length;
    // A client that sends and does not read must not fill our memory: read on when it has read.
    if (!connection.write(chunk)) connection.pause();
  },
  drain: (connection) => connection.resume(),
  error() {},
});
const resp = serveResp({ port: respPort });
let requests = 0;
const root = fileURLToPath(new URL('.', import.meta.url));
const page = livePage(facts);
const http = serve({
  host: '127.0.0.1',
  port: httpPort,
  handler(request, response) {
    requests += 1;
    if (request.path === '/') return response.sendFile('/showcase.html', { root });
    response.header('Content-Type', 'text/plain').end(`Hello from ${request.path}\n`);
  },
  websocket: page.websocket,
});
page.start(http);
const observed = admin({ port: adminPort });
const started = Date.now();

printWelcome();
const live = process.stdout.isTTY === true;
const ticker = setInterval(printStatus, live ? liveInterval : plainInterval);

process.on('SIGINT', stop);
process.on('SIGTERM', stop);

/** What the live page shows of the servers. */
function facts() {
  const at = ({ address }) => `${address.address}:${address.port}`;
  const { port } = http.address;
  return {
    requests,
    messages: traffic.messages,
    servers: [
      { name: 'TCP echo', address: at(echo), connections: echo.connections },
      { name: 'RESP store', address: at(resp), connections: resp.listener.connections },
      { name: 'HTTP and WebSocket', address: at(http), connections: http.connections },
    ],
    commands: [
      `curl http://127.0.0.1:${port}/hello`,
      `npx ringpoll bench`,
      `nc 127.0.0.1 ${echo.address.port}`,
      `redis-cli -p ${resp.address.port} set greeting hello`,
    ],
  };
}

function printWelcome() {
  const loop = Loop.current();
  const engines = loop.capabilities.engines.map(
    ({ name, available, reason }) =>
      `  ${name.padEnd(7)} ${available ? 'running' : `not running: ${reason}`}`,
  );
  const lines = [
    'ringpoll is running',
    '',
    `  TCP echo    ${echo.address.address}:${echo.address.port}`,
    `  RESP store  ${resp.address.address}:${resp.address.port}`,
    `  HTTP        http://${http.address.address}:${http.address.port}/`,
    `  live page   ${observed.url}`,
    '',
    `engine: ${loop.engine}`,
    ...engines,
    '',
    'try:',
    `  redis-cli -p ${resp.address.port} set greeting hello`,
    `  nc 127.0.0.1 ${echo.address.port}`,
    `  curl http://127.0.0.1:${http.address.port}/hello`,
    `  npx ringpoll top '${observed.url}'`,
    '',
    'Ctrl-C drains and stops; a second Ctrl-C forces.',
  ];
  console.log(lines.join('\n'));
}

function printStatus() {
  const seconds = Math.round((Date.now() - started) / 1000);
  const status = [
    `${seconds} s`,
    `echo: ${echo.connections} open, ${traffic.messages} messages, ${traffic.bytes} bytes`,
    `store: ${resp.listener.connections} open, ${resp.store.size} keys`,
    `http: ${http.connections} open, ${requests} requests`,
    `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`,
  ].join(' | ');
  if (!live) {
    console.log(status);
    return;
  }
  const shown = status.slice(0, Math.max(20, (process.stdout.columns ?? 80) - 1));
  process.stdout.write(`\r\x1b[K${shown}`);
}

let stopping = false;

async function stop() {
  clearInterval(ticker);
  if (live) process.stdout.write('\n');
  if (stopping) {
    console.log('forced');
    echo.destroy();
    resp.destroy();
    http.destroy();
    void observed.stop();
    return;
  }
  stopping = true;
  page.stop();
  void observed.stop();
  const open = echo.connections + resp.listener.connections + http.connections;
  console.log(`draining ${open} connections, at most ${drainDeadline / 1000} s`);
  await Promise.all([
    echo.stop({ timeout: drainDeadline }),
    resp.stop({ timeout: drainDeadline }),
    http.stop({ timeout: drainDeadline }),
  ]);
  console.log('stopped');
  process.exitCode = 0;
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);
}
