// Who takes part in the suite of threads: one thread without a group, and groups.
import { join } from 'node:path';
import { BENCH } from '../lib/paths.mjs';
import { ringpoll } from './echo.mjs';

const ENGINE = 'hybrid';
const BALANCES = ['reuseport', 'round-robin', 'least-connections', 'queue'];

function group(threads, balance) {
  return {
    ...ringpoll(`group-${threads} ${balance}`, 'group-http.mjs', ENGINE),
    group: true,
    expect: { threads: String(threads), balance },
    command: (port) => [
      ...[process.execPath, join(BENCH, 'servers', 'group-http.mjs')],
      ...[String(port), String(threads), balance],
    ],
  };
}

export const ONE = 'one thread';
export const competitors = [
  ringpoll(ONE, 'http-plaintext.mjs', ENGINE),
  group(1, 'reuseport'),
  ...BALANCES.map((balance) => group(2, balance)),
];
export const TWO = BALANCES.map((balance) => `group-2 ${balance}`);
