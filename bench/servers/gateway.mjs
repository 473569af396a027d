// node bench/servers/gateway.mjs PORT TARGET...: a gateway to the targets, whose URLs or ports are
// given, in turn. Plain in and out, all guards at their defaults. With TLS_CERT and TLS_KEY, names
// of PEM files, clients speak TLS.
import { Loop } from 'ringpoll';
import { guard } from 'ringpoll/guards';
import { serve } from 'ringpoll/http';
import { proxy, Upstream } from 'ringpoll/upstream';
import { serverTls } from '../lib/server_tls.mjs';

const [port = '8080', ...targets] = process.argv.slice(2);
const urlOf = (target) => (/^\d+$/.test(target) ? `http://127.0.0.1:${target}` : target);
const upstream = new Upstream({ targets: targets.map(urlOf) });
const options = {};
const { TLS_CERT, TLS_KEY } = process.env;

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  ...(TLS_CERT && TLS_KEY && { tls: await serverTls() }),
  upgrade: true,
  handler: guard((request, response) => proxy(request, response, upstream, options)),
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
