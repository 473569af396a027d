// The parts of a socket's address; that of a Unix socket has none of them.
import type { PathAddress, SocketAddress } from '../runtime/native.js';

type Address = SocketAddress | PathAddress | undefined;

export function addressOf(address: Address): string | undefined {
  return address !== undefined && 'address' in address ? address.address : undefined;
}

export function portOf(address: Address): number | undefined {
  return address !== undefined && 'port' in address ? address.port : undefined;
}

export function familyOf(address: Address): 'IPv4' | 'IPv6' | undefined {
  return address !== undefined && 'family' in address ? address.family : undefined;
}
