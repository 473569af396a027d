// What the short names of cases and competitors mean, in words.

const PARTS = [
  [/^(\d+)x(\d+) ?([KM]?B)$/, (_, count, size, unit) => `${many(count)} × ${size} ${bytes(unit)}`],
  [/^c(\d+)$/, (_, count) => many(count)],
  [/^(pipe)?(\d+)$/, (_, pipe, count) => (pipe ? `${count} requests at once` : `${count}`)],
  [/^(\d+)([KM]B)$/, (_, size, unit) => `${size} ${bytes(unit)}`],
  [/^(\d+)k$/, (_, count) => `${count},000`],
  [/^rss$/, () => 'memory'],
  [/^ec$/, () => 'ECDSA'],
  [/^rsa$/, () => 'RSA'],
];
const WORDS = {
  accept: 'short connections, as many at a time:',
  browser: 'request of a browser',
  bulk: 'stream',
  deflate: 'compressed',
  download: 'download',
  fetch: 'fetch handler',
  handshake: 'TLS handshakes',
  hello: 'GET over TLS',
  idle: 'silent connections:',
  import: 'import of the package',
  publish: 'one message to all subscribers:',
  static: 'static route',
  storm: 'new TLS connections a second:',
  work: 'with work beside it, µs:',
};
const UNITS = { B: 'bytes', KB: 'KB', MB: 'MB' };
const bytes = (unit) => UNITS[unit];
const many = (count) => (count === '1' ? '1 connection' : `${count} connections`);

/** `64x64B` is '64 connections × 64 bytes'. */
export function caseInWords(name) {
  const words = name.split('-').map((part) => {
    for (const [pattern, write] of PARTS) {
      const found = pattern.exec(part);
      if (found !== null) return write(...found);
    }
    return WORDS[part] ?? part;
  });
  const text = words.join(', ').replaceAll(':,', ':');
  return text[0].toUpperCase() + text.slice(1);
}

export const KINDS = {
  ours: 'ringpoll',
  limit: 'a C program that does nothing but this: what the machine can do',
  rival: 'others',
};

/** Whose it is: a key of KINDS. */
export function kindOf(competitor, suite) {
  // This suite compares our own engines.
  if (suite === 'hybrid' || competitor.startsWith('ringpoll')) return 'ours';
  // (nothing) is what others are compared with: an empty process.
  return /^(c-|\()/.test(competitor) ? 'limit' : 'rival';
}
