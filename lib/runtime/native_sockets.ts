// The addon's functions for sockets from elsewhere, options of sockets, and handles: see
// native/binding/sockets.cc.

import type { PathAddress, SocketAddress } from './native_addresses.js';
import type { NativeTlsSettings } from './native_tls_sessions.js';

/** In the order of native code's SocketOption. */
export const enum SocketOption {
  sendBuffer = 0,
  receiveBuffer = 1,
  keepAliveInterval = 2,
  keepAliveCount = 3,
  userTimeout = 4,
  typeOfService = 5,
}
export const SOCKET_OPTION_COUNT = 6;

export interface NativeSockets {
  /** A descriptor, or the negative errno. Port -1: `hostOrPath` is a path. */
  bindSocket(hostOrPath: string, port: number, ipv6Only: boolean): number;
  /** One datagram; a name that begins with NUL is abstract. 0, or -errno. */
  tellUnixSocket(path: string, text: string): number;
  /** One of bindSocket() or release(). */
  closeSocket(fd: number): void;
  socketName(fd: number): SocketAddress | PathAddress | undefined;
  /** A descriptor of the caller's, or -errno. */
  duplicateSocket(fd: number): number;
  /** Takes a connected socket; the answer is in the control block. */
  adopt(
    fd: number,
    idleTimeoutMs: number,
    hint: number,
    handles: boolean,
    tls: NativeTlsSettings | undefined,
  ): void;
  /** -1: it is over. */
  descriptor(slot: number, generation: number): number;
  listenerDescriptor(endpointId: number): number;
  /**
   * Ends the connection but not its socket, which is the caller's: a descriptor, or -errno. What
   * was received and not told comes behind `received`.
   */
  release(slot: number, generation: number, received: Uint8Array[]): number;
  /** 0: an event of Event.left follows, behind all that was received. Or -errno. */
  letGo(slot: number, generation: number): number;
  /** After Event.left: it goes on here. */
  stay(slot: number, generation: number): void;
  setSocketOption(slot: number, generation: number, option: number, value: number): number;
  setConnectionReferenced(slot: number, generation: number, on: boolean): void;
  setListenerReferenced(endpointId: number, on: boolean): void;
  /** Events of `readable` take the place of those of data. False: not by its route. */
  tellReadable(slot: number, generation: number, on: boolean): boolean;
  /** How many bytes were read; 0 also when an event tells why there are none. */
  readInto(slot: number, generation: number, into: Uint8Array): number;
}
