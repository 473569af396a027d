// Requests that the strict parser refuses, one fault each, and what they are built of.

export const get = (...lines: string[]) =>
  `${['GET / HTTP/1.1', 'Host: a', ...lines].join('\r\n')}\r\n\r\n`;
export const post = (...lines: string[]) =>
  `${['POST / HTTP/1.1', 'Host: a', ...lines].join('\r\n')}\r\n\r\n`;
export const line = (first: string) => `${first}\r\nHost: a\r\n\r\n`;
export const chunked = (body: string) => `${post('Transfer-Encoding: chunked')}${body}`;

/** Inputs by what they are, each refused with this code (without its prefix) and status. */
export const REFUSED: [code: string, status: number, inputs: Record<string, string>][] = [
  [
    'METHOD_INVALID',
    400,
    {
      'a space first': line(' GET / HTTP/1.1'),
      'a control character': line('G\x01T / HTTP/1.1'),
      'a line of its own': line('GET\r\n/ HTTP/1.1'),
      'a tab behind': line('GET\t/ HTTP/1.1'),
      'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc',
      'NUL first': '\0GET / HTTP/1.1\r\n\r\n',
    },
  ],
  [
    'METHOD_UNKNOWN',
    501,
    {
      'in lower case': line('get / HTTP/1.1'),
      'longer than a known one': line('GETS / HTTP/1.1'),
      'longer than any': line(`${'A'.repeat(40)} / HTTP/1.1`),
      'of RTSP': line('DESCRIBE rtsp://a/b RTSP/1.0'),
    },
  ],
  [
    'TARGET_INVALID',
    400,
    {
      'none at all': line('GET  HTTP/1.1'),
      'two spaces before it': line('GET  / HTTP/1.1'),
      'a tab in it': line('GET /a\tb HTTP/1.1'),
      'NUL in it': line('GET /a\0b HTTP/1.1'),
      'DEL in it': line('GET /a\x7fb HTTP/1.1'),
      'bytes over 127': line('GET /\xc3\xa9 HTTP/1.1'),
      'a fragment': line('GET /a#b HTTP/1.1'),
    },
  ],
  [
    'TARGET_FORM',
    400,
    {
      'a relative path': line('GET index.html HTTP/1.1'),
      'a query alone': line('GET ?a HTTP/1.1'),
      'the asterisk for GET': line('GET * HTTP/1.1'),
      'two asterisks': line('OPTIONS ** HTTP/1.1'),
      'an authority for GET': line('GET example.org:80 HTTP/1.1'),
      'a path for CONNECT': line('CONNECT /a HTTP/1.1'),
      'a URL for CONNECT': line('CONNECT http://a:80/ HTTP/1.1'),
      'no port for CONNECT': line('CONNECT example.org HTTP/1.1'),
      'an empty port for CONNECT': line('CONNECT example.org: HTTP/1.1'),
      'no host for CONNECT': line('CONNECT :80 HTTP/1.1'),
      'another scheme': line('GET ftp://a/b HTTP/1.1'),
      'no authority': line('GET http:///b HTTP/1.1'),
      userinfo: line('GET http://u:p@a/ HTTP/1.1'),
      'a port over 65535': line('GET http://a:65536/ HTTP/1.1'),
      'the HTTP/2 preface': 'PRI * HTTP/1.1\r\n\r\nSM\r\n\r\n'.replace('PRI', 'GET'),
    },
  ],
  ['VERSION_MISSING', 400, { 'HTTP/0.9': 'GET /\r\n\r\n', 'HTTP/0.9 with LF': 'GET /\n' }],
  [
    'VERSION_INVALID',
    400,
    {
      'in lower case': line('GET / http/1.1'),
      'without a digit': line('GET / HTTP/1.x'),
      'with one digit': line('GET / HTTP/1'),
      'with two digits': line('GET / HTTP/1.10'),
      'with a comma': line('GET / HTTP/1,1'),
      'two spaces before it': line('GET /  HTTP/1.1'),
      'a space behind it': line('GET / HTTP/1.1 '),
      'a word between': line('GET / b HTTP/1.1'),
    },
  ],
  [
    'VERSION_UNSUPPORTED',
    505,
    {
      '2.0': line('GET / HTTP/2.0'),
      '0.9': line('GET / HTTP/0.9'),
      '3.0': line('GET / HTTP/3.0'),
    },
  ],
  [
    'LINE_END',
    400,
    {
      'LF alone behind the version': 'GET / HTTP/1.1\nHost: a\r\n\r\n',
      'CR alone behind the version': 'GET / HTTP/1.1\rHost: a\r\n\r\n',
      'LF alone behind a value': 'GET / HTTP/1.1\r\nHost: a\n\r\n',
      'CR alone in a value': get('A: b\rc'),
      'CR twice behind a value': get('A: b\r'),
      'LF as the empty line': 'GET / HTTP/1.1\r\nHost: a\r\n\n',
      'CR as the empty line': 'GET / HTTP/1.1\r\nHost: a\r\n\rX',
      'LF before the request': `\n${get()}`,
      'CR before the request': `\r${get()}`,
      'five empty lines before the request': `${'\r\n'.repeat(5)}${get()}`,
      'LF alone behind a chunk size': chunked('1\na\r\n0\r\n\r\n'),
      'CR alone behind a chunk size': chunked('1\ra\r\n0\r\n\r\n'),
      'CR alone behind the last chunk': chunked('0\r\n\rX'),
      'LF alone behind an extension': chunked('1;a=b\nx\r\n0\r\n\r\n'),
      'LF alone in the trailers': chunked('0\r\nA: b\n\r\n'),
      'LF alone behind the trailers': chunked('0\r\nA: b\r\n\n'),
      'LF alone instead of trailers': chunked('0\r\n\n'),
    },
  ],
  [
    'LINE_FOLDING',
    400,
    {
      'by a space': get('A: b', ' c'),
      'by a tab': get('A: b', '\tc'),
      'of an empty value': get('A:', ' c'),
      'of the request line': 'GET / HTTP/1.1\r\n Host: a\r\n\r\n',
      'in the trailers': chunked('0\r\nA: b\r\n c\r\n\r\n'),
    },
  ],
  [
    'HEADER_NAME',
    400,
    {
      empty: get(': b'),
      'not a token': get('A(b: c'),
      'with bytes over 127': get('\xc3\xa9: b'),
      'with NUL': get('A\0: b'),
      'without a colon': get('Abc'),
      'with CR for a hyphen': get('Content\rLength: 1'),
      'a known one with a quote': get('"Host": a'),
      'in the trailers': chunked('0\r\nA@: b\r\n\r\n'),
    },
  ],
  [
    'HEADER_NAME_SPACE',
    400,
    {
      'before the colon': get('A : b'),
      'a tab before the colon': get('A\t: b'),
      'in the middle': get('A b: c'),
      'before the colon of Content-Length': post('Content-Length : 1'),
    },
  ],
  [
    'HEADER_VALUE',
    400,
    {
      NUL: get('A: b\0c'),
      'a control character': get('A: b\x01c'),
      DEL: get('A: b\x7fc'),
      'a form feed': get('A: \f'),
      'NUL in the trailers': chunked('0\r\nA: \0\r\n\r\n'),
    },
  ],
  ['HOST_MISSING', 400, { 'in 1.1': 'GET / HTTP/1.1\r\n\r\n' }],
  [
    'HOST_REPEATED',
    400,
    {
      'the same twice': get('Host: a'),
      'in 1.0': 'GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n',
    },
  ],
  [
    'HOST_INVALID',
    400,
    Object.fromEntries(
      [
        ...[
          'a b',
          'a/b',
          'http://a',
          'u@a',
          'a:b',
          'a:80:80',
          'a:65536',
          'a:000080',
          ':80',
          '[::1',
        ],
        ...[
          '::1',
          '[]',
          '[::g]',
          '[::1]x',
          'a%2',
          'a%zz',
          'a\\b',
          'a?b',
          '"a"',
          '\xc3\xa9',
          'a, b',
        ],
      ].map((host) => [JSON.stringify(host), `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`]),
    ),
  ],
  [
    'HOST_MISMATCH',
    400,
    {
      'with a URL': line('GET http://b/ HTTP/1.1'),
      'in the port': line('GET http://a:81/ HTTP/1.1'),
      'in the port of the other scheme': line('GET https://a:80/ HTTP/1.1'),
      'in the port, with CONNECT': line('CONNECT a:80 HTTP/1.1'),
      'with CONNECT': line('CONNECT b:443 HTTP/1.1'),
      empty: 'GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n',
    },
  ],
  [
    'CONTENT_LENGTH_INVALID',
    400,
    Object.fromEntries(
      [
        '',
        '+1',
        '-1',
        '1 1',
        '1,1',
        '1, 1',
        '0x1',
        '1.0',
        '1e1',
        'a',
        '\xb2',
        '18446744073709551616',
      ].map((length) => [JSON.stringify(length), post(`Content-Length: ${length}`)]),
    ),
  ],
  ['CONTENT_LENGTH_REPEATED', 400, { 'the same': post('Content-Length: 0', 'content-length: 0') }],
  [
    'TRANSFER_ENCODING_INVALID',
    400,
    Object.fromEntries(
      [
        ...['', 'identity', 'gzip', 'chunked, gzip', 'chunked, chunked', 'xchunked', 'chunkedx'],
        ...[
          'chunked;a=b',
          '"chunked"',
          'chunked,',
          ',chunked',
          'gzip,,chunked',
          'chunked identity',
        ],
      ].map((coding) => [JSON.stringify(coding), post(`Transfer-Encoding: ${coding}`)]),
    ),
  ],
  [
    'TRANSFER_ENCODING_INVALID',
    400,
    { 'chunked twice': post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked') },
  ],
  [
    'TRANSFER_ENCODING_UNSUPPORTED',
    501,
    {
      'before chunked': post('Transfer-Encoding: gzip, chunked'),
      'in a header of its own': post('Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'),
      'identity before chunked': post('Transfer-Encoding: identity, chunked'),
    },
  ],
  [
    'TRANSFER_ENCODING_VERSION',
    400,
    { 'in 1.0': 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' },
  ],
  [
    'LENGTH_AND_TRANSFER_ENCODING',
    400,
    {
      'length first': post('Content-Length: 1', 'Transfer-Encoding: chunked'),
      'length last': post('Transfer-Encoding: chunked', 'Content-Length: 1'),
    },
  ],
  [
    'CONNECT_BODY',
    400,
    {
      'by length': 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 0\r\n\r\n',
      'by chunks': 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n',
    },
  ],
  ['EXPECTATION', 417, { 'something else': post('Expect: 200-ok'), empty: post('Expect:') }],
  [
    'CHUNK_SIZE',
    400,
    Object.fromEntries(
      [
        ...[
          'g\r\n',
          '\r\n',
          ' 1\r\n',
          '1 \r\n',
          '1\t\r\n',
          '+1\r\n',
          '0x1\r\n',
          '-1\r\n',
          ';a\r\n',
        ],
        ...['1,\r\n', '1\0\r\n', '00000000000000001\r\n', '10000000000000000\r\n'],
      ].map((size) => [JSON.stringify(size), chunked(size)]),
    ),
  ],
  [
    'CHUNK_EXTENSION',
    400,
    Object.fromEntries(
      [
        ...['1;\r\n', '1;;a\r\n', '1;=b\r\n', '1;a=\r\n', '1;a b\r\n', '1; a\r\n', '1;a =b\r\n'],
        ...['1;a= b\r\n', '1;a="b\r\n', '1;a="b"c\r\n', '1;a="b\\\x01"\r\n', '1;a="\x7f"\r\n'],
        ...['1;a=b=c\r\n', '1;a,b\r\n', '1;a=\x00\r\n', '1;a=\xe9\r\n'],
      ].map((size) => [JSON.stringify(size), chunked(size)]),
    ),
  ],
  [
    'CHUNK_END',
    400,
    {
      'too long': chunked('1\r\nab\r\n'),
      'CR alone': chunked('1\r\na\rb'),
      'LF alone': chunked('1\r\na\n0\r\n\r\n'),
    },
  ],
  [
    'TRAILER_FORBIDDEN',
    400,
    Object.fromEntries(
      ['Content-Length: 1', 'Transfer-Encoding: chunked', 'Host: b', 'Connection: close']
        .concat(['Upgrade: x', 'Expect: x', 'Trailer: a', 'Authorization: x', 'Cookie: a'])
        .map((field) => [field, chunked(`0\r\nA: b\r\n${field}\r\n\r\n`)]),
    ),
  ],
];
