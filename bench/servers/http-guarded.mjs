// node bench/servers/http-guarded.mjs PORT on|off: Hello, World! behind all guards, or behind none:
// what guards cost. All clients have one address, so its rate is higher than the default.
import { Loop } from 'ringpoll';
import { guard } from 'ringpoll/guards';
import { serve } from 'ringpoll/http';
import { plaintext } from '../lib/plaintext.mjs';

const [port = '0', guards = 'on'] = process.argv.slice(2);
const RATE = 10_000_000;
const options = { priority: () => 'normal', rate: { rate: RATE } };

const server = serve({
  host: '127.0.0.1',
  port: Number(port),
  handler: guards === 'on' ? guard(plaintext, options) : plaintext,
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
