// Relays between plain peers and TLS, by which tests that know nothing of TLS run over it. A relay
// is one server of node:net on loopback: bytes, ends and resets of one side go to the other.
import {
  type AddressInfo,
  createServer,
  connect as netConnect,
  type Server,
  type Socket,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, connect as tlsConnect } from 'node:tls';
import { pair } from './certificate.js';
import { Split } from './split.js';

// listen() and connect() answer at once, and a server of node:net does not: some wait here.
const READY = 24;

/** RINGPOLL_TEST_TLS=split: what goes to us comes in pieces, whatever the records are. */
const splits = process.env.RINGPOLL_TEST_TLS === 'split';

const ready: Server[] = [];

function prepare(): Promise<void> {
  return new Promise((resolve) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    server.unref();
    server.listen(0, '127.0.0.1', () => {
      ready.push(server);
      resolve();
    });
  });
}

await Promise.all(Array.from({ length: READY }, prepare));

export interface Relay {
  port: number;
  /** Takes no more connections; those that are there go on. */
  close(): void;
}

function begin(take: (socket: Socket) => void): Relay {
  const server = ready.pop();
  if (server === undefined) throw new Error(`more than ${READY} relays were asked for at once`);
  void prepare();
  server.on('connection', take);
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

/** Takes plain connections, and passes them to a port that speaks TLS. */
export function relayToTls(port: number, cut = splits): Relay {
  return begin((plain) => {
    const raw = netConnect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const secure = tlsConnect({
      socket: cut ? new Split(raw) : raw,
      allowHalfOpen: true,
      ca: pair.cert,
      servername: 'localhost',
      ALPNProtocols: ['http/1.1'],
    } as Parameters<typeof tlsConnect>[0]);
    join(plain, secure, raw);
  });
}

/** Takes connections that speak TLS, and passes them to a plain port. */
export function relayFromTls(port: number, cut = splits): Relay {
  return begin((raw) => {
    const plain = netConnect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const secure = new TLSSocket(cut ? new Split(raw) : raw, {
      isServer: true,
      allowHalfOpen: true,
      ...pair,
    } as ConstructorParameters<typeof TLSSocket>[1]);
    join(plain, secure, raw);
  });
}

function reset(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy();
}

function join(plain: Socket, secure: Duplex, raw: Socket): void {
  plain.pipe(secure).pipe(plain);
  whenOver([plain], (wasReset) => (wasReset ? reset(raw) : secure.end()));
  // Which of the two hears of a reset depends on who reads the socket.
  whenOver([secure, raw], (wasReset) => (wasReset ? reset(plain) : plain.end()));
}

/** Says of each that it is over, and whether any of them has seen a reset. */
function whenOver(streams: Duplex[], told: (wasReset: boolean) => void): void {
  let wasReset = false;
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      wasReset ||= error.code === 'ECONNRESET' || error.code === 'EPIPE';
    });
    stream.on('close', () => told(wasReset));
  }
}
