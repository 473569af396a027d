// The addon's functions on groups of threads, and on the calling thread; native/binding/threads.cc.
import type { PathAddress, SocketAddress } from './native_addresses.js';

export interface NativeThreads {
  /** The number of the group; 0: there is no thread for its acceptor. */
  groupOpen(threads: number, balance: number): number;
  /** Returns when those that waited in the kernel's queues are handed over. */
  groupStopAccepting(group: number): void;
  groupClose(group: number): void;
  /** The listener or -1, the errno, and native code's number of the system call. */
  groupListen(
    group: number,
    hostOrPath: string,
    port: number,
    backlog: number,
    reusePort: boolean,
    ipv6Only: boolean,
    noDelay: boolean,
    keepAliveMs: number,
  ): [number, number, number];
  groupAddress(group: number, listener: number): SocketAddress | PathAddress | undefined;
  /** The loop of this thread counts under this number. */
  groupJoin(group: number, thread: number): void;
  /** A descriptor for listen(), or -errno. */
  groupTake(group: number, listener: number, thread: number): number;
  /**
   * Connections that other threads hand over are taken, each for the endpoint of its listener.
   * False: no memory.
   */
  groupServe(group: number, thread: number, endpoints: Uint32Array): boolean;
  /** Not any more, after those that wait. */
  groupLeave(): void;
  /** After Event.left. A Posting, or -errno; after any but `taken` the connection goes on here. */
  groupTransfer(
    group: number,
    thread: number,
    listener: number,
    slot: number,
    generation: number,
    unread: Uint8Array[],
    note: Uint8Array,
  ): number;
  groupCounts(group: number, into: Float64Array): void;
  /** 0, or -errno. */
  pinThread(cpus: Uint32Array): number;
  threadCpus(): Uint32Array;
  /** The kernel's number of the calling thread; 0 where it has none. */
  threadId(): number;
}
