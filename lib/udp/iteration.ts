// `for await (const packets of socket)`: linear code instead of a handler.
import type { Packet } from './packet.js';

type Packets = readonly Packet[];

interface Waiting {
  resolve(result: IteratorResult<Packets>): void;
  reject(error: Error): void;
}

/** What an iterator asks of its socket. */
export interface Source {
  pause(): void;
  resume(): void;
  close(): unknown;
}

export class PacketIterator implements AsyncIterableIterator<Packets> {
  readonly #socket: Source;
  /** The batch that came without being asked for: the socket is paused then. */
  readonly #held: Packets[] = [];
  #waiting: Waiting[] = [];
  /** What the consumer has had time to see. */
  #lent: Packets[] = [];
  #ended = false;
  #error: Error | undefined;

  constructor(socket: Source) {
    this.#socket = socket;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** @internal */
  data(packets: Packets): void {
    for (const packet of packets) packet._keep();
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#held.push(packets);
      this.#socket.pause();
      return;
    }
    waiting.resolve(this.#lend(packets));
  }

  /** @internal */
  close(error?: Error): void {
    this.#ended = true;
    this.#error ??= error;
    for (const waiting of this.#waiting.splice(0)) {
      if (this.#error === undefined) waiting.resolve({ done: true, value: undefined });
      else waiting.reject(this.#error);
    }
  }

  /** Before the consumer runs: calls of next() in one breath must not end each other's packets. */
  #lend(packets: Packets): IteratorResult<Packets> {
    queueMicrotask(() => this.#lent.push(packets));
    return { done: false, value: packets };
  }

  #takeBack(): void {
    for (const packets of this.#lent.splice(0)) giveBack(packets);
  }

  /** Several calls may wait at once; batches answer them in their order. */
  next(): Promise<IteratorResult<Packets>> {
    this.#takeBack();
    const packets = this.#held.shift();
    if (packets !== undefined) return Promise.resolve(this.#lend(packets));
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    this.#socket.resume();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<Packets>> {
    this.#takeBack();
    for (const packets of this.#held.splice(0)) giveBack(packets);
    if (!this.#ended) this.#socket.close();
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }
}

function giveBack(packets: Packets): void {
  if (packets.length > 0) packets[0]._batch.over = true;
  for (const packet of packets) packet._giveBack();
}
