// node:https: `https-node.mjs PORT [plain|megabyte]`. TLS_CERT and TLS_KEY name PEM files.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const bodies = { plain: Buffer.from('Hello, World!'), megabyte: Buffer.alloc(1 << 20, '!') };
const body = bodies[process.argv[3] ?? 'plain'];
const head = { 'Content-Type': 'text/plain', 'Content-Length': body.length };

const pair = {
  cert: readFileSync(process.env.TLS_CERT),
  key: readFileSync(process.env.TLS_KEY),
};
const server = createServer(pair, (_request, response) => {
  response.writeHead(200, head);
  response.end(body);
});
// Silent connections stay, as they do with the others.
server.keepAliveTimeout = 300_000;
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`ready ${server.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
