// Valid requests, as many different ones as there are ways to be valid: what mutations and the
// fuzzer start from. Characters U+0000 to U+00FF stand for bytes.
export const VALID_REQUESTS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /path/to?query=1&b HTTP/1.1\r\nHost: example.org:8080\r\nAccept: */*\r\n\r\n',
  'GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n',
  'HEAD /x HTTP/1.1\r\nHost: [::1]:80\r\nUser-Agent: t/1 (x; y)\r\n\r\n',
  'POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  [
    'PUT /f HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    '5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n',
  ].join(''),
  [
    'PUT /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: D\r\n\r\n',
    '1\r\nx\r\n0\r\nD: y\r\n\r\n',
  ].join(''),
  'DELETE /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'GET /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n',
  'PATCH /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok',
  'M-SEARCH /s HTTP/1.1\r\nHost: a\r\nST: "all"\r\n\r\n',
];

/** What may come before the first request. */
export const PREFACES = [
  'PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n',
  'PROXY TCP6 2001:db8::1 ::1 1 65535\r\n',
  'PROXY UNKNOWN\r\n',
  [
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x11',
    '\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb\x01\x00\x02h2',
  ].join(''),
  '\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc',
  '\r\nGET / HTTP/1.1\r\n',
];
