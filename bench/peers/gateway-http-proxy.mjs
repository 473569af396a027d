// http-proxy: `gateway-http-proxy.mjs PORT TARGET_PORT`, with TLS as gateway-listen.mjs says.
// Connections to the target are kept, as its docs advise.
import { Agent } from 'node:http';
import httpProxy from 'http-proxy';
import { listen } from './gateway-listen.mjs';

const [port, target] = process.argv.slice(2);
const proxy = httpProxy.createProxyServer({
  target: { host: '127.0.0.1', port: Number(target) },
  agent: new Agent({ keepAlive: true, maxSockets: 1024 }),
  xfwd: true,
});
proxy.on('error', (_error, _request, response) => {
  response.writeHead?.(502);
  response.end();
});
listen(port, (request, response) => proxy.web(request, response));
