// node storm-gateway.mjs PORT guarded|bare RELEASE TARGET...: a gateway in the storm. `release` on
// standard input makes the release live: guarded as a canary, bare for everybody at once, until the
// line `back`. What it decides by itself is told on standard output.
import { createInterface } from 'node:readline';
import { guard } from 'ringpoll/guards';
import { serve } from 'ringpoll/http';
import { Canary, proxy, Upstream } from 'ringpoll/upstream';

const [port, kind, release, ...targets] = process.argv.slice(2);
const urlOf = (target) => `http://127.0.0.1:${target}`;
const startedMs = performance.now();
const tell = (what) =>
  console.log(`event ${((performance.now() - startedMs) / 1000).toFixed(2)} ${what}`);
const TIMEOUT_MS = 2000;

function guarded() {
  const upstream = new Upstream({ targets: targets.map(urlOf), balance: 'p2c-ewma' });
  let options = { timeout: TIMEOUT_MS };
  return {
    handler: guard((request, response) => proxy(request, response, upstream, options)),
    release() {
      const candidate = new Upstream({ targets: [urlOf(release)] });
      const changed = ({ phase, share, reason }) =>
        tell(`canary ${phase} ${100 * share} % ${reason ?? ''}`);
      options = { ...options, canary: new Canary({ candidate, changed }) };
    },
    back() {},
  };
}

function bare() {
  const plain = (list) =>
    new Upstream({ targets: list.map(urlOf), outlier: { consecutive5xx: 0 }, maxPending: 100_000 });
  const usual = plain(targets);
  const bad = plain([release]);
  let live = usual;
  const options = { retry: false, timeout: TIMEOUT_MS };
  return {
    handler: (request, response) => proxy(request, response, live, options),
    release() {
      live = bad;
    },
    back() {
      live = usual;
    },
  };
}

const gateway = kind === 'guarded' ? guarded() : bare();
const server = serve({ host: '127.0.0.1', port: Number(port), handler: gateway.handler });
console.log(`ready ${server.port}`);
createInterface({ input: process.stdin }).on('line', (line) => gateway[line]());
process.once('SIGTERM', () => process.exit(0));
