// What an http.Server has for a handle while it listens natively: in the shape of libuv's.
import { chmodSync } from 'node:fs';
import { later } from '../later.js';
import type { Host } from './host.js';

const IPV6_ONLY = 1;
const UV_READABLE = 1;
const UV_WRITABLE = 2;

export class ListenHandle {
  readonly #host: Host;
  readonly #address: string | null;
  readonly #port: number;
  readonly #isPath: boolean;
  readonly #flags: number;
  readonly #strict: boolean;
  #referenced = true;
  onconnection: unknown = undefined;
  /** Absent for a path, whose name the server itself has. */
  getsockname: ((out: Record<string, unknown>) => number) | undefined;

  constructor(
    host: Host,
    address: string | null,
    port: number,
    addressType: number,
    flags: number,
    strict: boolean,
  ) {
    this.#host = host;
    this.#address = address;
    this.#port = port;
    this.#isPath = addressType === -1;
    this.#flags = flags;
    this.#strict = strict;
    if (!this.#isPath) this.getsockname = (out) => this.#describe(out);
  }

  get fd(): number {
    return -1;
  }

  /** 0, or the negative number of the error. */
  listen(backlog: number): number {
    const ipv6Only = (this.#flags & IPV6_ONLY) !== 0;
    const port = { port: this.#port, ipv6Only };
    const where = this.#isPath
      ? { path: this.#address }
      : { ...port, host: this.#address || undefined };
    try {
      this.#host.listen(where, backlog, this.#strict);
      return 0;
    } catch (error) {
      const { errno } = error as { errno?: number };
      if (typeof errno !== 'number') throw error;
      return -Math.abs(errno);
    }
  }

  #describe(out: Record<string, unknown>): number {
    if (!this.#host.listens) return -9; // EBADF
    const { address } = this.#host;
    if (!('port' in address)) return -9;
    out.address = address.address;
    out.family = address.address?.includes(':') ? 'IPv6' : 'IPv4';
    out.port = address.port;
    return 0;
  }

  fchmod(mode: number): number {
    const all = (mode & UV_READABLE ? 0o444 : 0) | (mode & UV_WRITABLE ? 0o222 : 0);
    chmodSync(this.#address as string, 0o600 | all);
    return 0;
  }

  close(then?: () => void): void {
    this.#host.stopListening();
    if (then !== undefined) later(then);
  }
  ref(): void {
    this.#referenced = true;
    this.#host.reference(true);
  }
  unref(): void {
    this.#referenced = false;
    this.#host.reference(false);
  }
  hasRef(): boolean {
    return this.#referenced;
  }
}
