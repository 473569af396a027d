// Options of sockets that the kernel keeps.
import { INT32_MAX, integer } from '../checks.js';
import type { NamesOf } from '../option_names.js';
import { SOCKET_OPTION_COUNT, SocketOption } from '../runtime/native_sockets.js';

export interface SocketOptions {
  /** Bytes that the kernel may keep for sending (SO_SNDBUF), 1 to 2^31-1. It may take fewer. */
  sendBufferSize?: number;
  /** Bytes that the kernel may keep for receiving (SO_RCVBUF), 1 to 2^31-1. It may take fewer. */
  receiveBufferSize?: number;
  /**
   * Milliseconds between two probes of keepAlive, 1 to 32,767,000, in whole seconds and at least
   * one. Default: the system's, 75,000 on Linux.
   */
  keepAliveInterval?: number;
  /** Probes without an answer that end the connection, 1 to 127. Default: the system's. */
  keepAliveCount?: number;
  /**
   * Milliseconds in which the peer must acknowledge what was sent, or the connection fails with
   * ETIMEDOUT; 0 leaves it to the system, the default. Linux; elsewhere it does nothing.
   */
  userTimeout?: number;
  /** The byte that routers may look at (IP_TOS, IPV6_TCLASS), 0 to 255. Default: 0. */
  typeOfService?: number;
}

/** Native code's number, the least and the most. */
const RANGES: Record<keyof SocketOptions, [SocketOption, number, number]> = {
  sendBufferSize: [SocketOption.sendBuffer, 1, INT32_MAX],
  receiveBufferSize: [SocketOption.receiveBuffer, 1, INT32_MAX],
  keepAliveInterval: [SocketOption.keepAliveInterval, 1, 32_767_000],
  keepAliveCount: [SocketOption.keepAliveCount, 1, 127],
  userTimeout: [SocketOption.userTimeout, 0, INT32_MAX],
  typeOfService: [SocketOption.typeOfService, 0, 255],
};
const NAMES = Object.keys(RANGES) as (keyof SocketOptions)[];

export const SOCKET: NamesOf<SocketOptions> = {
  sendBufferSize: true,
  receiveBufferSize: true,
  keepAliveInterval: true,
  keepAliveCount: true,
  userTimeout: true,
  typeOfService: true,
};

/** As native code takes them, -1 for what is left to the system; undefined: all of it. */
export function checkSocketOptions(options: SocketOptions): Int32Array | undefined {
  let checked: Int32Array | undefined;
  for (const name of NAMES) {
    if (options[name] === undefined) continue;
    const [option, least, most] = RANGES[name];
    checked ??= new Int32Array(SOCKET_OPTION_COUNT).fill(-1);
    checked[option] = integer(`options.${name}`, options[name], least, most, least);
  }
  return checked;
}
