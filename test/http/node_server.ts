// A node:http server with its default, strict settings that remembers what it understood.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

const CONNECTION_MS_MAX = 5_000;

export interface NodeMessage {
  method: string;
  target: string;
  rawHeaders: string[];
  body: string;
  rawTrailers: string[];
  complete: boolean;
}

export interface NodeOutcome {
  messages: NodeMessage[];
  /** llhttp's code, if it refused something. */
  error?: string;
}

export class NodeServer {
  readonly #server: Server;
  // By the port of the peer: both ends live in this process.
  readonly #outcomes = new Map<number, NodeOutcome>();

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#take(request, () => response.end());
    });
    // Without this listener Node would answer 417 by itself.
    this.#server.on('checkExpectation', (request, response) => {
      this.#take(request, () => response.end());
    });
    this.#server.on('connect', (request: IncomingMessage, socket: Socket) => {
      this.#take(request, () => socket.destroy());
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const outcome = this.#of(socket);
      outcome.error ??= error.code ?? error.message;
      // Not at once: what was parsed before the error still has to be read.
      setImmediate(() => socket.destroy());
    });
  }

  static async start(): Promise<NodeServer> {
    const server = new NodeServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Sends `input` on a connection of its own, ends it, and says what Node made of it. */
  send(input: string): Promise<NodeOutcome> {
    const { port } = this.#server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      let localPort = 0;
      socket.setTimeout(CONNECTION_MS_MAX, () => {
        socket.destroy(new Error(`Node left a connection open: ${JSON.stringify(input)}`));
      });
      socket.once('connect', () => {
        localPort = socket.localPort ?? 0;
        this.#outcomes.set(localPort, { messages: [] });
        socket.end(Buffer.from(input, 'latin1'));
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        // Node is free to reset after an error.
        if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
      });
      socket.once('close', () => {
        const outcome = this.#outcomes.get(localPort) ?? { messages: [] };
        this.#outcomes.delete(localPort);
        resolve(outcome);
      });
      socket.resume();
    });
  }

  #of(socket: Socket): NodeOutcome {
    return this.#outcomes.get(socket.remotePort ?? 0) ?? { messages: [] };
  }

  #take(request: IncomingMessage, done: () => void): void {
    const { method = '', url = '', rawHeaders } = request;
    const message: NodeMessage = {
      ...{ method, target: url, rawHeaders: [...rawHeaders] },
      ...{ body: '', rawTrailers: [], complete: false },
    };
    this.#of(request.socket).messages.push(message);
    request.setEncoding('latin1');
    request.on('data', (text: string) => {
      message.body += text;
    });
    request.on('error', () => {});
    request.on('end', () => {
      message.complete = request.complete;
      message.rawTrailers = [...request.rawTrailers];
      done();
    });
    if (method === 'CONNECT') {
      message.complete = true;
      done();
    }
  }
}
