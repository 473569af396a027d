// node bench/servers/http-plaintext.mjs PORT: what HTTP benchmarks usually ask for.
//   /          Hello, World! made per request        /json     JSON.stringify per request
//   /static    answered by native code               /slow     after ?ms= milliseconds
// ADMIN=PORT2 serves its metrics, profiles and live page there, on loopback and without a token.
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';
import { plaintext, plaintextStatic } from '../lib/plaintext.mjs';

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  // Silent connections stay, as they do with the others.
  keepAliveTimeout: 300_000,
  headersTimeout: 300_000,
  static: plaintextStatic,
  handler: plaintext,
});
const adminPort = process.env.ADMIN ?? '';
let watching = '';
if (adminPort !== '') {
  const { admin } = await import('ringpoll/admin');
  watching = ` admin=${admin({ port: Number(adminPort), token: false }).port}`;
}
console.log(`ready ${server.port} engine=${Loop.current().engine}${watching}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
