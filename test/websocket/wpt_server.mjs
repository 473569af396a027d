// The server that the web platform's tests for WebSocket talk to: each path does what the handler
// of that name does in their own server. Plain node:http and frames by hand, so that it is a peer
// that shares no code with the client under test.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const NO_CODE = 1005;

function frame(opcode, payload) {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = length < 126 ? length : length < 65536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
}

function closePayload(code, reason = '') {
  if (code === undefined) return Buffer.alloc(0);
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

/** A connection after its handshake: what comes is given to the handlers of a path. */
class Session {
  #socket;
  #rest = Buffer.alloc(0);
  #parts = [];
  #kind = TEXT;
  onMessage = () => {};
  /** By default the close is answered with what came. */
  onClose = (code, reason) => this.close(code === NO_CODE ? undefined : code, reason);

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#received(bytes));
    socket.on('error', () => {});
  }

  text(text) {
    this.#socket.write(frame(TEXT, Buffer.from(text)));
  }

  binary(bytes) {
    return this.#socket.write(frame(BINARY, bytes));
  }

  ping(text) {
    this.#socket.write(frame(PING, Buffer.from(text)));
  }

  raw(bytes) {
    this.#socket.write(bytes);
  }

  close(code, reason) {
    this.#socket.end(frame(CLOSE, closePayload(code, reason)));
  }

  drop() {
    this.#socket.destroy();
  }

  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  #received(bytes) {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const found = this.#next();
      if (found === undefined) return;
      this.#frame(found);
    }
  }

  #next() {
    const rest = this.#rest;
    if (rest.length < 6) return undefined;
    const short = rest[1] & 127;
    const head = short === 126 ? 8 : short === 127 ? 14 : 6;
    if (rest.length < head) return undefined;
    const length =
      short === 126
        ? rest.readUInt16BE(2)
        : short === 127
          ? Number(rest.readBigUInt64BE(2))
          : short;
    if (rest.length < head + length) return undefined;
    const mask = rest.subarray(head - 4, head);
    const payload = Buffer.from(rest.subarray(head, head + length));
    for (let i = 0; i < length; i++) payload[i] ^= mask[i & 3];
    this.#rest = rest.subarray(head + length);
    return { fin: (rest[0] & 0x80) !== 0, opcode: rest[0] & 15, payload };
  }

  #frame({ fin, opcode, payload }) {
    if (opcode === CLOSE) {
      const code = payload.length < 2 ? NO_CODE : payload.readUInt16BE();
      this.onClose(code, payload.subarray(2).toString());
      return;
    }
    if (opcode === PING) this.#socket.write(frame(PONG, payload));
    if (opcode > 7) return;
    if (opcode !== 0) this.#kind = opcode;
    this.#parts.push(payload);
    if (!fin) return;
    const whole = Buffer.concat(this.#parts.splice(0));
    this.onMessage(whole, this.#kind === BINARY);
  }
}

const tokens = (value) => (value === undefined ? [] : value.split(',').map((one) => one.trim()));

function head(request, { protocol, fields = [] } = {}) {
  const key = request.headers['sec-websocket-key'];
  const accept = createHash('sha1')
    .update(key + SUFFIX)
    .digest('base64');
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ...fields,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function open(request, socket, options) {
  socket.write(head(request, options));
  return new Session(socket);
}

const asked = (request) => request.headers['sec-websocket-protocol'];
const query = (request) => new URL(request.url, 'http://localhost').searchParams;

function echo(request, socket) {
  const protocol = tokens(asked(request)).includes('echo') ? 'echo' : undefined;
  const session = open(request, socket, { protocol });
  session.onMessage = (bytes, isBinary) => {
    if (isBinary) session.binary(bytes);
    else session.text(bytes.toString());
    if (!isBinary && bytes.toString() === 'Goodbye') session.close(1000);
  };
}

const WAIT_MS = 1000;
const MEGABYTE = Buffer.alloc(1024 * 1024, ' ');

const paths = {
  echo,
  echo_close_data(request, socket) {
    const session = open(request, socket);
    session.onMessage = (bytes) => bytes.toString() === 'Goodbye' && session.close(1000);
  },
  echo_exit: (request, socket) => paths.echo_close_data(request, socket),
  echo_raw(request, socket) {
    const session = open(request, socket);
    session.onMessage = (bytes) => {
      if (bytes.toString() === 'exit') session.close(1000);
      else session.raw(bytes);
    };
  },
  'echo-query': (request, socket) => open(request, socket).text(request.url.split('?')[1] ?? ''),
  'echo-query_v13': (request, socket) => paths['echo-query'](request, socket),
  'echo-cookie'(request, socket) {
    open(request, socket).text(request.headers.cookie ?? '(none)');
  },
  'empty-message'(request, socket) {
    const session = open(request, socket);
    session.onMessage = (bytes) => session.text(bytes.length === 0 ? 'pass' : 'fail');
  },
  'delayed-passive-close'(request, socket) {
    const session = open(request, socket);
    session.onClose = (code, reason) =>
      setTimeout(() => session.close(code === NO_CODE ? undefined : code, reason), WAIT_MS);
  },
  'passive-close-abort'(request, socket) {
    const session = open(request, socket);
    session.onClose = () => session.drop();
  },
  'remote-close'(request, socket) {
    const session = open(request, socket);
    const given = query(request);
    if (given.has('abrupt')) {
      session.ping('ping');
      session.drop();
      return;
    }
    const code = given.has('code') ? Number(given.get('code')) : undefined;
    session.onClose = () => socket.end();
    session.raw(frame(CLOSE, closePayload(code, given.get('reason') ?? '')));
  },
  protocol(request, socket) {
    open(request, socket, { protocol: asked(request) }).text(asked(request));
  },
  protocol_array(request, socket) {
    const [first] = tokens(asked(request));
    open(request, socket, { protocol: first }).text(first);
  },
  handshake_protocol: (request, socket) => open(request, socket, { protocol: 'foobar' }),
  handshake_no_protocol: (request, socket) => open(request, socket),
  handshake_no_extensions: (request, socket) => open(request, socket),
  handshake_sleep_2: (request, socket) => setTimeout(() => open(request, socket), 2 * WAIT_MS),
  sleep_10_v13: (request, socket) => setTimeout(() => echo(request, socket), 10 * WAIT_MS),
  invalid: (_request, socket) => socket.end('FOO BAR BAZ\r\n\r\n'),
  wrong_accept_key(_request, socket) {
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: WebSocket'];
    socket.end(`${lines.join('\r\n')}\r\nSec-WebSocket-Accept: thisisawrongacceptkey\r\n\r\n`);
  },
  simple_handshake(request, socket) {
    socket.write(head(request, { fields: ['Set-Cookie: ws_test=test'] }));
    socket.write(frame(CLOSE, closePayload(1001, 'PASS')));
    socket.once('data', () => socket.destroy());
  },
  basic_auth(request, socket) {
    if (request.headers.authorization === 'Basic Zm9vOmJhcg==') open(request, socket);
    else socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  },
  origin: (request, socket) => open(request, socket).text(request.headers.origin ?? 'null'),
  'send-backpressure'(request, socket) {
    const session = open(request, socket);
    session.binary(Buffer.alloc(0));
    const started = Date.now();
    let left = 16;
    const more = () => {
      while (left > 0) {
        left--;
        if (!session.binary(MEGABYTE)) break;
      }
      if (left > 0) socket.once('drain', more);
      else session.text(String((Date.now() - started) / 1000));
    };
    more();
  },
  'receive-backpressure'(request, socket) {
    const session = open(request, socket);
    session.pause();
    setTimeout(() => session.resume(), 2 * WAIT_MS);
  },
  'receive-many-with-backpressure'(request, socket) {
    const session = open(request, socket);
    let waiting = Promise.resolve();
    session.onMessage = (bytes) => {
      waiting = waiting.then(() => new Promise((resolve) => setTimeout(resolve, WAIT_MS / 10)));
      waiting.then(() => session.text(String(bytes.length)));
    };
    session.onClose = () => waiting.then(() => session.close());
  },
};

/** Listens on a free port of loopback; gives the port and a way to stop. */
export async function startWptServer() {
  const server = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket) => {
    socket.setNoDelay(true);
    const name = request.url.split('?')[0].slice(1);
    const handler = paths[decodeURIComponent(name)];
    if (handler === undefined) socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    else handler(request, socket);
  });
  await new Promise((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  return {
    port: server.address().port,
    stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
