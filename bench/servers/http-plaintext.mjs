// node bench/servers/http-plaintext.mjs PORT: what HTTP benchmarks usually ask for.
//   /          Hello, World! made per request        /json     JSON.stringify per request
//   /static    answered by native code               /slow     after ?ms= milliseconds
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';
import { plaintext, plaintextStatic } from '../lib/plaintext.mjs';

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  static: plaintextStatic,
  handler: plaintext,
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
