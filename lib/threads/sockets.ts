// The listening sockets of a group. They belong to the process, not to a thread.
import { invalidArgValue } from '../errors.js';
import {
  type NativeLoop,
  native,
  type PathAddress,
  type SocketAddress,
} from '../runtime/native.js';
import { systemError } from '../runtime/system_error.js';
import type { Place } from './messages.js';
import { BALANCES, type Balance } from './options.js';

const ENOTHREAD = 11;
const SYSCALL_NONE = 0;
/** Numbers of one thread in groupCounts(); native/binding/threads.cc. */
const COUNTS = 6;
const COUNTS_OF_ACCEPTOR = 2;

export interface Counts {
  /** Open connections of the thread's loop. */
  connections: number;
  /** Accepted connections that the thread has not taken yet. With 'queue' all threads' together. */
  waiting: number;
  /** Connections that the thread got. */
  accepted: number;
  /** Turns of the thread's loop. */
  turns: number;
  /** Milliseconds since the turn that goes on has begun; 0: the thread waits. */
  turnAge: number;
}

export class GroupSockets {
  readonly id: number;
  readonly #native: NativeLoop = native();
  readonly #threads: number;
  readonly #balance: Balance;
  /** Native code's numbers, by the module's. */
  readonly #listeners = new Map<number, number>();
  readonly #addresses: (SocketAddress | PathAddress)[] = [];
  #over = false;

  constructor(threads: number, balance: Balance) {
    this.#threads = threads;
    this.#balance = balance;
    this.id = this.#native.groupOpen(threads, BALANCES.indexOf(balance));
    if (this.id === 0) throw systemError(ENOTHREAD, SYSCALL_NONE);
  }

  get addresses(): readonly (SocketAddress | PathAddress)[] {
    return this.#addresses;
  }

  /** The listener of the module that has this index; its sockets are opened by the first thread. */
  open(index: number, place: Place): number {
    const known = this.#listeners.get(index);
    if (known !== undefined) return known;
    if (place.port < 0 && this.#balance === 'reuseport') {
      throw invalidArgValue(
        'options.path',
        "left out with balance 'reuseport': Unix sockets cannot share a path",
        place.names[0],
      );
    }
    let refused: Error | undefined;
    for (const name of place.names) {
      const { backlog, reusePort, ipv6Only, noDelay, keepAliveMs } = place;
      const [listener, errno, syscall] = this.#native.groupListen(
        ...([this.id, name, place.port, backlog] as const),
        ...([reusePort, ipv6Only, noDelay, keepAliveMs] as const),
      );
      if (listener >= 0) {
        this.#listeners.set(index, listener);
        const address = this.#native.groupAddress(this.id, listener) ?? { path: name };
        this.#addresses[index] = address;
        return listener;
      }
      const target = place.port < 0 ? { path: name } : { host: name, port: place.port };
      refused = systemError(errno, syscall, target);
      const { code } = refused as NodeJS.ErrnoException;
      if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') break;
    }
    throw refused;
  }

  #numbers(): Float64Array {
    const numbers = new Float64Array(this.#threads * COUNTS + COUNTS_OF_ACCEPTOR);
    if (!this.#over) this.#native.groupCounts(this.id, numbers);
    return numbers;
  }

  counts(): Counts[] {
    const of = this.#numbers();
    return Array.from({ length: this.#threads }, (_, i) => {
      const [connections, waiting, accepted, turns, turnAge] = of.subarray(i * COUNTS);
      return { connections, waiting, accepted, turns, turnAge };
    });
  }

  /** Connections that the acceptor has accepted, and its failures. */
  acceptor(): { accepted: number; failed: number } {
    const [accepted, failed] = this.#numbers().subarray(this.#threads * COUNTS);
    return { accepted, failed };
  }

  /** Who waits in the kernel's queue of the acceptor is handed to the threads. */
  stopAccepting(): void {
    this.#native.groupStopAccepting(this.id);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#native.groupClose(this.id);
  }
}
