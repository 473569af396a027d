// node bench/peers/mixed-node.mjs PORT FOLDER: the program of bench/servers/mixed.mjs on node:http
// and node:fs/promises.
import fs from 'node:fs/promises';
import { createServer } from 'node:http';
import { startWork } from '../servers/mixed-work.mjs';

const work = await startWork(fs, process.argv[3]);
const headers = { 'Content-Type': 'text/plain', 'Content-Length': 13 };

const server = createServer((request, response) => {
  if (request.url === '/counts') {
    response.end(JSON.stringify(work.counts()));
    return;
  }
  work.request();
  response.writeHead(200, headers);
  response.end('Hello, World!');
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`ready ${server.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
