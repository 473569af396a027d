// Handlers that write down what happens to one connection, and let a test wait for it.
import type { Chunk, Connection } from 'ringpoll';

const WAIT_MS_MAX = 20_000;

export type EventName = 'open' | 'data' | 'drain' | 'end' | 'timeout' | 'error' | 'close';

export interface Handlers {
  open?(connection: Connection): unknown;
  data?(connection: Connection, chunk: Chunk): unknown;
  drain?(connection: Connection): unknown;
  end?(connection: Connection): unknown;
  timeout?(connection: Connection): unknown;
  error?(connection: Connection, error: Error): unknown;
  close?(connection: Connection, error?: Error): unknown;
}

interface Waiter {
  satisfied(): boolean;
  resolve(): void;
}

/** Code of an error, as the tests compare it. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** Resolves when `promise` does, and fails with words when that takes too long. */
export async function within<T>(promise: Promise<T>, what: () => string, ms = WAIT_MS_MAX) {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what()}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The life of one connection. With `Recorder.each()` every connection of a listener gets one. */
export class Recorder {
  /** Events in order; data events that follow one another count as one. */
  readonly order: EventName[] = [];
  readonly chunks: Buffer[] = [];
  bytes = 0;
  connection!: Connection;
  error?: Error;
  closeError?: Error;
  readonly #counts = new Map<EventName, number>();
  readonly #waiters = new Set<Waiter>();

  constructor(private readonly handlers: Handlers = {}) {}

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  count(name: EventName): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Resolves when `name` has happened `times` times, which may be long ago. */
  until(name: EventName, times = 1): Promise<void> {
    return this.when(() => this.count(name) >= times, `${name} ${times} times`);
  }

  /** Resolves when so many bytes have been received. */
  received(bytes: number): Promise<void> {
    return this.when(() => this.bytes >= bytes, `${bytes} bytes`);
  }

  /** Resolves when `satisfied` holds, looked at after each event. */
  when(satisfied: () => boolean, what: string): Promise<void> {
    if (satisfied()) return Promise.resolve();
    const done = new Promise<void>((resolve) => {
      this.#waiters.add({ satisfied, resolve });
    });
    return within(done, () => `${what}; seen: ${this.order.join(' ')}, ${this.bytes} bytes`);
  }

  /** Handlers that record, then do what the ones given to the constructor do. */
  get recording(): Required<Handlers> {
    return {
      open: (connection) => {
        this.connection = connection;
        return this.#happened('open', () => this.handlers.open?.(connection));
      },
      data: (connection, chunk) => {
        this.chunks.push(chunk.copy());
        this.bytes += chunk.length;
        return this.#happened('data', () => this.handlers.data?.(connection, chunk));
      },
      drain: (connection) => this.#happened('drain', () => this.handlers.drain?.(connection)),
      end: (connection) => this.#happened('end', () => this.handlers.end?.(connection)),
      timeout: (connection) => this.#happened('timeout', () => this.handlers.timeout?.(connection)),
      error: (connection, error) => {
        this.error = error;
        return this.#happened('error', () => this.handlers.error?.(connection, error));
      },
      close: (connection, error) => {
        this.closeError = error;
        return this.#happened('close', () => this.handlers.close?.(connection, error));
      },
    };
  }

  #happened(name: EventName, handle: () => unknown): unknown {
    if (name !== 'data' || this.order.at(-1) !== 'data') this.order.push(name);
    this.#counts.set(name, this.count(name) + 1);
    try {
      return handle();
    } finally {
      for (const waiter of this.#waiters) {
        if (!waiter.satisfied()) continue;
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
    }
  }
}

/** A recorder for each connection of a listener, in the order of their opening. */
export class Recorders {
  readonly all: Recorder[] = [];
  readonly #waiters: { count: number; resolve(): void }[] = [];

  constructor(private readonly handlers: Handlers = {}) {}

  /** The recorder of connection number `index`, once it is open. */
  async at(index: number): Promise<Recorder> {
    if (this.all.length <= index) {
      const opened = new Promise<void>((resolve) => {
        this.#waiters.push({ count: index + 1, resolve });
      });
      await within(opened, () => `connection ${index}; ${this.all.length} are open`);
    }
    return this.all[index]!;
  }

  get recording(): Required<Handlers> {
    const of = (connection: Connection) => (connection.data as Recorder).recording;
    return {
      open: (connection) => {
        const recorder = new Recorder(this.handlers);
        connection.data = recorder;
        this.all.push(recorder);
        try {
          return recorder.recording.open(connection);
        } finally {
          for (const { count, resolve } of this.#waiters) {
            if (this.all.length >= count) resolve();
          }
        }
      },
      data: (connection, chunk) => of(connection).data(connection, chunk),
      drain: (connection) => of(connection).drain(connection),
      end: (connection) => of(connection).end(connection),
      timeout: (connection) => of(connection).timeout(connection),
      error: (connection, error) => of(connection).error(connection, error),
      close: (connection, error) => of(connection).close(connection, error),
    };
  }
}
