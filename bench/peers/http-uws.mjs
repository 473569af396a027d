// uWebSockets.js: `http-uws.mjs PORT [handler|declarative]`. It writes the Date itself and corks
// within a handler. A declarative answer is made up once, and no JavaScript runs for a request.
import { createRequire } from 'node:module';

const uws = createRequire(import.meta.url)('@uwsjs/core');

function handler(response) {
  response.writeHeader('Content-Type', 'text/plain').end('Hello, World!');
}

function declarative() {
  return new uws.DeclarativeResponse()
    .writeHeader('Content-Type', 'text/plain')
    .end('Hello, World!');
}

const mode = process.argv[3] ?? 'handler';
const app = uws.App().get('/', mode === 'declarative' ? declarative() : handler);
app.listen('127.0.0.1', Number(process.argv[2] ?? 0), (token) => {
  if (!token) {
    console.error('listen failed');
    process.exit(1);
  }
  console.log(`ready ${uws.us_socket_local_port(token)}`);
});
process.on('SIGTERM', () => process.exit(0));
