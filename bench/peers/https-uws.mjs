// uWebSockets.js with TLS: `https-uws.mjs PORT [plain|megabyte]`.
// TLS_CERT and TLS_KEY name PEM files.
import { createRequire } from 'node:module';

const uws = createRequire(import.meta.url)('@uwsjs/core');

const bodies = { plain: 'Hello, World!', megabyte: Buffer.alloc(1 << 20, '!') };
const body = bodies[process.argv[3] ?? 'plain'];

const app = uws.SSLApp({
  cert_file_name: process.env.TLS_CERT,
  key_file_name: process.env.TLS_KEY,
});
app.get('/', (response) => {
  response.writeHeader('Content-Type', 'text/plain').end(body);
});
app.listen('127.0.0.1', Number(process.argv[2] ?? 0), (token) => {
  if (!token) {
    console.error('listen failed');
    process.exit(1);
  }
  console.log(`ready ${uws.us_socket_local_port(token)}`);
});
process.on('SIGTERM', () => process.exit(0));
