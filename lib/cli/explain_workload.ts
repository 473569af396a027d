// What `ringpoll explain` lets run when it is given no program: messages and reads by every route
// that this loop has, for a fraction of a second, so that its tables hold costs of this machine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '../fs/index.js';
import {
  type Chunk,
  type Connection,
  connect,
  type Listener,
  Loop,
  listen,
  type RouteName,
} from '../index.js';

const PAIRS = 8;
const MESSAGE_BYTES = [64, 16 * 1024];
const EXCHANGE_MS = 80;
/** On a busy machine it goes on until so many have come: costs are sampled. */
const EXCHANGED_MIN = 1000;
const EXCHANGE_MS_MAX = 2000;
const FILE_BYTES = 4096;
const READS = 400;

const turn = () => new Promise(setImmediate);

/** Connections to this process itself, whose ends send back what they get. */
class Conversation {
  readonly #ends: Connection[] = [];
  #bytesUnderWay = 0;
  #exchanged = 0;
  #over = true;

  readonly #handlers = {
    open: (connection: Connection) => {
      this.#ends.push(connection);
    },
    data: (connection: Connection, chunk: Chunk) => {
      this.#bytesUnderWay -= chunk.length;
      this.#exchanged++;
      if (!this.#over) this.#send(connection, chunk);
    },
  };

  #send(connection: Connection, bytes: Uint8Array | Chunk): void {
    this.#bytesUnderWay += bytes.length;
    connection.write(bytes);
  }

  async open(): Promise<Listener> {
    const listener = listen({ host: '127.0.0.1', port: 0, ...this.#handlers });
    const { port } = listener.address as { port: number };
    const connecting = { host: '127.0.0.1', port, ...this.#handlers };
    await Promise.all(Array.from({ length: PAIRS }, () => connect(connecting)));
    while (this.#ends.length < 2 * PAIRS) await turn();
    return listener;
  }

  /** Both ends go there: a turn that received by several routes tells nothing of either. */
  async move(route: RouteName): Promise<void> {
    for (const end of this.#ends) end.setRoute(route);
    while (this.#ends.some((end) => end.route !== route)) await turn();
  }

  /** A message of this size goes to and fro on every connection, for a while. */
  async exchange(bytes: number): Promise<void> {
    this.#over = false;
    this.#exchanged = 0;
    const start = performance.now();
    const tookMs = () => performance.now() - start;
    for (let pair = 0; pair < PAIRS; pair++) this.#send(this.#ends[pair], Buffer.alloc(bytes));
    await new Promise((resolve) => setTimeout(resolve, EXCHANGE_MS));
    while (this.#exchanged < EXCHANGED_MIN && tookMs() < EXCHANGE_MS_MAX) await turn();
    this.#over = true;
    while (this.#bytesUnderWay > 0) await turn();
  }

  close(): void {
    for (const end of this.#ends) end.reset();
  }
}

async function messages(): Promise<void> {
  const conversation = new Conversation();
  const listener = await conversation.open();
  for (const [name, { available }] of Object.entries(Loop.current().explain().receive.routes)) {
    if (!available) continue;
    await conversation.move(name as RouteName);
    for (const bytes of MESSAGE_BYTES) await conversation.exchange(bytes);
  }
  conversation.close();
  await listener.stop();
}

async function reads(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-explain-'));
  try {
    const path = join(folder, 'file');
    writeFileSync(path, Buffer.alloc(FILE_BYTES));
    const file = await open(path, 'r');
    const buffer = Buffer.alloc(FILE_BYTES);
    for (const engine of ['auto', 'uring', 'pool'] as const) {
      for (let done = 0; done < READS; done++) await file.read(buffer, { position: 0, engine });
    }
    await file.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Takes half a second, or some seconds on a busy machine. */
export async function exercise(): Promise<void> {
  await messages();
  await reads();
}
