// node bench/servers/https-plaintext.mjs PORT [plain|megabyte]: http-plaintext.mjs over TLS, or a
// megabyte on every path. For TLS_CERT, TLS_KEY, TLS_MIN and TLS_MAX see bench/lib/server_tls.mjs.
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';
import { plaintext, plaintextStatic } from '../lib/plaintext.mjs';
import { serverTls } from '../lib/server_tls.mjs';

const megabyte = Buffer.alloc(1 << 20, '!');

const handlers = {
  plain: plaintext,
  megabyte(_request, response) {
    response.header('Content-Type', 'text/plain').end(megabyte);
  },
};

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8443),
  backlog: 4096,
  tls: await serverTls(),
  // Silent connections stay, as they do with the others.
  keepAliveTimeout: 300_000,
  headersTimeout: 300_000,
  static: plaintextStatic,
  handler: handlers[process.argv[3] ?? 'plain'],
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
