// Where a datagram goes: an address in the words that native code reads.
import { invalidArgType, invalidArgValue } from '../errors.js';
import { native } from '../runtime/native.js';
import { checkPort } from '../tcp/options.js';
import { DATAGRAM_WORDS, FLAGS_SHIFT, RecordFlag, Word } from './record.js';

export interface Destination {
  /** An IP address; names are not looked up. An IPv6 one may end in %zone. */
  address: string;
  /** 1 to 65535. */
  port: number;
}

/** Addresses that were sent to lately. Beyond it all are forgotten. */
const KNOWN_MAX = 1024;
const known = new Map<string, Int32Array>();

/** The record of an address; `ipv6`: the socket can send to IPv6 addresses. */
export function recordOf(to: Destination, ipv6: boolean): Int32Array {
  if (typeof to !== 'object' || to === null) {
    throw invalidArgType('to', 'a packet, or an object with address and port', to);
  }
  const { address, port } = to;
  const key = `${port} ${address}`;
  const record = known.get(key) ?? remember(key, address, port);
  const isIpv4 = ((record[Word.port] >>> FLAGS_SHIFT) & RecordFlag.ipv4) !== 0;
  if (!isIpv4 && !ipv6) {
    throw invalidArgValue('to.address', 'an IPv4 address, as the socket is an IPv4 one', address);
  }
  return record;
}

function remember(key: string, address: unknown, port: unknown): Int32Array {
  if (typeof address !== 'string') throw invalidArgType('to.address', 'a string', address);
  const checked = checkPort('to.port', port);
  if (checked === 0) throw invalidArgValue('to.port', 'from 1 to 65535', port);
  const record = new Int32Array(DATAGRAM_WORDS);
  const name = address === 'localhost' ? '127.0.0.1' : address;
  if (!native().udpAddress(name, checked, record)) {
    throw invalidArgValue('to.address', 'an IP address', address);
  }
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(key, record);
  return record;
}
