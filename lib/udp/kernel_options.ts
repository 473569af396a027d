// Options of a datagram socket that the kernel keeps, and its multicast groups.
import { net } from '../builtins.js';
import { invalidArgValue } from '../errors.js';
import { type NativeLoop, native } from '../runtime/native.js';
import { systemError } from '../runtime/system_error.js';

/** Native code's numbers, see udp_socket.h. */
export const enum UdpOption {
  broadcast = 0,
  hops = 1,
  multicastHops = 2,
  multicastLoop = 3,
  trafficClass = 4,
  receiveBuffer = 5,
  sendBuffer = 6,
}

const SETSOCKOPT = 8;

/** Which socket of native code's. */
export interface Name {
  readonly _slot: number;
  readonly _generation: number;
}

function check(result: number): void {
  if (result < 0) throw systemError(-result, SETSOCKOPT);
}

export function setOption({ _slot, _generation }: Name, option: UdpOption, value: number): void {
  check(native().udpSetOption(_slot, _generation, option, value));
}

export function getOption({ _slot, _generation }: Name, option: UdpOption): number {
  const value = native().udpOption(_slot, _generation, option);
  check(value);
  return value;
}

function checkIp(name: string, value: unknown): string {
  const isIp = typeof value === 'string' && net().isIP(value.replace(/%.*$/, '')) !== 0;
  if (!isIp) throw invalidArgValue(name, 'an IP address', value);
  return value;
}

export function setMulticastInterface(name: Name, address: string | undefined): void {
  const given = address === undefined ? '' : checkIp('address', address);
  check(native().udpMulticastInterface(name._slot, name._generation, given));
}

export function changeMembership(
  name: Name,
  join: boolean,
  group: string,
  source: string | undefined,
  address: string | undefined,
): void {
  const loop: NativeLoop = native();
  const from = source === undefined ? '' : checkIp('source', source);
  const on = address === undefined ? '' : checkIp('interfaceAddress', address);
  const checked = checkIp('group', group);
  check(loop.udpMembership(name._slot, name._generation, join, checked, from, on));
}
