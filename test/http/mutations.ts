// Requests that are nearly right: valid ones, changed by a byte, a line or a header at a time.

import { VALID_REQUESTS } from './valid_requests.mjs';

/** mulberry32: small, seeded, good enough to choose mutations. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const BYTES = [...'\r\n\t :;,"\\\0\x01\x0b\x7f\x80\xe9\xff#?@/[]()*=+-._%09afAFxZ'];
const STRINGS = [
  ...['\r\n', '\n', '\r', '\r\n\r\n', '  ', ' \t', '\r\n ', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0'],
  ...['chunked', 'identity', 'gzip, ', ', chunked', 'close', 'keep-alive', '0', '00', 'ffffffff'],
  ...['18446744073709551616', '%00', '//', 'http://b', 'a:99999', 'GET ', '0\r\n\r\n', ';a="b\\""'],
];
const LINES = [
  ...['Content-Length: 5', 'Content-Length: 0', 'Content-Length: 05', 'content-length:5 '],
  ...['Content-Length: +5', 'Content-Length: 5, 5', 'Transfer-Encoding: chunked', 'Host: b'],
  ...['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked, chunked', 'X: '],
  ...['Transfer-Encoding: identity', 'transfer-encoding:\tCHUNKED', 'Transfer-Encoding:'],
  ...['Connection: close', 'Connection: keep-alive', 'Connection: close, x', 'Upgrade: h2c'],
  ...['Connection: upgrade', 'Expect: 100-continue', 'Expect: x', ' folded', 'X-Empty:', 'Y : z'],
  ...['X-Text: \xe9 \t;,"', 'Cookie: a=b; c=d', 'X-Long: '.padEnd(200, 'v'), 'Date:now', ': x'],
];

type Random = () => number;

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)];
const place = (random: Random, text: string) => Math.floor(random() * (text.length + 1));
const splice = (text: string, at: number, remove: number, insert: string) =>
  text.slice(0, at) + insert + text.slice(at + remove);

function changeLines(text: string, change: (lines: string[]) => void): string {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return text;
  const lines = text.slice(0, end).split('\r\n');
  change(lines);
  return lines.join('\r\n') + text.slice(end);
}

const MUTATIONS: ((random: Random, text: string) => string)[] = [
  (random, text) => splice(text, place(random, text), 1, pick(random, BYTES)),
  (random, text) => splice(text, place(random, text), 0, pick(random, BYTES)),
  (random, text) => splice(text, place(random, text), 1 + Math.floor(random() * 3), ''),
  (random, text) => splice(text, place(random, text), 0, pick(random, STRINGS)),
  (random, text) => text.slice(0, place(random, text)),
  (random, text) =>
    changeLines(text, (lines) => {
      lines.splice(1 + Math.floor(random() * lines.length), 0, pick(random, LINES));
    }),
  (random, text) =>
    changeLines(text, (lines) => {
      lines.splice(1 + Math.floor(random() * lines.length), 0, pick(random, LINES));
    }),
  (random, text) =>
    changeLines(text, (lines) => {
      lines.push(pick(random, lines));
    }),
  (random, text) =>
    changeLines(text, (lines) => {
      if (lines.length > 1) lines.splice(1 + Math.floor(random() * (lines.length - 1)), 1);
    }),
];

/** One connection's worth of input: one to three requests, most of them changed somewhere. */
export function nearlyValid(random: Random): string {
  let text = '';
  for (let count = 1 + Math.floor(random() ** 2 * 3); count > 0; count--) {
    text += pick(random, VALID_REQUESTS);
  }
  for (let count = Math.floor(random() * 4); count > 0; count--) {
    text = pick(random, MUTATIONS)(random, text);
  }
  return text;
}
