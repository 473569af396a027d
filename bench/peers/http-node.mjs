// node:http: `http-node.mjs PORT [plain|headers|json|upload|download]`. Lengths are given, so that
// nothing is chunked.
import { createServer } from 'node:http';

const HELLO = 'Hello, World!';
const PLAIN = { 'Content-Type': 'text/plain', 'Content-Length': 13 };
const bytes = Buffer.alloc(100 * 1024, 'x');
let seen = 0;

function plain(_request, response) {
  response.writeHead(200, PLAIN);
  response.end(HELLO);
}

const handlers = {
  plain,
  headers(request, response) {
    const { headers } = request;
    seen += headers['user-agent'].length + headers['accept-language'].length;
    seen += headers.cookie.length;
    plain(request, response);
  },
  json(_request, response) {
    const text = JSON.stringify({ message: HELLO });
    const type = { 'Content-Type': 'application/json', 'Content-Length': text.length };
    response.writeHead(200, type);
    response.end(text);
  },
  upload(request, response) {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      seen += Buffer.concat(pieces).length;
      plain(request, response);
    });
  },
  download(_request, response) {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': bytes.length });
    response.end(bytes);
  },
};

const server = createServer(handlers[process.argv[3] ?? 'plain']);
server.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 0), backlog: 4096 }, () => {
  console.log(`ready ${server.address().port}`);
});
process.on('SIGTERM', () => process.exit(seen < 0 ? 1 : 0));
