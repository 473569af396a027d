// fast-proxy: `gateway-fast-proxy.mjs PORT TARGET_PORT`. With TLS_CERT and TLS_KEY, names of PEM
// files, it speaks TLS to clients. Its agents keep connections to the target.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import fastProxy from 'fast-proxy';

const [port, target] = process.argv.slice(2);
const { TLS_CERT, TLS_KEY } = process.env;
const { proxy } = fastProxy({ base: `http://127.0.0.1:${target}` });
const handler = (request, response) => proxy(request, response, request.url, {});
const server =
  TLS_CERT && TLS_KEY
    ? createSecureServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }, handler)
    : createServer(handler);
server.keepAliveTimeout = 300_000;
server.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 }, () => {
  console.log(`ready ${server.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
