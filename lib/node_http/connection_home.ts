// What the socket of a connection asks of it.
import { later } from '../later.js';
import type { PathAddress, SocketAddress } from '../runtime/native.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Connection } from '../tcp/connection.js';
import { Flag, OVER } from '../tcp/connection_state.js';
import type { SocketHome } from './socket.js';

export abstract class ConnectionHome implements SocketHome {
  readonly connection: Connection;
  readonly loop: Runtime;
  readonly slot: number;
  readonly generation: number;
  /** It is closed. */
  gone = false;
  /** Somebody else reads and writes it. */
  detached = false;
  #afterClose: (() => void)[] | undefined = undefined;
  /** Hears that our FIN has left. */
  #ending: (() => void) | undefined = undefined;
  #referenced = true;
  #reads = true;

  constructor(loop: Runtime, connection: Connection) {
    this.loop = loop;
    this.connection = connection;
    this.slot = connection._slot;
    this.generation = connection._generation;
  }

  abstract readonly httpMessage: unknown;
  abstract resumeBody(): void;

  get connectionBytesRead(): number {
    return this.connection.bytesRead;
  }
  get connectionBytesWritten(): number {
    return this.connection.bytesWritten;
  }

  address(remote: boolean): SocketAddress | undefined {
    const found: SocketAddress | PathAddress | undefined = this.loop.native.address(
      this.slot,
      this.generation,
      remote,
    );
    return found !== undefined && 'port' in found ? found : undefined;
  }

  setNoDelay(on: boolean): void {
    if (!this.gone) this.connection.setNoDelay(on);
  }
  setKeepAlive(on: boolean, milliseconds: number): void {
    if (!this.gone) this.connection.setKeepAlive(on ? milliseconds || true : false);
  }
  reference(on: boolean): void {
    this.#referenced = on;
    this.#refer();
  }
  /** As with libuv: what does not read keeps the process alive only while it writes. */
  #refer(): void {
    if (this.gone) return;
    if (this.#referenced && this.#reads) this.connection.ref();
    else this.connection.unref();
  }
  protected go(): void {
    this.connection.resume();
    if (this.#reads) return;
    this.#reads = true;
    this.#refer();
  }
  protected stop(): void {
    this.connection.pause();
    if (!this.#reads) return;
    this.#reads = false;
    this.#refer();
  }
  startReading(): void {
    this.resumeBody();
  }
  stopReading(): void {
    if (!this.gone) this.stop();
  }

  writeRaw(data: string | Uint8Array, encoding: BufferEncoding | ''): void {
    if (this.connection._flags & (OVER | Flag.ending)) return;
    const plain =
      typeof data !== 'string' || encoding === '' || encoding === 'utf8' || encoding === 'utf-8';
    this.connection._send(this.loop, plain ? data : Buffer.from(data as string, encoding));
  }

  whenRoom(then: (error?: Error) => void): boolean {
    if (this.connection._belowMark()) return true;
    const gone = () => then(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    this.connection.drained().then(() => then(), gone);
    return false;
  }

  endWriting(then: () => void): void {
    if (this.gone) {
      then();
      return;
    }
    const ended = () => {
      if (this.#ending !== ended) return;
      this.#ending = undefined;
      then();
    };
    this.#ending = ended;
    this.connection.shutdown().then(ended, ended);
  }

  /** Our FIN was on its way when the connection closed. True: 'finish' comes in this tick. */
  protected finishEnding(): boolean {
    const ending = this.#ending;
    ending?.();
    return ending !== undefined;
  }

  closeNow(reset: boolean, then: () => void): void {
    if (this.gone) {
      later(then);
      return;
    }
    this.#afterClose ??= [];
    this.#afterClose.push(then);
    // As with libuv, the kernel has taken what it takes by the time of the closing.
    if (!reset && this.connection.pendingBytes > 0) this.loop.native.flush();
    if (reset) this.connection.reset();
    else if (this.connection._flags & Flag.ending) this.connection.close();
    else this.connection.destroy();
  }

  /** Whoever has closed it hears that it is closed; false: nobody has. */
  protected tellClosed(): boolean {
    const after = this.#afterClose;
    this.#afterClose = undefined;
    if (after === undefined) return false;
    for (const run of after) run();
    return true;
  }

  protected command(kind: number): void {
    this.loop.command(kind, this.slot, this.generation);
  }
}
