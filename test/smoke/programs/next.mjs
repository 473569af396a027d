// The standalone server of Next.js, in a process of its own, which inherits the flags of this one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { closed, listening, say } from './say.mjs';

const path = fileURLToPath(new URL('../next/.next/standalone/next/server.js', import.meta.url));
const probe = net.createServer();
const port = await listening(probe);
await closed(probe);
const env = { ...process.env, PORT: String(port), HOSTNAME: '127.0.0.1' };
const stdio = ['ignore', 'pipe', 'inherit'];
const child = spawn(process.execPath, [...process.execArgv, path], { env, stdio });
const ended = once(child, 'exit');
let out = '';
await new Promise((resolve) => {
  child.stdout.on('data', (bytes) => {
    out += bytes;
    if (/ready/i.test(out)) resolve();
  });
  ended.then(resolve);
});
const url = `http://127.0.0.1:${port}`;

async function ask(path, options) {
  const response = await fetch(`${url}${path}`, options);
  const text = await response.text();
  return [response.status, response.headers.get('content-type'), text];
}
const [status, type, text] = await ask('/?name=ringpoll');
say('page', [status, type, /<h1>Hello (<!-- -->)?ringpoll<\/h1>/.test(text)]);
say('route', await ask('/api/hello', { method: 'POST', body: 'x'.repeat(1_000_000) }));
say('nothing', (await ask('/nothing')).slice(0, 2));
const script = /\/_next\/static\/[^"]*?\.js/.exec(text)?.[0];
// The standalone server has no static files, unless they are copied: the path is answered as such.
say('script', script !== undefined && (await ask(script))[0]);
const all = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(`/?name=${i}`)));
say('many', all.filter(([status], i) => status === 200 && all[i][2].includes('Hello')).length);
const compressed = await fetch(url, { headers: { 'accept-encoding': 'gzip' } });
say('compressed', [
  compressed.headers.get('content-encoding'),
  (await compressed.text()).includes('Hello'),
]);
child.kill('SIGTERM');
say('ended', await ended);
