// Calls one group of public functions with everything that is of no use to them. A line for each
// answer that is not as it should be, then how many calls there were.
import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { connect, formatExplanation, Loop, listen, Watchdog } from 'ringpoll';
import { serve } from 'ringpoll/http';

const host = '127.0.0.1';
const own = /^ERR_RINGPOLL_(INVALID_ARG_TYPE|INVALID_ARG_VALUE|OUT_OF_RANGE|UNKNOWN_OPTION)$/;
const classes = {
  ERR_RINGPOLL_INVALID_ARG_TYPE: TypeError,
  ERR_RINGPOLL_INVALID_ARG_VALUE: TypeError,
  ERR_RINGPOLL_OUT_OF_RANGE: RangeError,
  ERR_RINGPOLL_UNKNOWN_OPTION: TypeError,
};
// What was expected, and what it is: more than `an instance of Object`, and more than `function `.
const said = / must be .* but is .*(?<! an instance of Object|function )$| is unknown to .*: ./s;
// Node's own checks, which this package uses for the words of HTTP.
const nodes = /^ERR_(INVALID_HTTP_TOKEN|INVALID_CHAR|HTTP_INVALID_HEADER_VALUE)$/;

const throws = () => {
  throw new Error('from a trap');
};
const odd = {
  null: null,
  true: true,
  zero: 0,
  minus: -1,
  half: 0.5,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  huge: 2 ** 60,
  big: 10n,
  empty: '',
  text: 'no such thing',
  nul: 'a\0b',
  symbol: Symbol('s'),
  object: {},
  bare: Object.create(null),
  array: [],
  strings: ['a'],
  function: () => {},
  date: new Date(0),
  buffer: new ArrayBuffer(8),
  fakeBytes: Object.create(Uint8Array.prototype),
  disguised: Object.setPrototypeOf(new DataView(new ArrayBuffer(9)), Uint8Array.prototype),
  unprintable: { toString: throws, valueOf: throws, [Symbol.toPrimitive]: throws },
};

let calls = 0;
const wrong = (what, answer) => console.log(`${what}: ${answer}`);

function judge(what, error) {
  if (nodes.test(error?.code)) return;
  if (error instanceof Error && error.message === 'from a trap') return; // the value's own
  const right = own.test(error?.code) && error instanceof classes[error.code];
  if (!right) wrong(what, `${error?.name} ${error?.code} ${error?.message}`);
  else if (!said.test(error.message)) wrong(what, error.message);
}

/** `fits`: names of values that are welcome, and must not throw. */
async function tryAll(what, call, fits = []) {
  for (const [name, value] of Object.entries(odd)) {
    calls += 1;
    try {
      await call(value);
      if (!fits.includes(name)) wrong(`${what}(${name})`, 'taken');
    } catch (error) {
      if (fits.includes(name)) wrong(`${what}(${name})`, `refused: ${error.message}`);
      else judge(`${what}(${name})`, error);
    }
  }
}

const numbers = ['zero'];
const anything = Object.keys(odd);
const functions = ['function'];

async function pair(handlers = {}) {
  let peer;
  const listener = listen({ host, port: 0, data() {}, open: (one) => (peer = one), ...handlers });
  const connection = await connect({ host, port: listener.port, data() {} });
  while (peer === undefined) await new Promise(setImmediate);
  return { listener, connection, peer };
}

async function socketOptions(what, make, given) {
  const option = (name, fits) =>
    tryAll(`${what} ${name}`, (value) => make({ ...given, [name]: value }), fits);
  for (const name of ['open', 'data', 'drain', 'end', 'timeout', 'error', 'close']) {
    await option(name, functions);
  }
  for (const name of ['allowHalfOpen', 'noDelay']) await option(name, ['true']);
  await option('highWaterMark');
  await option('keepAlive', ['true', 'zero', 'half']);
  await option('idleTimeout', ['zero', 'half']);
  await option('engine');
  await option('signal');
  return option;
}

const groupsOf = {
  async listen() {
    await tryAll('listen', (value) => listen(value));
    const make = (options) => listen(options).destroy();
    const option = await socketOptions('listen', make, { host, port: 0 });
    const named = async (value) => make({ host: value, port: 0 });
    await tryAll('listen host', (value) => named(value).catch(systemIsFine), ['text']);
    await option('port', numbers);
    await option('backlog');
    for (const name of ['reusePort', 'ipv6Only']) await option(name, ['true']);
    await option('maxConnections', ['zero', 'Infinity']);
    await tryAll('listen path', (value) => make({ path: value }), ['text']);
    await tryAll(
      'listen fd',
      async (value) => {
        try {
          make({ fd: value });
        } catch (error) {
          if (error.syscall !== 'listen') throw error;
        }
      },
      numbers,
    );
    const listener = listen({ host, port: 0, data() {} });
    await tryAll('stop', async (value) => listener.stop(value), ['object', 'bare', ...objects]);
    await tryAll('stop timeout', async (timeout) => listener.stop({ timeout }), ['zero', 'half']);
  },

  async connect() {
    const { listener } = await pair();
    await tryAll('connect', (value) => connect(value));
    const given = { host, port: listener.port };
    const make = async (options) => (await connect(options)).close();
    const option = await socketOptions('connect', make, given);
    await option('port');
    await option('connectTimeout', ['zero', 'half']);
    await option('localAddress');
    await option('localPort', numbers);
    await option('connectionData', anything);
    await tryAll('connect path', (value) => make({ path: value }).catch(systemIsFine), ['text']);
    await tryAll(
      'connect host',
      (value) => make({ port: given.port, host: value }).catch(systemIsFine),
      ['text'],
    );
    listener.destroy();
  },

  async connection() {
    const { listener, connection } = await pair();
    await tryAll('cork', (value) => connection.cork(value), ['function']);
    for (const name of ['setTimeout', 'timeout']) {
      await tryAll(name, (value) => connection[name](value), ['zero', 'half']);
    }
    await tryAll('setNoDelay', (value) => connection.setNoDelay(value), ['true']);
    await tryAll('setKeepAlive', (value) => connection.setKeepAlive(value), [
      'true',
      'zero',
      'half',
    ]);
    for (const name of ['setRoute', 'setEngine']) {
      await tryAll(name, (value) => connection[name](value));
    }
    connection.close();
    listener.destroy();
  },

  /** What cannot be sent, and what can although it looks odd: with the right number of bytes. */
  async bytes() {
    const strings = ['empty', 'text', 'nul'];
    const { listener, connection, peer } = await pair();
    for (const name of ['write', 'tryWrite']) {
      await tryAll(name, (value) => connection[name](value), strings);
    }
    await tryAll('writev', (value) => connection.writev(value), ['array', 'strings']);
    await tryAll('writev of', (value) => connection.writev([value]), strings);
    peer.close();
    listener.destroy();
    for (const [name, value] of Object.entries(odd)) {
      if (strings.includes(name)) continue;
      const ended = await pair();
      calls += 1;
      try {
        ended.connection.end(value);
        wrong(`end(${name})`, 'taken');
      } catch (error) {
        judge(`end(${name})`, error);
      }
      ended.connection.reset();
      ended.listener.destroy();
    }
    class Liar extends Uint8Array {
      get byteLength() {
        return 5;
      }
      get length() {
        return 2 ** 40;
      }
    }
    const detached = new Uint8Array(100);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const resized = new Uint8Array(new ArrayBuffer(100, { maxByteLength: 200 }));
    resized.buffer.resize(10);
    const outside = new Uint8Array(new ArrayBuffer(100, { maxByteLength: 200 }), 50, 50);
    outside.buffer.resize(20);
    for (const [name, bytes, length] of [
      ['a subclass that lies', new Liar(60_000), 60_000],
      ['a small one', new Liar(600), 600],
      ['detached', detached, 0],
      ['resized', resized, 10],
      ['out of bounds', outside, 0],
      ['shared', new Uint8Array(new SharedArrayBuffer(100_000)), 100_000],
    ]) {
      for (const way of ['write', 'writev', 'end']) {
        calls += 1;
        const got = await sentBy((to) => {
          to[way](way === 'writev' ? [bytes] : bytes);
          to.end();
        });
        if (got !== length) wrong(`${way} of ${name}`, `${got} bytes instead of ${length}`);
      }
    }
  },

  async serve() {
    await tryAll('serve', (value) => serve(value));
    const handler = (_request, response) => response.end();
    const make = (options) => serve({ host, port: 0, handler, ...options }).destroy();
    const option = (name, fits) =>
      tryAll(`serve ${name}`, (value) => make({ [name]: value }), fits);
    await option('handler', functions);
    await tryAll('serve fetch', (fetch) => make({ handler: undefined, fetch }), functions);
    await option('error', functions);
    const empty = ['object', 'bare', 'array', 'date', 'buffer', 'fakeBytes', 'disguised'];
    await option('routes', empty);
    await tryAll('serve route', (value) => make({ routes: { '/': value } }), [
      ...functions,
      ...empty,
    ]);
    await tryAll('serve static', (value) => make({ static: value }), empty);
    await tryAll('serve static route', (value) => make({ static: { '/': value } }));
    await tryAll('serve static body', (body) => make({ static: { '/': { body } } }), [
      'empty',
      'text',
      'nul',
    ]);
    await tryAll('serve static status', (status) =>
      make({ static: { '/': { body: '', status } } }),
    );
    for (const name of [
      'allowHalfOpen',
      'unknownMethods',
      'lengthRequired',
      'lenient',
      'upgrade',
    ]) {
      await option(name, ['true']);
    }
    for (const name of ['maxHeadBytes', 'maxUrlBytes', 'maxHeaders', 'maxTrailerBytes']) {
      await option(name);
    }
    for (const name of [
      'maxBodyBytes',
      'maxTrailers',
      'maxChunkExtensionBytes',
      'maxLingerBytes',
    ]) {
      await option(name, numbers);
    }
    await option('maxRequestsPerConnection', ['Infinity']);
    for (const name of ['keepAlive', 'headers', 'request', 'read', 'write', 'linger']) {
      await option(`${name}Timeout`, ['zero', 'half']);
    }
    await option('serverHeader', ['text']);
    await option('proxyProtocol', ['array']);
  },

  async response() {
    const strings = ['empty', 'text', 'nul'];
    const each = async (what, call, fits) => {
      for (const [name, value] of Object.entries(odd)) {
        calls += 1;
        const error = await answering((_request, response) => call(response, value));
        if (error === undefined && !fits.includes(name)) wrong(`${what}(${name})`, 'taken');
        if (error === undefined) continue;
        if (fits.includes(name)) wrong(`${what}(${name})`, `refused: ${error.message}`);
        else judge(`${what}(${name})`, error);
      }
    };
    const anyNumber = ['zero', 'minus', 'half', 'NaN', 'Infinity', 'huge'];
    await each('status', (response, value) => response.status(value), []);
    await each('header name', (response, value) => response.header(value, 'x'), []);
    await each('header value', (response, value) => response.header('X-A', value), [
      ...anyNumber,
      'empty',
      'text',
    ]);
    await each('trailer value', (response, value) => response.trailer('X-A', value), [
      ...anyNumber,
      'empty',
      'text',
    ]);
    await each('informational', (response, value) => response.informational(value), []);
    await each('informational headers', (response, value) => response.informational(103, value), [
      'object',
      'bare',
      ...objects,
    ]);
    await each('write', (response, value) => response.write(value), strings);
    await each('end', (response, value) => response.end(value), strings);
    const upgrade = (response, headers, handlers) => response.upgrade(headers, handlers).close();
    await each('upgrade headers', (response, value) => upgrade(response, value, {}), [
      'object',
      'bare',
      ...objects,
    ]);
    await each('upgrade handlers', (response, value) => upgrade(response, {}, value), [
      'object',
      'bare',
      ...objects,
    ]);
    const nothing = async () => {};
    await each('sendWith', (response, value) => response.sendWith(value, nothing), numbers);
    await each('sendWith send', (response, value) => response.sendWith(0, value), functions);
    const sendFile = async (response, path, options) => {
      try {
        await response.sendFile(path, options);
      } catch (error) {
        if (error.status !== 404 && error.code !== 'ERR_INVALID_ARG_VALUE') throw error;
      }
    };
    await each('sendFile', (response, value) => sendFile(response, value), strings);
    await each('sendFile options', (response, value) => sendFile(response, '/none', value), [
      'object',
      'bare',
      ...objects,
    ]);
  },

  async request() {
    const each = async (what, call, fits) => {
      for (const [name, value] of Object.entries(odd)) {
        calls += 1;
        const error = await answering((request) => call(request, value));
        if (error === undefined && !fits.includes(name)) wrong(`${what}(${name})`, 'taken');
        if (error !== undefined && !fits.includes(name)) judge(`${what}(${name})`, error);
      }
    };
    await each('header', (request, value) => request.header(value), ['empty', 'text', 'nul']);
    const limits = ['zero', 'half', 'Infinity', 'huge'];
    await each('body limit', (request, limit) => request.body({ limit }), limits);
  },

  async loop() {
    await tryAll('Watchdog', (value) => new Watchdog(value).stop(), ['object', 'bare', ...objects]);
    for (const name of ['limit', 'check']) {
      await tryAll(`Watchdog ${name}`, (value) => new Watchdog({ [name]: value }).stop());
    }
    await tryAll('Watchdog scheduler', (scheduler) => new Watchdog({ scheduler }).stop());
    await tryAll('Watchdog words', (watch) => new Watchdog({ scheduler: { watch } }).stop());
    for (const watch of [new Int32Array(16), new Int32Array(new SharedArrayBuffer(60))]) {
      calls += 1;
      try {
        new Watchdog({ scheduler: { watch } }).stop();
        wrong('Watchdog words', 'taken');
      } catch (error) {
        judge('Watchdog words', error);
      }
    }
    await tryAll('Watchdog overrun', (overrun) => new Watchdog({ overrun }).stop(), functions);
    formatExplanation(Loop.current().explain());
  },
};

const objects = ['array', 'strings', 'date', 'buffer', 'fakeBytes', 'disguised'];

function systemIsFine(error) {
  if (error.syscall === undefined) throw error;
}

/** How many bytes a peer receives. */
async function sentBy(send) {
  const listener = listen({ host, port: 0, data() {}, open: send });
  const socket = dial(listener.port, host);
  let bytes = 0;
  socket.on('data', (part) => {
    bytes += part.length;
  });
  await once(socket, 'end');
  socket.destroy();
  listener.destroy();
  return bytes;
}

/** What `call` throws in a handler; the server must answer all the same. */
async function answering(call) {
  let caught;
  const server = serve({
    host,
    port: 0,
    upgrade: true,
    async handler(request, response) {
      try {
        await call(request, response);
      } catch (error) {
        caught = error;
      }
      if (!response.ended) response.end();
    },
    error(error) {
      caught ??= error;
    },
  });
  const socket = dial(server.port, host);
  const upgrade = 'Connection: close, Upgrade\r\nUpgrade: x\r\n';
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`);
  let answer = '';
  socket.on('data', (part) => {
    answer += part.toString('latin1');
  });
  await once(socket, 'close');
  if (!answer.startsWith('HTTP/1.1 ')) wrong('the answer', JSON.stringify(answer));
  server.destroy();
  return caught;
}

await groupsOf[process.argv[2]]();
console.log(`calls ${calls}`);
process.exit(0);
