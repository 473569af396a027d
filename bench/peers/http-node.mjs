// node:http with a fixed answer. A length is given, so that it is not chunked. `http-node.mjs PORT`
import { createServer } from 'node:http';

const headers = { 'Content-Type': 'text/plain', 'Content-Length': 13 };
const server = createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end('Hello, World!');
});
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`ready ${server.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
