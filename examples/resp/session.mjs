/**
 * One client: requests in, answers out, in step with what the connection can take. It knows the
 * connection only by its methods, so it runs in a test without a socket.
 */

import { ProtocolError, RequestParser } from './protocol.mjs';
import { Reply } from './reply.mjs';

/**
 * What a session needs of a connection.
 * @typedef {object} Output
 * @property {(data: Uint8Array) => boolean} write
 * @property {(data: Uint8Array[]) => boolean} writev
 * @property {() => void} pause
 * @property {() => void} resume
 * @property {() => void} end
 * @property {() => void} close
 */

/** Answers are handed on when this much has gathered, and at the end of every turn. */
const gatheredBytesMax = 64 * 1024;

export class Session {
  name = '';
  closing = false;
  #output;
  #parser;
  #reply = new Reply();
  #blocked = false;
  #ended = false;
  #closed = false;

  /**
   * @param {number} id
   * @param {import('./commands.mjs').Server} server
   * @param {Output} output
   */
  constructor(id, server, output) {
    this.id = id;
    this.server = server;
    this.store = server.store;
    this.#output = output;
    this.#parser = new RequestParser(server.limits);
  }

  /** @param {Buffer} bytes valid until this returns */
  receive(bytes) {
    this.take(bytes);
    this.send();
  }

  /**
   * Answers what the bytes ask for. The last of the answers wait for send().
   * @param {Buffer} bytes valid until this returns
   */
  take(bytes) {
    if (this.closing) return;
    this.#parser.feed(bytes);
    if (!this.#blocked) this.#answer();
    this.#parser.keep();
  }

  /** Hands on the answers that have gathered. */
  send() {
    this.#flush();
    if (!this.closing || this.#closed) return;
    this.#closed = true;
    this.#output.close();
  }

  /** The connection has sent enough of what was pending. */
  drain() {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#answer();
    this.send();
    if (this.#blocked || this.closing) return;
    if (this.#ended) this.#output.end();
    else this.#output.resume();
  }

  /** The client will send no more; what it sent is answered first. */
  end() {
    this.#ended = true;
    if (!this.#blocked && !this.closing) this.#output.end();
  }

  #answer() {
    const { commands } = this.server;
    try {
      while (!this.#blocked && !this.closing) {
        const request = this.#parser.next();
        if (request === null) break;
        commands.execute(request, this.#reply, this);
        if (this.#reply.size >= gatheredBytesMax) this.#flush();
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#reply.error(`ERR ${error.message}`);
      this.closing = true;
    }
  }

  #flush() {
    if (this.#reply.size === 0) return;
    const parts = this.#reply.take();
    const room = parts.length === 1 ? this.#output.write(parts[0]) : this.#output.writev(parts);
    if (room || this.#blocked) return;
    this.#blocked = true;
    this.#output.pause();
  }
}
