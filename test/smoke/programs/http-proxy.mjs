// http-proxy: requests, bodies, WebSockets, and a target that is not there.
import http from 'node:http';
import httpProxy from 'http-proxy';
import WebSocket, { WebSocketServer } from 'ws';
import { closed, digest, listening, next, say } from './say.mjs';

const target = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    response.setHeader('x-forwarded', request.headers['x-forwarded-for'] ?? 'none');
    response.write(`${request.method} ${request.url} ${body.length} ${digest(body)}`);
    response.end();
  });
});
new WebSocketServer({ server: target }).on('connection', (socket) => {
  socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
});
const targetPort = await listening(target);
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${targetPort}`,
  ws: true,
  xfwd: true,
});
proxy.on('error', ({ code }, _, response) => {
  say('error', code);
  response.writeHead?.(502).end('bad gateway');
});
const server = http.createServer((request, response) => proxy.web(request, response));
server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
const url = `http://127.0.0.1:${await listening(server)}`;

async function ask(path, options) {
  const response = await fetch(`${url}${path}`, options);
  return [response.status, response.headers.get('x-forwarded'), await response.text()];
}
say('get', await ask('/a?b=c'));
say('post', await ask('/body', { method: 'POST', body: Buffer.alloc(3_000_000, 'ringpoll') }));
const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(`/${i}`)));
say(
  'many',
  answers.filter(([status], i) => status === 200 && answers[i][2].includes(`/${i} `)).length,
);
const socket = new WebSocket(url.replace('http', 'ws'));
await next(socket, 'open');
const got = [];
const all = new Promise((resolve) =>
  socket.on('message', (message) => got.push(message) === 100 && resolve()),
);
for (let i = 0; i < 100; i++) socket.send(Buffer.alloc(i * 1000, 'ringpoll'));
await all;
say('messages', [got.length, digest(Buffer.concat(got))]);
const over = next(socket, 'close');
socket.close(1000, 'done');
say('closed', (await over)[0]);
target.closeAllConnections();
await closed(target);
say('no target', await ask('/'));
proxy.close();
server.closeAllConnections();
await closed(server);
