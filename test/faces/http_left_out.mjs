// Files of Node's http tests that fail: on node:http itself as well, or through ringpoll/register,
// each with its reason.

/** On Node 20 with the tests of v20.11.1, whoever serves. */
export const onNodeToo = [
  'test-http-client-error-rawbytes.js',
  'test-http-client-parse-error.js',
  'test-http-client-reject-chunked-with-content-length.js',
  'test-http-invalid-te.js',
  'test-http-methods.js',
  'test-http-multi-line-headers.js',
  'test-http-multiple-headers.js',
  'test-http-response-splitting.js',
  'test-http-server-reject-chunked-with-content-length.js',
  'test-http-socket-error-listeners.js',
  'test-http-transfer-encoding-smuggling.js',
];

const STRICT = 'asks for a malformed request to reach the program; the parser refuses it';
const RAW_DATA =
  "asks for 'data' of the socket while HTTP is spoken: the bytes never reach JavaScript";
const INSIDE = 'looks at, or replaces, what is inside of Node';

export const mayFail = new Map([
  ['test-http-dump-req-when-res-ends.js', RAW_DATA],
  ['test-http-header-overflow.js', 'asks at which byte the parser gave up'],
  [
    'test-http-parser-freed-before-upgrade.js',
    'a half-closed socket that nobody reads keeps the process alive',
  ],
  ['test-http-parser-lazy-loaded.js', `${INSIDE}: the parser, before anything has loaded it`],
  ['test-http-parser-memory-retention.js', `${INSIDE}: the parser of the socket`],
  ['test-http-perf_hooks.js', 'asks for entries of performance observers'],
  ['test-http-server-unconsume-consume.js', `${STRICT}: CONNECT without an authority`],
  ['test-http-server-unconsume.js', RAW_DATA],
  ['test-http-transfer-encoding-repeated-chunked.js', STRICT],
  [
    'test-http-upgrade-reconsume-stream.js',
    'makes a TLSSocket of the socket, for which its handle must be of Node',
  ],
  [
    'test-http-writable-true-after-close.js',
    'depends on which of two sockets is seen to close first',
  ],
]);
