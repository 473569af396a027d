// The lane that runs the conformance tests of raw sockets, of HTTP and of WebSocket a second time,
// over TLS: the package speaks TLS, and the tests' plain peers reach it through relays
// (test/support/tls).
// By hand: RINGPOLL_TEST_TLS=1 npx vitest run --project conformance test/conformance/echo.test.ts
import { allSkipped, refusal, vitest } from '../support/vitest-lane.mjs';

export const name = 'over-tls';
export const msMax = 10 * 60 * 1000;

// Left out are tests that look at what is not the same behind a relay, or in records: system calls,
// marks and windows of memory. And how a paused connection ends: its end is a record, which is read
// when it is resumed (tls_ends has tests of that without a relay). And crowds: so many handshakes
// take longer than the tests may.
const FILES = [
  ...['echo', 'half_close', 'random', 'http_abandoned', 'http_aborts', 'http_files'],
  ...['http_limits', 'http_requests', 'http_response_headers', 'http_responses'],
  ...['http_returned', 'http_stop', 'websocket_client', 'websocket_frames'],
  ...['websocket_heartbeats', 'websocket_routes', 'websocket_server'],
];
/** With records in small pieces they take half a minute each. */
const SLOW = ['http_bodies', 'http_random', 'http_slow_peers', 'websocket_survival'];

/** One engine; `how` is whole or split, which cuts what comes to us at any byte. */
export async function overTls(engine, how, names = [...FILES, ...SLOW]) {
  const reason = engine === 'uring' ? await refusal('uring') : undefined;
  if (reason) return allSkipped(`io_uring: ${reason}`);
  const files = names.map((each) => `test/conformance/${each}.test.ts`);
  const env = { RINGPOLL_TEST_CONFIG: engine, RINGPOLL_ENGINE: engine, RINGPOLL_TEST_TLS: how };
  return vitest(`over-tls-${engine}-${how}`, ['conformance'], env, { files });
}

export function summed(results) {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  return {
    ...{ passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') },
    notes: results.flatMap(({ notes }) => notes),
  };
}

export async function run() {
  return summed([await overTls('poll', 'whole'), await overTls('hybrid', 'split', FILES)]);
}
