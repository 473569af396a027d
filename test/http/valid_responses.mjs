// Valid responses, as many different ones as there are ways to be valid: what the fuzzer starts
// from. Characters U+0000 to U+00FF stand for bytes.
export const VALID_RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx',
  'HTTP/1.1 204 No Content\r\nDate: now\r\n\r\nHTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    '5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n',
  ].join(''),
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: D\r\n\r\n',
    '1\r\nx\r\n0\r\nD: y\r\n\r\n',
  ].join(''),
  [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nend',
  ].join(''),
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00',
  'HTTP/1.1 500 a reason \xe4\xf6\r\nVary: a\r\nVary: b\r\nContent-Length: 0\r\n\r\n',
];
