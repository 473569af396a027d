// node bench/servers/http-target.mjs PORT static|megabyte: what clients and gateways ask for. Costs
// as little as it can: `static` is answered by native code.
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';

const [port = '8080', kind = 'static'] = process.argv.slice(2);
const headers = { 'Content-Type': 'text/plain' };
const megabyte = Buffer.alloc(1024 * 1024, 'x');

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  static: kind === 'static' ? { '/': { headers, body: 'Hello, World!' } } : {},
  handler: (_, response) => response.header('Content-Type', 'text/plain').end(megabyte),
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
