// A connection as a stream of Node: connection.toDuplex().
import type { Duplex } from 'node:stream';
import { stream } from '../builtins.js';
import { INT32_MAX, integer } from '../checks.js';
import { checkOptions, optionNames } from '../option_names.js';
import { runtime } from '../runtime/runtime.js';
import type { Chunk } from './chunk.js';
import { closedBecause } from './closing.js';
import { extraOf, Flag, type Sink } from './connection_state.js';
import { HandlerContext } from './handler_context.js';
import { giveTo, hasEnded, type Source } from './sinks.js';

export interface DuplexOptions {
  /**
   * Received bytes that may wait for their reader before the connection is paused, 1 to 2^31-1.
   * Default: the connection's highWaterMark.
   */
  readableHighWaterMark?: number;
  /** Bytes that may wait before write() answers false, 1 to 2^31-1. Default: the same. */
  writableHighWaterMark?: number;
}

const OPTIONS = optionNames<DuplexOptions>(
  'toDuplex()',
  { readableHighWaterMark: true, writableHighWaterMark: true },
  {
    highWaterMark: 'readableHighWaterMark',
    allowHalfOpen: 'it is an option of listen() and connect()',
    signal: 'it is an option of listen() and connect()',
  },
);

/** A connection as a stream of Node. */
export interface ConnectionDuplex<Connection = unknown> extends Duplex {
  /** The connection whose bytes these are. */
  readonly connection: Connection;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: 'IPv4' | 'IPv6' | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
}

/** A connection, as far as its stream knows it. */
interface Streamed extends Source {
  readonly _endpoint: { readonly allowHalfOpen: boolean; readonly highWaterMark: number };
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: 'IPv4' | 'IPv6' | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  write(data: string | Uint8Array): boolean;
  writev(list: readonly (string | Uint8Array)[]): boolean;
  drained(): Promise<void>;
  shutdown(): Promise<void>;
  destroy(error?: Error): void;
}

type Done = (error?: Error | null) => void;

interface Written {
  chunk: string | Uint8Array;
  encoding: BufferEncoding;
}

function toSend({ chunk, encoding }: Written): string | Uint8Array {
  if (typeof chunk !== 'string' || encoding === 'utf8' || encoding === 'utf-8') return chunk;
  return Buffer.from(chunk, encoding);
}

// A function, because an import of node:stream costs more than all of the package.
function makeClass(Base: typeof Duplex) {
  return class Streaming extends Base {
    readonly connection: Streamed;
    readonly #context = new HandlerContext();
    #ended = false;
    /** Told when the connection is over, by destroy(). */
    #destroyed: (() => void) | undefined;

    constructor(
      connection: Streamed,
      readableHighWaterMark: number,
      writableHighWaterMark: number,
    ) {
      const { allowHalfOpen } = connection._endpoint;
      super({ allowHalfOpen, readableHighWaterMark, writableHighWaterMark, decodeStrings: false });
      this.connection = connection;
      giveTo(connection, this.#sink());
      connection.pause();
      if (connection._flags & Flag.closed) process.nextTick(() => this.#over(undefined));
      else if (hasEnded(connection)) process.nextTick(() => this.#end());
      // As with node:net: the peer's end and errors are seen though nothing reads the stream yet.
      else this.read(0);
    }

    #sink(): Sink {
      const { connection } = this;
      const isOver = () => this.destroyed && (connection._flags & Flag.closed) !== 0;
      return {
        get over() {
          return isOver();
        },
        endsWriting: true,
        data: this.#context.bind((chunk: Chunk) => this.#data(chunk)),
        end: this.#context.bind(() => this.#end()),
        close: this.#context.bind((error?: Error) => this.#over(error)),
      };
    }

    #data(chunk: Chunk): void {
      // A copy: whoever gets it may keep it for good.
      const bytes = chunk.copy();
      chunk._endTurn(runtime().checked);
      if (!this.push(bytes)) this.connection.pause();
    }

    #end(): void {
      this.#ended = true;
      this.push(null);
      // 'end' comes also to those who never read, when there is nothing to read.
      this.read(0);
    }

    #over(error: Error | undefined): void {
      if (this.#destroyed !== undefined) this.#destroyed();
      else if (error !== undefined) this.destroy(error);
      else if (!this.#ended || this.readableEnded) this.destroy();
      // What has come is read first.
      else this.once('end', () => this.destroy());
      this.#context.over();
    }

    override _read(): void {
      this.connection.resume();
    }

    override _write(chunk: string | Uint8Array, encoding: BufferEncoding, done: Done): void {
      this.#sent(() => this.connection.write(toSend({ chunk, encoding })), done);
    }

    override _writev(chunks: Written[], done: Done): void {
      this.#sent(() => this.connection.writev(chunks.map(toSend)), done);
    }

    #sent(write: () => boolean, done: Done): void {
      let mayGoOn: boolean;
      try {
        mayGoOn = write();
      } catch (error) {
        done(error as Error);
        return;
      }
      if (mayGoOn) done();
      else this.#settle(this.connection.drained(), done);
    }

    #settle(result: Promise<void>, done: Done): void {
      const { connection } = this;
      result.catch((error) => closedBecause(connection, error)).then(() => done(), done);
    }

    override _final(done: Done): void {
      this.#settle(this.connection.shutdown(), done);
    }

    override _destroy(error: Error | null, done: Done): void {
      const { connection } = this;
      if (connection._flags & Flag.closed) {
        done(error);
        return;
      }
      this.#destroyed = () => done(error);
      if (error === null && this.writableFinished) connection.close();
      else connection.destroy(error ?? undefined);
    }

    get remoteAddress(): string | undefined {
      return this.connection.remoteAddress;
    }
    get remotePort(): number | undefined {
      return this.connection.remotePort;
    }
    get remoteFamily(): 'IPv4' | 'IPv6' | undefined {
      return this.connection.remoteFamily;
    }
    get localAddress(): string | undefined {
      return this.connection.localAddress;
    }
    get localPort(): number | undefined {
      return this.connection.localPort;
    }
  };
}

let streaming: ReturnType<typeof makeClass> | undefined;

/** @internal */
export function duplexOf(connection: Streamed, options: DuplexOptions): Duplex {
  checkOptions(OPTIONS, options);
  const { highWaterMark } = connection._endpoint;
  const mark = (name: keyof DuplexOptions) =>
    integer(`options.${name}`, options[name], 1, INT32_MAX, highWaterMark);
  const marks = [mark('readableHighWaterMark'), mark('writableHighWaterMark')] as const;
  const extra = extraOf(connection);
  extra.streams ??= {};
  streaming ??= makeClass(stream().Duplex);
  extra.streams.duplex ??= new streaming(connection, ...marks);
  return extra.streams.duplex;
}
