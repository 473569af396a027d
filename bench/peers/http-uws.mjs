// uWebSockets.js: `http-uws.mjs PORT [handler|declarative|headers|json|upload|download]`. It writes
// the Date itself and corks within a handler. A declarative answer is made up once, and no
// JavaScript runs for a request.
import { createRequire } from 'node:module';

const uws = createRequire(import.meta.url)('@uwsjs/core');

const HELLO = 'Hello, World!';
const bytes = Buffer.alloc(100 * 1024, 'x');
let seen = 0;

function hello(response) {
  response.writeHeader('Content-Type', 'text/plain').end(HELLO);
}

function headers(response, request) {
  seen += request.getHeader('user-agent').length;
  seen += request.getHeader('accept-language').length;
  seen += request.getHeader('cookie').length;
  hello(response);
}

function json(response) {
  response.writeHeader('Content-Type', 'application/json').end(JSON.stringify({ message: HELLO }));
}

/** The whole body, in memory of its own: what arrives is gone when the callback returns. */
function upload(response, request) {
  const body = Buffer.allocUnsafeSlow(Number(request.getHeader('content-length')));
  let at = 0;
  response.onAborted(() => {});
  response.onData((piece, isLast) => {
    body.set(new Uint8Array(piece), at);
    at += piece.byteLength;
    if (!isLast) return;
    seen += body.length;
    response.cork(() => hello(response));
  });
}

function download(response) {
  response.writeHeader('Content-Type', 'text/plain').end(bytes);
}

const declarative = new uws.DeclarativeResponse()
  .writeHeader('Content-Type', 'text/plain')
  .end(HELLO);
const handlers = { handler: hello, declarative, headers, json, upload, download };
const mode = process.argv[3] ?? 'handler';
const app = uws.App()[mode === 'upload' ? 'post' : 'get']('/', handlers[mode]);
app.listen('127.0.0.1', Number(process.argv[2] ?? 0), (token) => {
  if (!token) {
    console.error('listen failed');
    process.exit(1);
  }
  console.log(`ready ${uws.us_socket_local_port(token)}`);
});
process.on('SIGTERM', () => process.exit(seen < 0 ? 1 : 0));
