// The options that servers and clients of WebSocket share, and what native code gets of them.
import { boolean, integer, milliseconds } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, type NamesOf, optionNames } from '../option_names.js';
import { type Agreed, checkDeflate, type Deflate, type DeflateOptions } from './deflate.js';

export interface HeartbeatOptions {
  /**
   * Milliseconds from one ping to the next. Default: 30,000. Pings of several connections leave
   * together, at most a 64th of it later.
   */
  interval?: number;
  /** Milliseconds without a sign of life until the connection counts as dead. Default: 90,000. */
  deadAfter?: number;
  /**
   * 'fixed': a ping each interval. 'lazy': only after an interval without a byte of the peer's, the
   * default. 'ack': as fixed, and only pongs count as a sign of life.
   */
  mode?: 'fixed' | 'lazy' | 'ack';
}

/** Times are in milliseconds, and 0 means no limit. */
export interface SocketOptions {
  /** Bytes of a message that is received, 1 to 2^30: close code 1009 beyond. Default: 16 MB. */
  maxPayload?: number;
  /** permessage-deflate. Default: false. */
  perMessageDeflate?: boolean | DeflateOptions;
  /** Pings by native code, and when the peer counts as dead. Default: true. */
  sendPings?: boolean | HeartbeatOptions;
  /** Without a message of the peer's: it is closed with 1001. Default: 0. */
  idleTimeout?: number;
  /** From our close frame until the peer has answered. Default: 5,000. */
  closeTimeout?: number;
}

/** What only a server has. */
export interface PublishOptions {
  /** Bytes that may wait for a subscriber when a message is published. Default: 1 MB. */
  backpressureLimit?: number;
  /**
   * What a publish does to a subscriber for whom more waits: 'close' ends its connection, 'drop'
   * leaves the message out, 'wait' queues it all the same. Default: 'close'.
   */
  overload?: 'close' | 'drop' | 'wait';
  /** Subscriptions may have `+` for one level and `#` for all further ones. Default: false. */
  wildcards?: boolean;
}

export const PUBLISH: NamesOf<PublishOptions> = {
  backpressureLimit: true,
  overload: true,
  wildcards: true,
};

export interface CheckedPublishOptions {
  limit: number;
  overload: number;
  wildcards: boolean;
}

/** In the order of native code's numbers. */
const OVERLOADS = ['close', 'drop', 'wait'] as const;
const LIMIT = 1024 * 1024;

export function checkPublishOptions(options: PublishOptions, path: string): CheckedPublishOptions {
  const { backpressureLimit, overload = 'close', wildcards } = options;
  const index = OVERLOADS.indexOf(overload);
  if (index < 0) {
    throw invalidArgValue(`${path}.overload`, `one of ${OVERLOADS.join(', ')}`, overload);
  }
  return {
    limit: integer(`${path}.backpressureLimit`, backpressureLimit, 0, MAX_PAYLOAD_MAX, LIMIT),
    overload: index,
    wildcards: boolean(`${path}.wildcards`, wildcards, false),
  };
}

export const SOCKET: NamesOf<SocketOptions> = {
  maxPayload: true,
  perMessageDeflate: true,
  sendPings: true,
  idleTimeout: true,
  closeTimeout: true,
};

export interface CheckedSocketOptions {
  maxPayload: number;
  deflate: Deflate | undefined;
  pingMs: number;
  deadMs: number;
  mode: number;
  idleMs: number;
  closeMs: number;
}

const HEARTBEAT = optionNames<HeartbeatOptions>('sendPings', {
  interval: true,
  deadAfter: true,
  mode: true,
});
/** In the order of native code's numbers. */
const MODES = ['fixed', 'lazy', 'ack'] as const;
const LAZY = 1;
const MAX_PAYLOAD = 16 * 1024 * 1024;
const MAX_PAYLOAD_MAX = 2 ** 30;
const PING_MS = 30_000;
const DEAD_MS = 90_000;
const CLOSE_MS = 5000;

export function checkSocketOptions(options: SocketOptions, path = 'options'): CheckedSocketOptions {
  const { maxPayload, perMessageDeflate, sendPings, idleTimeout, closeTimeout } = options;
  return {
    maxPayload: integer(`${path}.maxPayload`, maxPayload, 1, MAX_PAYLOAD_MAX, MAX_PAYLOAD),
    deflate: checkDeflate(perMessageDeflate, `${path}.perMessageDeflate`),
    ...heartbeat(sendPings, `${path}.sendPings`),
    idleMs: milliseconds(`${path}.idleTimeout`, idleTimeout, 0),
    closeMs: milliseconds(`${path}.closeTimeout`, closeTimeout, CLOSE_MS),
  };
}

function heartbeat(value: unknown, path: string): { pingMs: number; deadMs: number; mode: number } {
  if (value === false) return { pingMs: 0, deadMs: 0, mode: LAZY };
  const given = value === undefined || value === true ? {} : (value as HeartbeatOptions);
  if (typeof given !== 'object' || given === null) {
    throw invalidArgType(path, 'a boolean or an object', value);
  }
  checkOptions(HEARTBEAT, given, path);
  const { mode = 'lazy' } = given;
  const index = MODES.indexOf(mode);
  if (index < 0) {
    throw invalidArgValue(`${path}.mode`, `one of ${MODES.join(', ')}`, mode);
  }
  return {
    pingMs: milliseconds(`${path}.interval`, given.interval, PING_MS),
    deadMs: milliseconds(`${path}.deadAfter`, given.deadAfter, DEAD_MS),
    mode: index,
  };
}

export const enum SettingsFlag {
  client = 1,
  wildcards = 2,
  pingEvents = 4,
  pongEvents = 8,
}

const WORDS = 16;

/** The words of native code's webSocketAccept(). */
export function settingsWords(
  checked: CheckedSocketOptions,
  flags: number,
  agreed: Agreed | undefined,
  publish?: CheckedPublishOptions,
): Uint32Array {
  const words = new Uint32Array(WORDS);
  words[0] = flags | (publish?.wildcards ? SettingsFlag.wildcards : 0);
  words[1] = checked.maxPayload;
  words[2] = checked.pingMs;
  words[3] = checked.deadMs;
  words[4] = checked.mode;
  words[5] = checked.idleMs;
  words[6] = checked.closeMs;
  words[7] = publish?.limit ?? 0;
  words[8] = publish?.overload ?? 0;
  const { deflate } = checked;
  if (agreed === undefined || deflate === undefined) return words;
  words[9] =
    1 |
    (agreed.serverNoContextTakeover ? 2 : 0) |
    (agreed.clientNoContextTakeover ? 4 : 0) |
    (deflate.dedicated ? 8 : 0) |
    (agreed.serverMaxWindowBits << 8) |
    (agreed.clientMaxWindowBits << 12);
  words[10] = deflate.level;
  words[11] = deflate.memLevel;
  words[12] = deflate.threshold;
  return words;
}
