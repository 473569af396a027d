// Requests as fast as a server of HTTP/1.1 answers them, over connections that are kept.
import { type Connection, connect } from '../index.js';
import { Failure } from './command.js';
import { ResponseReader } from './response_reader.js';

export interface LoadOptions {
  host: string;
  port: number;
  path: string;
  connections: number;
  /** Requests at once on each connection. */
  depth: number;
}

export class HttpLoad {
  /** Responses that are complete. */
  answered = 0;
  readonly #options: LoadOptions;
  readonly #request: string;
  readonly #open = new Set<Connection>();
  #over = false;

  private constructor(options: LoadOptions) {
    const { host, port, path } = options;
    const name = host.includes(':') ? `[${host}]` : host;
    this.#options = options;
    this.#request = `GET ${path} HTTP/1.1\r\nHost: ${name}:${port}\r\n\r\n`;
  }

  /** @throws Failure when the path is not answered well */
  static async start(options: LoadOptions): Promise<HttpLoad> {
    const load = new HttpLoad(options);
    try {
      // Whether it is answered at all is found out by one.
      await load.#connect();
      const others = Array.from({ length: options.connections - 1 }, () => load.#connect());
      await Promise.all(others);
    } catch (error) {
      load.stop();
      throw error;
    }
    return load;
  }

  /** Resolves with the first answer. */
  async #connect(): Promise<void> {
    const { host, port, path, depth } = this.#options;
    const reader = new ResponseReader();
    let fail: (error: Error) => void = () => {};
    let answer: () => void = () => {};
    const first = new Promise<void>((resolve, reject) => {
      answer = resolve;
      fail = reject;
    });
    const failed = (why: string) => fail(new Failure(`GET ${path} on port ${port} ${why}`));
    const connection = await connect({
      host,
      port,
      data: (own, chunk) => {
        const done = reader.take(chunk.bytes);
        if (reader.problem !== undefined) {
          failed(reader.problem);
          own.destroy();
          return;
        }
        if (done === 0) return;
        answer();
        this.answered += done;
        if (!this.#over) own.write(this.#request.repeat(done));
      },
      error: () => {},
      close: (own) => {
        failed('is not answered: the connection was closed');
        // A server may end a kept connection whenever it likes.
        if (this.#open.delete(own) && !this.#over) this.#connect().catch(() => {});
      },
    });
    connection.write(this.#request.repeat(depth));
    await first;
    if (this.#over) connection.destroy();
    else this.#open.add(connection);
  }

  stop(): void {
    this.#over = true;
    for (const connection of this.#open) connection.destroy();
    this.#open.clear();
  }
}
