// ws, with bufferutil beside it: `ws-ws.mjs PORT`. Echo on /, compressed on /deflate; a message on
// /topic goes to all connections there. WS_TLS=1 with TLS_CERT and TLS_KEY: over TLS.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { WebSocketServer } from 'ws';

const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
const { WS_TLS, TLS_CERT, TLS_KEY } = process.env;

const common = { noServer: true, maxPayload: PAYLOAD_BYTES_MAX, clientTracking: false };
const plain = new WebSocketServer(common);
const deflate = new WebSocketServer({ ...common, perMessageDeflate: true });
const topic = new WebSocketServer({ ...common, clientTracking: true });

for (const server of [plain, deflate]) {
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
}
topic.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (message, isBinary) => {
    for (const one of topic.clients) one.send(message, { binary: isBinary });
  });
});

const faces = { '/': plain, '/deflate': deflate, '/topic': topic };
const http = WS_TLS
  ? createSecureServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) })
  : createServer();
http.on('upgrade', (request, socket, head) => {
  const face = faces[request.url];
  if (face === undefined) socket.destroy();
  else face.handleUpgrade(request, socket, head, (opened) => face.emit('connection', opened));
});
http.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`ready ${http.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
