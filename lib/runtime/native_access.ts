// The addon's functions for who may connect to a listener: see native/binding/access.cc.

export interface NativeAccess {
  /** Whether it is an address, or a network in CIDR form. */
  isNetwork(rule: string): boolean;
  /** Limits: UINT32_MAX is none, of connectsMax it is 0. */
  setAccess(
    endpointId: number,
    allow: readonly string[],
    deny: readonly string[],
    perAddressMax: number,
    connectsMax: number,
    windowMs: number,
    banMs: number,
    addressesMax: number,
    ipv6Bits: number,
  ): void;
  /** False: it is no address. */
  banAddress(endpointId: number, address: string, ms: number): boolean;
  /** Whether it was banned. */
  unbanAddress(endpointId: number, address: string): boolean;
  /** Denied, banned, crowded; bans that hold, addresses whose rate is known. */
  accessCounts(endpointId: number): [number, number, number, number, number] | undefined;
}
