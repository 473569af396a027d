// The response to CONNECT. Any 2xx would tell the peer that a tunnel is open, and that whatever it
// sends next goes there (RFC 9110 section 9.3.6): only upgrade() may say that.
import type { FileHandle } from '../fs/index.js';
import type { Connection } from '../tcp/connection.js';
import { HttpResponse } from './response.js';
import type { Body } from './response_outlet.js';

const NOT_IMPLEMENTED = 501;

/** Has 501 in the place of 2xx. Its request ends the connection, as the parser has decided. */
export class ConnectResponse extends HttpResponse {
  #openNoTunnel(): void {
    if (!this.headersSent && this._status < 300) this._status = NOT_IMPLEMENTED;
  }

  override end(body?: Body, encoding?: undefined, callback?: undefined): void {
    this.#openNoTunnel();
    super.end(body, encoding, callback);
  }

  override write(data: Body, encoding?: undefined, callback?: undefined): boolean {
    this.#openNoTunnel();
    return super.write(data, encoding, callback);
  }

  override flushHead(): void {
    this.#openNoTunnel();
    super.flushHead();
  }

  override _sendRange(file: FileHandle, start: number, length: number): Promise<void> {
    this.#openNoTunnel();
    return super._sendRange(file, start, length);
  }

  override sendWith(
    length: number,
    send: (connection: Connection) => Promise<void>,
  ): Promise<void> {
    this.#openNoTunnel();
    return super.sendWith(length, send);
  }
}
