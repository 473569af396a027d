// A stream that passes what is written on in small pieces, each in a turn of its own: what reads at
// the other end gets records in parts, and parts of several at once.
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** So many bytes go one, two or three at a time: a handshake, and the first records. */
const FINE_BYTES = 1500;
const FINE_MAX = 3;
const COARSE_MAX = 20_000;

export class Split extends Duplex {
  readonly #socket: Socket;
  #written = 0;
  #state = 1;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (bytes) => {
      if (!this.push(bytes)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    let at = 0;
    const next = (error?: Error | null) => {
      if (error || at === bytes.length) return done(error);
      const piece = bytes.subarray(at, at + this.#size());
      at += piece.length;
      this.#written += piece.length;
      this.#socket.write(piece, (failure) => setImmediate(next, failure));
    };
    next();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (!this.#socket.destroyed) this.#socket.destroy();
    done(error);
  }

  /** Different from piece to piece, and the same in each run. */
  #size(): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    const most = this.#written < FINE_BYTES ? FINE_MAX : COARSE_MAX;
    return 1 + ((this.#state >>> 8) % most);
  }
}
