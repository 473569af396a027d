// The other side of a connection, on plain node:net.
import { type AddressInfo, createServer, connect as netConnect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { within } from './recorder.js';

interface Waiter {
  satisfied(): boolean;
  resolve(): void;
}

/** A socket of node:net with promises for what a test waits for. Half-open, like all things raw. */
export class Peer {
  readonly chunks: Buffer[] = [];
  bytes = 0;
  ended = false;
  closed = false;
  error?: NodeJS.ErrnoException;
  readonly #waiters = new Set<Waiter>();
  #text = '';
  /** Chunks that are in it: those of many answers are not joined anew for each. */
  #read = 0;

  constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => {
      this.chunks.push(bytes);
      this.bytes += bytes.length;
      this.#look();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#look();
    });
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#look();
    });
  }

  get text(): string {
    while (this.#read < this.chunks.length) {
      this.#text += this.chunks[this.#read++].toString('latin1');
    }
    return this.#text;
  }

  /** Forgets what has been received, so that it takes no memory. */
  forget(): void {
    this.chunks.length = 0;
    this.#text = '';
    this.#read = 0;
  }

  send(data: string | Uint8Array): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  end(data?: string): void {
    this.socket.end(data === undefined ? undefined : Buffer.from(data, 'latin1'));
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Everything received so far, once it is at least `bytes` bytes. */
  async received(bytes: number): Promise<string> {
    await this.#when(() => this.bytes >= bytes, `${bytes} bytes`);
    return this.text;
  }

  /** Everything received so far, once `text` is in it. */
  async receivedUntil(text: string): Promise<string> {
    await this.#when(() => this.text.includes(text), JSON.stringify(text));
    return this.text;
  }

  /** Everything received, once the other side has ended. */
  async untilEnd(): Promise<string> {
    await this.#when(() => this.ended, 'end');
    return this.text;
  }

  /** Resolves when the other side has ended, reset or closed. */
  async untilOver(): Promise<void> {
    await this.#when(() => this.ended || this.closed, 'end or close');
  }

  async untilClosed(): Promise<void> {
    await this.#when(() => this.closed, 'close');
  }

  #when(satisfied: () => boolean, what: string): Promise<void> {
    if (satisfied()) return Promise.resolve();
    const done = new Promise<void>((resolve) => {
      this.#waiters.add({ satisfied, resolve });
    });
    return within(
      done,
      () => `${what}; ${this.bytes} bytes, ended ${this.ended}, error ${this.error?.code}`,
    );
  }

  #look(): void {
    for (const waiter of this.#waiters) {
      if (!waiter.satisfied()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}

export type Address = { port: number } | { path: string };

/** Connects a raw peer to loopback or to a path. It is destroyed when the test is over. */
export function connectPeer(address: Address): Promise<Peer> {
  const where =
    'path' in address
      ? { path: address.path }
      : { port: address.port, host: '127.0.0.1', noDelay: true };
  const socket = netConnect({ ...where, allowHalfOpen: true });
  const peer = new Peer(socket);
  onTestFinished(() => peer.destroy());
  return within(
    new Promise<Peer>((resolve, reject) => {
      socket.once('connect', () => resolve(peer));
      // A reset that comes at once may be seen before the connect: it was connected then.
      socket.once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET') resolve(peer);
        else reject(error);
      });
    }),
    () => `connect to ${JSON.stringify(address)}`,
  );
}

export function connectPeers(address: Address, count: number): Promise<Peer[]> {
  return Promise.all(Array.from({ length: count }, () => connectPeer(address)));
}

/** A raw server; `next()` gives its connections one by one. */
export class PeerServer {
  readonly port: number;
  readonly #arrived: Peer[] = [];
  readonly #waiting: ((peer: Peer) => void)[] = [];

  private constructor(server: Server) {
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => {
      const peer = new Peer(socket);
      const waiting = this.#waiting.shift();
      if (waiting) waiting(peer);
      else this.#arrived.push(peer);
    });
  }

  static async listen({ pauseOnConnect = false } = {}): Promise<PeerServer> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return new PeerServer(server);
  }

  async next(): Promise<Peer> {
    const peer = this.#arrived.shift() ?? (await this.#arrival());
    onTestFinished(() => peer.destroy());
    return peer;
  }

  #arrival(): Promise<Peer> {
    const arrival = new Promise<Peer>((resolve) => this.#waiting.push(resolve));
    return within(arrival, () => 'a connection');
  }
}
