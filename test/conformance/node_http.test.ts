// node:http over the native parser: the same program on both answers the same bytes.
import { type EventEmitter, once } from 'node:events';
import nodeHttp, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { createServer, Server as FaceServer } from 'ringpoll/node-http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { roundTrips } from '../support/turns.js';

type Program = (request: IncomingMessage, response: ServerResponse) => void;

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

const serving = (program: Program, options = {}): Server =>
  createServer(options, program) as unknown as Server;

function happens(emitter: EventEmitter, name: string): Promise<unknown[]> {
  return new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
}

/** A peer that writes, and keeps what comes. */
class Peer {
  text = '';
  readonly closed: Promise<unknown>;
  readonly #told: (() => void)[] = [];

  constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('error', () => {});
    socket.on('data', (data) => {
      this.text += data;
      for (const tell of this.#told.splice(0)) tell();
    });
    this.closed = happens(socket, 'close');
  }

  static async to(port: number): Promise<Peer> {
    const peer = new Peer(net.connect({ port, host: '127.0.0.1' }));
    onTestFinished(() => void peer.socket.destroy());
    await happens(peer.socket, 'connect');
    return peer;
  }

  async until(end: string): Promise<string> {
    while (!this.text.includes(end)) {
      await Promise.race([new Promise<void>((resolve) => this.#told.push(resolve)), this.closed]);
      if (this.socket.destroyed) break;
    }
    return this.text;
  }
}

/** What a server answers to these bytes, until it ends the connection. */
async function answerTo(port: number, request: string): Promise<string> {
  const peer = await Peer.to(port);
  peer.socket.write(request, 'latin1');
  await peer.closed;
  return peer.text.replace(/Date: [^\r]*/g, 'Date: now');
}

const CLOSE = 'Host: a.test\r\nConnection: close\r\n\r\n';
const get = (path: string, head = CLOSE) => `GET ${path} HTTP/1.1\r\n${head}`;

const readAll = (request: IncomingMessage, then: (body: string) => void) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (piece) => {
    body += piece;
  });
  request.on('end', () => then(body));
};

const programs: Record<string, Program> = {
  plain: (_, response) => void response.end('hello'),
  headers: (request, response) => {
    response.setHeader('X-One', '1');
    response.setHeader('Set-Cookie', ['a=1', 'b=2']);
    response.setHeader('x-latin', 'ü');
    response.end(JSON.stringify([request.headers, request.rawHeaders, request.headersDistinct]));
  },
  writeHead: (_, response) => void response.writeHead(201, 'Made', { A: 'b' }).end('made'),
  given: (_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 2 }).end('ok');
  },
  pieces: (_, response) => {
    response.write('one');
    setImmediate(() => response.end('two'));
  },
  nothing: (_, response) => void response.writeHead(204).end(),
  notModified: (_, response) => void response.writeHead(304).end(),
  chunked: (_, response) => {
    response.setHeader('Transfer-Encoding', 'chunked');
    response.setHeader('Trailer', 'X-End');
    response.write('a');
    response.addTrailers({ 'X-End': 'yes' });
    response.end();
  },
  removed: (_, response) => {
    response.removeHeader('Connection');
    response.removeHeader('Date');
    response.end('bare');
  },
  utf8: (_, response) => void response.end('übergröße'),
  bytes: (_, response) => void response.end(Buffer.from([0, 255, 13, 10])),
  echo: (request, response) => readAll(request, (body) => response.end(body)),
  iterated: async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    response.end(Buffer.concat(pieces));
  },
  unread: (_, response) => void response.end('unread'),
  early: (_, response) => {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' });
    response.writeProcessing();
    response.end('late');
  },
  trailers: (request, response) =>
    readAll(request, () => response.end(JSON.stringify(request.trailers))),
};

const pieces = '3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: v\r\n\r\n';
const chunked = `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${CLOSE}${pieces}`;
const requests: Record<string, string> = {
  get: get('/a?b=c'),
  head: `HEAD / HTTP/1.1\r\n${CLOSE}`,
  old: 'GET / HTTP/1.0\r\n\r\n',
  cookies: get(
    '/',
    `Cookie: a=1\r\nX-Y: 1\r\nx-y: 2\r\nCookie: b=2\r\nReferer: r\r\nReferer: s\r\n${CLOSE}`,
  ),
  post: `POST / HTTP/1.1\r\nContent-Length: 5\r\n${CLOSE}12345`,
  chunked,
  expecting: `POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n${CLOSE}ok`,
  unexpected: `POST / HTTP/1.1\r\nExpect: more\r\nContent-Length: 2\r\n${CLOSE}ok`,
  pipelined: get('/1', 'Host: a\r\n\r\n') + get('/2', 'Host: a\r\n\r\n') + get('/3'),
  fragment: get('/a#b'),
  anyHost: get('/', 'Host: not a host\r\nConnection: close\r\n\r\n'),
  noHost: 'GET / HTTP/1.1\r\n\r\n',
  invalid: 'NONE / HTTP/1.1\r\nHost: a\r\n\r\n',
  longHead: get('/', `Host: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
};

describe.each(Object.keys(programs))('the program %s', (name) => {
  it('answers the bytes that it answers on node:http', async () => {
    const stock = await listening(nodeHttp.createServer(programs[name]));
    const face = await listening(serving(programs[name]));
    for (const [asked, bytes] of Object.entries(requests)) {
      const [wanted, given] = await Promise.all([answerTo(stock, bytes), answerTo(face, bytes)]);
      expect([asked, given]).toEqual([asked, wanted]);
    }
  });
});

describe('a request', () => {
  it('is a stream of Node only when somebody reads it', async () => {
    const seen: unknown[] = [];
    const port = await listening(
      serving((request, response) => {
        const own = () => Object.hasOwn(request, '_readableState');
        request.on('close', () => seen.push('close'));
        seen.push(own(), request.destroyed, request.complete, own());
        request.resume();
        seen.push(own());
        response.end();
      }),
    );
    await answerTo(port, get('/'));
    expect(seen).toEqual([false, false, false, false, true, 'close']);
  });

  it('stops the peer while nobody reads its body, and loses nothing', async () => {
    let request: IncomingMessage | undefined;
    const server = serving((asked, response) => {
      request = asked;
      asked.once('end', () => response.end('read'));
    });
    const port = await listening(server);
    const peer = await Peer.to(port);
    const size = 16 * 1024 * 1024;
    peer.socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    peer.socket.write('x'.repeat(size));
    await happens(server, 'request');
    await roundTrips(50);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    expect((request as IncomingMessage).readableLength).toBeLessThan(1024 * 1024);
    let read = 0;
    request?.on('data', ({ length }) => {
      read += length;
    });
    await peer.until('read');
    expect(read).toBe(size);
  });

  it('is aborted with its connection, and says so', async () => {
    const heard: string[] = [];
    const server = serving((request, response) => {
      for (const name of ['aborted', 'error', 'close']) {
        request.on(name, () => heard.push(`request ${name}`));
      }
      response.on('close', () => heard.push('response close'));
      peer.socket.destroy();
    });
    const peer = await Peer.to(await listening(server));
    peer.socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab');
    const [, response] = await happens(server, 'request');
    await happens(response as EventEmitter, 'close');
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard.sort()).toEqual([
      'request aborted',
      'request close',
      'request error',
      'response close',
    ]);
  });

  it('has fields of any name, and no prototype comes of them', async () => {
    let headers: Record<string, unknown> = {};
    const port = await listening(
      serving((request, response) => {
        headers = request.headers;
        response.end();
      }),
    );
    await answerTo(port, get('/', `constructor: a\r\nconstructor: b\r\n__proto__: c\r\n${CLOSE}`));
    expect(headers.constructor).toBe('a, b');
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });

  it('has headers of its own, though its connection repeats them', async () => {
    const seen: unknown[] = [];
    const port = await listening(
      serving((request, response) => {
        seen.push({ ...request.headers }, request.rawHeaders.length);
        request.headers.host = 'changed';
        request.rawHeaders.length = 0;
        response.end();
      }),
    );
    const again = get('/', 'Host: a\r\n\r\n');
    await answerTo(
      port,
      again + again + again + again + get('/', 'Host: a\r\nConnection: close\r\n\r\n'),
    );
    const plain = [{ host: 'a' }, 2];
    const last = [{ host: 'a', connection: 'close' }, 4];
    expect(seen).toEqual([plain, plain, plain, plain, last].flat());
  });
});

describe('a response', () => {
  it('tells of its end once, and in the order of node:http', async () => {
    const heard: string[] = [];
    const port = await listening(
      serving((_, response) => {
        for (const name of ['prefinish', 'finish', 'close']) {
          response.on(name, () => heard.push(name));
        }
        response.end('x', () => heard.push('callback'));
        expect(response.writableEnded).toBe(true);
      }),
    );
    await answerTo(port, get('/'));
    expect(heard).toEqual(['prefinish', 'finish', 'callback', 'close']);
  });

  it('drains when the peer reads again', async () => {
    const port = await listening(
      serving((_, response) => {
        let left = 200;
        const more = () => {
          while (left-- > 0) if (!response.write(Buffer.alloc(64 * 1024))) return;
          response.end();
        };
        response.on('drain', more);
        more();
      }),
    );
    const peer = await Peer.to(port);
    peer.socket.pause();
    peer.socket.write(get('/'));
    await roundTrips(50);
    peer.socket.resume();
    await peer.closed;
    expect(peer.socket.bytesRead).toBeGreaterThan(200 * 64 * 1024);
  });

  it('calls methods that were put in the place of its own', async () => {
    const port = await listening(
      serving((_, response) => {
        const { writeHead, end } = response;
        response.writeHead = function changed(this: ServerResponse, ...args: unknown[]) {
          this.setHeader('X-Late', 'set');
          return Reflect.apply(writeHead, this, args);
        } as typeof writeHead;
        response.end = function changed(this: ServerResponse, chunk: unknown) {
          return Reflect.apply(end, this, [`<${chunk}>`]);
        } as typeof end;
        response.end('a');
      }),
    );
    const answer = await answerTo(port, get('/'));
    expect(answer).toMatch(/X-Late: set\r\n[\s\S]*<a>$/);
  });
});

describe('a server', () => {
  it('hands the connection over to a listener for upgrades, with what came behind', async () => {
    const server = serving(() => {});
    server.on('upgrade', (request, socket, head) => {
      expect(socket).toBeInstanceOf(net.Socket);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${request.url} ${head}`);
      socket.on('data', (data: Buffer) => socket.end(data));
    });
    const peer = await Peer.to(await listening(server));
    peer.socket.write(`${get('/up', 'Host: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')}early`);
    await peer.until('early');
    peer.socket.write('later');
    await peer.closed;
    expect(peer.text).toMatch(/\r\n\r\n\/up earlylater$/);
  });

  it('lets a tunnel finish on both sides before it closes', async () => {
    const heard: string[] = [];
    const server = serving(() => {});
    const over = new Promise<void>((resolve) => {
      server.on('upgrade', (_, socket: Socket) => {
        for (const name of ['end', 'finish', 'close']) socket.on(name, () => heard.push(name));
        socket.on('close', () => resolve());
        socket.resume();
        socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
        socket.on('end', () => socket.end('bye'));
      });
    });
    const peer = await Peer.to(await listening(server));
    peer.socket.write(get('/', 'Host: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'));
    await peer.until('101');
    peer.socket.end();
    await over;
    expect(heard).toEqual(['end', 'finish', 'close']);
    expect(await peer.until('bye')).toMatch(/bye$/);
  });

  it('answers an upgrade that nobody takes, and what comes behind it', async () => {
    const port = await listening(serving((request, response) => void response.end(request.url)));
    const upgrade = get('/one', 'Host: a\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n');
    expect(await answerTo(port, upgrade + get('/two'))).toMatch(/\/one[\s\S]*\/two$/);
  });

  it('counts names and values alone against maxHeaderSize, as node:http does', async () => {
    const options = { maxHeaderSize: 2000 };
    const program: Program = (_, response) => void response.end('x');
    const stock = await listening(nodeHttp.createServer(options, program));
    const face = await listening(serving(program, options));
    const counted = '/'.length + 'HostaConnectioncloseX'.length;
    for (const length of [1900, 1998 - counted, 1999 - counted, 2000 - counted, 2100]) {
      const asked = get('/', `X: ${'x'.repeat(length)}\r\nHost: a\r\nConnection: close\r\n\r\n`);
      const [wanted, given] = await Promise.all([answerTo(stock, asked), answerTo(face, asked)]);
      expect([length, given]).toEqual([length, wanted]);
    }
  });

  it('opens tunnels for those who listen to connect', async () => {
    const server = serving(() => {});
    server.on('connect', (_, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\ntunnel'));
    const port = await listening(server);
    expect(await answerTo(port, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n')).toMatch(/tunnel$/);
  });

  it('leaves Expect to those who listen', async () => {
    const server = serving((_, response) => void response.end());
    server.on('checkContinue', (_, response) => void response.writeHead(403).end('no'));
    server.on('checkExpectation', (_, response) => void response.writeHead(400).end('what'));
    const port = await listening(server);
    expect(await answerTo(port, requests.expecting)).toMatch(/ 403 [\s\S]*\r\nno\r\n/);
    expect(await answerTo(port, requests.unexpected)).toMatch(/ 400 [\s\S]*\r\nwhat\r\n/);
  });

  it('tells of clients whose requests are none', async () => {
    const server = serving(() => {});
    const codes: unknown[] = [];
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      codes.push(error.code);
      socket.end('HTTP/1.1 400 Mine\r\n\r\n');
    });
    const port = await listening(server);
    expect(await answerTo(port, 'NONE / HTTP/1.1\r\n\r\n')).toBe('HTTP/1.1 400 Mine\r\n\r\n');
    expect(await answerTo(port, requests.longHead)).toBe('HTTP/1.1 400 Mine\r\n\r\n');
    expect(codes).toEqual(['HPE_INVALID_METHOD', 'HPE_HEADER_OVERFLOW']);
  });

  it('keeps to timeouts that are set while it listens', async () => {
    const server = serving((_, response) => void response.end('x'));
    const port = await listening(server);
    server.keepAliveTimeout = 1;
    const peer = await Peer.to(port);
    peer.socket.write(get('/', 'Host: a\r\n\r\n'));
    await peer.closed;
    expect(peer.text).toMatch(/Keep-Alive: timeout=0\r\n/);
    server.headersTimeout = 1;
    const silent = await Peer.to(port);
    await silent.closed;
    expect(silent.text).toMatch(/^HTTP\/1.1 408 /);
  });

  it('leaves idle connections to keepAliveTimeout, not to their sockets', async () => {
    const timeouts: unknown[] = [];
    const server = serving((request, response) => {
      const { socket } = request;
      timeouts.push(socket.timeout);
      response.end('x', () => setImmediate(() => timeouts.push(socket.timeout)));
    });
    server.setTimeout(50_000);
    const peer = await Peer.to(await listening(server));
    for (const target of ['/', '/']) {
      peer.socket.write(get(target, 'Host: a\r\n\r\n'));
      await peer.until('\r\n\r\nx');
      peer.text = '';
      await new Promise((resolve) => setImmediate(resolve));
      await roundTrips(1);
    }
    // A millisecond before the native one.
    expect(timeouts).toEqual([50_000, 5999, 50_000, 5999]);
  });

  it('tells the program of a connection that was idle for keepAliveTimeout', async () => {
    const server = serving((_, response) => response.end('x'));
    server.keepAliveTimeout = 5;
    const told = new Promise<Socket>((resolve) => server.setTimeout(50_000, resolve));
    const peer = await Peer.to(await listening(server));
    peer.socket.write(get('/', 'Host: a\r\n\r\n'));
    await peer.until('\r\n\r\nx');
    (await told).destroy();
    await once(peer.socket, 'close');
  });

  it('lets another response have the socket of a tunnel', async () => {
    const server = serving(() => {});
    server.on('connect', (request: IncomingMessage, socket: Socket) => {
      const response = new nodeHttp.ServerResponse(request);
      response.assignSocket(socket);
      response.detachSocket(socket);
      socket.end('HTTP/1.1 200 OK\r\n\r\n');
    });
    const peer = await Peer.to(await listening(server));
    peer.socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    expect(await peer.until('\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('has an entry of each request for observers of performance', async () => {
    const server = serving((_, response) => {
      response.setHeader('x-a', 'b');
      response.writeHead(404).end('x');
    });
    const port = await listening(server);
    const seen: PerformanceEntry[] = [];
    const observer = new PerformanceObserver((list) => {
      seen.push(...list.getEntries().filter(({ name }) => name === 'HttpRequest'));
    });
    observer.observe({ entryTypes: ['http'] });
    onTestFinished(() => observer.disconnect());
    await answerTo(port, get('/one?a', 'Host: a\r\n\r\n') + get('/two'));
    while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(seen.map((entry) => JSON.parse(JSON.stringify(entry)))).toMatchObject([
      {
        ...{ name: 'HttpRequest', entryType: 'http' },
        detail: {
          req: { method: 'GET', url: '/one?a', headers: { host: 'a' } },
          res: { statusCode: 404, statusMessage: 'Not Found', headers: { 'x-a': 'b' } },
        },
      },
      { detail: { req: { url: '/two' } } },
    ]);
    expect(seen.every(({ startTime, duration }) => startTime > 0 && duration >= 0)).toBe(true);
    observer.disconnect();
    await answerTo(port, get('/three'));
    expect(seen).toHaveLength(2);
  });

  it('takes so many requests of a connection as maxRequestsPerSocket says', async () => {
    const server = serving((_, response) => void response.end('x'));
    server.maxRequestsPerSocket = 2;
    const again = get('/', 'Host: a\r\n\r\n');
    const answer = await answerTo(await listening(server), again + again + get('/'));
    expect(answer).toMatch(/max=2\r\n[\s\S]*Connection: close\r\n[\s\S]* 503 /);
  });

  it('closes idle connections when it closes, and the others with their answer', async () => {
    const server = serving((request, response) => {
      if (request.url === '/wait') waiting = response;
      else response.end('x');
    });
    let waiting: ServerResponse | undefined;
    const port = await listening(server);
    const idle = await Peer.to(port);
    idle.socket.write(get('/', 'Host: a\r\n\r\n'));
    await idle.until('x');
    const busy = await Peer.to(port);
    busy.socket.write(get('/wait', CLOSE));
    await happens(server, 'request');
    const count = await new Promise((resolve) => server.getConnections((_, n) => resolve(n)));
    expect(count).toBe(2);
    const closed = happens(server, 'close');
    server.close();
    await idle.closed;
    waiting?.end('answered');
    expect(await busy.until('answered')).toMatch(/answered$/);
    await closed;
  });

  it('refuses more connections than maxConnections, and tells of them', async () => {
    const server = serving((_, response) => void response.end());
    server.maxConnections = 1;
    const port = await listening(server);
    await Peer.to(port);
    const dropped = happens(server, 'drop');
    const second = await Peer.to(port);
    await second.closed;
    expect((await dropped)[0]).toMatchObject({ localPort: port, remoteFamily: 'IPv4' });
  });

  it('says what node:http says when its port is taken', async () => {
    const port = await listening(serving(() => {}));
    const failures = await Promise.all(
      [nodeHttp.createServer(), createServer()].map(async (server) => {
        const failed = happens(server, 'error');
        server.listen(port, '127.0.0.1');
        const [error] = (await failed) as [NodeJS.ErrnoException];
        return { ...error, message: error.message };
      }),
    );
    expect(failures[1]).toEqual(failures[0]);
  });

  it('refuses what strict forbids', async () => {
    const port = await listening(serving((_, response) => void response.end(), { strict: true }));
    for (const asked of [requests.fragment, requests.anyHost, requests.noHost]) {
      expect(await answerTo(port, asked)).toMatch(/^HTTP\/1.1 400 /);
    }
  });

  it.each(['/', '/a?b', '*', 'host', 'host:80/x'])(
    'takes CONNECT %s, but for strict',
    async (to) => {
      const asked = `CONNECT ${to} HTTP/1.1\r\nHost: a\r\n\r\n`;
      const answers = [nodeHttp.createServer(), createServer(), createServer({ strict: true })].map(
        async (server) => {
          server.on('connect', ({ url }, socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${url}`));
          return answerTo(await listening(server as unknown as Server), asked);
        },
      );
      const [stock, loose, strict] = await Promise.all(answers);
      expect(loose).toBe(stock);
      expect(loose.endsWith(`\r\n\r\n${to}`)).toBe(true);
      expect(strict).toMatch(/^HTTP\/1.1 400 /);
    },
  );

  it('is Node’s altogether when its messages are of classes of its own', async () => {
    class Own extends nodeHttp.ServerResponse {
      own = 'yes';
    }
    const port = await listening(
      serving((_, response) => void response.end((response as Own).own), { ServerResponse: Own }),
    );
    expect(await answerTo(port, get('/'))).toMatch(/yes$/);
  });

  it('may be called without new, and made the base of another', async () => {
    function Derived(this: Server) {
      Reflect.apply(FaceServer as unknown as () => void, this, []);
    }
    Object.setPrototypeOf(Derived.prototype, FaceServer.prototype);
    const server = new (Derived as unknown as new () => Server)();
    server.on('request', (_, response) => response.end('derived'));
    expect(server).toBeInstanceOf(nodeHttp.Server);
    expect(await answerTo(await listening(server), get('/'))).toMatch(/derived$/);
    const called = (FaceServer as unknown as () => Server)();
    expect(called).toBeInstanceOf(FaceServer);
  });

  it('survives a handler that throws: the throw is an uncaught exception', async () => {
    const thrown: unknown[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error.message));
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException');
      for (const listener of before) process.on('uncaughtException', listener);
    });
    const port = await listening(
      serving((request, response) => {
        if (request.url === '/throw') {
          setImmediate(() => response.end('later'));
          throw new Error('thrown');
        }
        response.end('x');
      }),
    );
    expect(await answerTo(port, get('/throw'))).toMatch(/later$/);
    expect(thrown).toEqual(['thrown']);
  });

  it('holds back a peer that sends requests and reads no answers', async () => {
    let answered = 0;
    const body = Buffer.alloc(64 * 1024);
    const port = await listening(
      serving((_, response) => {
        answered++;
        response.end(body);
      }),
    );
    const peer = await Peer.to(port);
    peer.socket.pause();
    const most = 2000;
    peer.socket.write(get('/', 'Host: a\r\n\r\n').repeat(most));
    await roundTrips(50);
    // Some megabytes fit into the buffers of both kernels; 125 MB do not.
    expect(answered).toBeLessThan(most / 2);
  });
});
