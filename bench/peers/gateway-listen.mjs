// What the gateways on Node have in common: HTTP towards clients, or HTTPS with TLS_CERT and
// TLS_KEY, names of PEM files.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

const { TLS_CERT, TLS_KEY } = process.env;

export function listen(port, handler) {
  const server =
    TLS_CERT && TLS_KEY
      ? createSecureServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }, handler)
      : createServer(handler);
  server.keepAliveTimeout = 300_000;
  server.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 }, () => {
    console.log(`ready ${server.address().port}`);
  });
  process.on('SIGTERM', () => process.exit(0));
}
