// Addresses, as the addon gives them.

export interface SocketAddress {
  address: string;
  port: number;
  family: 'IPv4' | 'IPv6';
}

export interface PathAddress {
  path: string;
}
