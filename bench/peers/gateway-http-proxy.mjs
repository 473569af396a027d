// http-proxy: `gateway-http-proxy.mjs PORT TARGET_PORT`. With TLS_CERT and TLS_KEY, names of PEM
// files, it speaks TLS to clients. Connections to the target are kept, as its docs advise.
import { readFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import httpProxy from 'http-proxy';

const [port, target] = process.argv.slice(2);
const { TLS_CERT, TLS_KEY } = process.env;
const proxy = httpProxy.createProxyServer({
  target: { host: '127.0.0.1', port: Number(target) },
  agent: new Agent({ keepAlive: true, maxSockets: 1024 }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => {
  response.writeHead?.(502);
  response.end();
});
const handler = (request, response) => proxy.web(request, response);
const server =
  TLS_CERT && TLS_KEY
    ? createSecureServer({ cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }, handler)
    : createServer(handler);
server.keepAliveTimeout = 300_000;
server.listen({ host: '127.0.0.1', port: Number(port), backlog: 4096 }, () => {
  console.log(`ready ${server.address().port}`);
});
process.on('SIGTERM', () => process.exit(0));
