// Who may connect to a listener: networks, a limit by address, bans. Native code asks at accept.
import { INT32_MAX, integer } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { type Runtime, runtime } from '../runtime/runtime.js';

export interface AccessOptions {
  /**
   * Addresses, and networks in CIDR form, that may connect: 1,048,576 at most. Of all that match in
   * both lists the longest prefix decides, and `deny` when they are equal. Default: everybody.
   */
  allow?: readonly string[];
  /** Addresses and networks that may not. Default: none. */
  deny?: readonly string[];
  /** Open connections of one address at a time. Default: no limit. */
  maxPerAddress?: number;
  /** Bans addresses that connect too often. Default: false. */
  ban?: false | BanOptions;
  /** Bits of an IPv6 address that count as one address, 1 to 128. Default: 64. */
  ipv6Prefix?: number;
}

export interface BanOptions {
  /** Connections of one address in `window`, beyond which it is banned. Default: 100. */
  connections?: number;
  /** Milliseconds. Default: 10,000. */
  window?: number;
  /** Milliseconds for which it is banned. Default: 60,000. */
  time?: number;
  /**
   * Addresses that are remembered, and as many bans. Of more, addresses that have not come for the
   * longest time and bans that end first are forgotten. 2 to 1,048,576. Default: 16,384.
   */
  maxAddresses?: number;
}

export interface AccessMetrics {
  /** Connections that were refused by `allow` and `deny`. */
  denied: number;
  /** Those of banned addresses, with the one that brought the ban. */
  banned: number;
  /** Those beyond `maxPerAddress`. */
  crowded: number;
  /** Bans that hold now. */
  bans: number;
  /** Addresses whose rate is remembered now. */
  addresses: number;
}

const OPTIONS = optionNames<AccessOptions>(
  'access',
  { allow: true, deny: true, maxPerAddress: true, ban: true, ipv6Prefix: true },
  { block: 'deny', whitelist: 'allow', blacklist: 'deny' },
);
const BAN = optionNames<BanOptions>('ban', {
  connections: true,
  window: true,
  time: true,
  maxAddresses: true,
});

const RULES_MAX = 2 ** 20;
const ADDRESSES_MAX = 2 ** 20;
const UINT32_MAX = 2 ** 32 - 1;
const NO_BANS = [0, 10_000, 60_000, 16_384] as const;

export interface CheckedAccess {
  allow: readonly string[];
  deny: readonly string[];
  maxPerAddress: number;
  ban: readonly [connections: number, windowMs: number, timeMs: number, maxAddresses: number];
  ipv6Prefix: number;
}

/** @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_..., _OUT_OF_RANGE, _UNKNOWN_OPTION */
export function checkAccess(options: AccessOptions, path = 'options.access'): CheckedAccess {
  checkOptions(OPTIONS, options, path);
  const { ban = false } = options;
  return {
    allow: rulesOf(`${path}.allow`, options.allow),
    deny: rulesOf(`${path}.deny`, options.deny),
    maxPerAddress: integer(
      `${path}.maxPerAddress`,
      options.maxPerAddress,
      1,
      INT32_MAX,
      UINT32_MAX,
    ),
    ban: ban === false ? NO_BANS : banOf(`${path}.ban`, ban),
    ipv6Prefix: integer(`${path}.ipv6Prefix`, options.ipv6Prefix, 1, 128, 64),
  };
}

function banOf(path: string, ban: BanOptions): CheckedAccess['ban'] {
  checkOptions(BAN, ban, path);
  return [
    integer(`${path}.connections`, ban.connections, 1, INT32_MAX, 100),
    integer(`${path}.window`, ban.window, 1, INT32_MAX, 10_000),
    integer(`${path}.time`, ban.time, 1, INT32_MAX, 60_000),
    integer(`${path}.maxAddresses`, ban.maxAddresses, 2, ADDRESSES_MAX, 16_384),
  ];
}

function rulesOf(name: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw invalidArgType(name, 'an array', value);
  if (value.length > RULES_MAX) {
    throw invalidArgValue(name, `of at most ${RULES_MAX} networks`, value);
  }
  const { native } = runtime();
  for (const rule of value) {
    if (typeof rule !== 'string' || !native.isNetwork(rule)) {
      throw invalidArgValue(name, 'made of addresses, or networks in CIDR form', rule);
    }
  }
  return [...value];
}

export function setAccess({ native }: Runtime, endpointId: number, access: CheckedAccess): void {
  const { allow, deny, maxPerAddress, ban, ipv6Prefix } = access;
  native.setAccess(endpointId, allow, deny, maxPerAddress, ...ban, ipv6Prefix);
}

export function banAddress(
  { native }: Runtime,
  endpointId: number,
  address: string,
  ms: number,
): void {
  const time = integer('time', ms, 1, INT32_MAX, 1);
  checkAddress(address);
  native.banAddress(endpointId, address, time);
}

export function unbanAddress({ native }: Runtime, endpointId: number, address: string): boolean {
  checkAddress(address);
  return native.unbanAddress(endpointId, address);
}

function checkAddress(address: unknown): void {
  if (typeof address !== 'string') throw invalidArgType('address', 'a string', address);
  if (address.includes('/') || !runtime().native.isNetwork(address)) {
    throw invalidArgValue('address', 'an IP address', address);
  }
}

export function accessMetrics({ native }: Runtime, endpointId: number): AccessMetrics | undefined {
  const counts = native.accessCounts(endpointId);
  if (counts === undefined) return undefined;
  const [denied, banned, crowded, bans, addresses] = counts;
  return { denied, banned, crowded, bans, addresses };
}
