// Where a Socket of node:dgram can be given a handle of ours: private members, whose names are the
// same from Node 20 to 26. They are looked for before they are relied on.
import dgram from 'node:dgram';
import { demand, symbolOf } from '../node_seams.js';

/** What Node keeps of a socket. */
export interface State {
  handle: NodeHandle | null;
  bindState: number;
  connectState: number;
}

/** What Node calls of a handle before it is bound. */
export interface NodeHandle {
  lookup: unknown;
  close(): void;
  open(fd: number): number;
  [member: string | symbol]: unknown;
}

export interface NodeDatagramSocket extends dgram.Socket {
  readonly type: string;
  [member: symbol]: unknown;
}

export interface Seams {
  /** Of a socket: its State. */
  state: symbol;
  /** Of a handle: whose it is. */
  owner: symbol;
}

/** What node:dgram calls of a handle; without one of them it would fail in the middle. */
const CALLED = [
  ...['bind', 'connect', 'disconnect', 'send', 'recvStart', 'recvStop', 'close', 'open'],
  ...['getsockname', 'getpeername', 'bufferSize', 'getAsyncId', 'ref', 'unref', 'hasRef'],
  ...['setBroadcast', 'setTTL', 'setMulticastTTL', 'setMulticastLoopback'],
  ...['setMulticastInterface', 'addMembership', 'dropMembership'],
  ...['addSourceSpecificMembership', 'dropSourceSpecificMembership'],
  ...['getSendQueueSize', 'getSendQueueCount'],
];

/**
 * Looks at a socket that is never bound.
 * @throws SeamMissing
 */
export function findSeams(): Seams {
  const probe = dgram.createSocket('udp4') as NodeDatagramSocket;
  try {
    const state = symbolOf(probe, 'state symbol', 'state of a datagram socket');
    const { handle, bindState, connectState } = probe[state] as State;
    demand(typeof handle === 'object' && handle !== null, "handle in a datagram socket's state");
    demand(
      bindState === 0 && connectState === 0,
      'bindState and connectState of a datagram socket',
    );
    demand(typeof handle.lookup === 'function', "datagram handle's lookup");
    const owner = symbolOf(handle, 'owner_symbol', "datagram handle's owner");
    demand(handle[owner] === probe, "datagram handle's owner");
    for (const name of CALLED) demand(typeof handle[name] === 'function', `handle.${name}`);
    return { state, owner };
  } finally {
    probe.close();
  }
}
