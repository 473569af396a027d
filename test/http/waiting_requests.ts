// A request that comes in parts, each of which leaves it undecided: whoever waits has understood.

const WHOLE = 'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** Where it is cut: within each word, between words, and within each end of a line. */
const CUTS = [1, 4, 10, 11, 15, 19, 20, 21, 24, 26, 27, 36, 37, 38, 39];

export const WAITING: [part: string, rest: string][] = CUTS.map((at) => [
  WHOLE.slice(0, at),
  WHOLE.slice(at),
]);
