// bind() and connect(): datagram sockets, and their options.
import { boolean, integer } from '../checks.js';
import { invalidArgValue } from '../errors.js';
import { checkOptions, type NamesOf, optionNames } from '../option_names.js';
import { Control } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { bindToOne, type Place, placeOf } from '../tcp/listen_address.js';
import { checkEngine, checkFunctions, checkPort } from '../tcp/options.js';
import { setOption, UdpOption } from './kernel_options.js';
import { type UdpHandlers, UdpSocket } from './socket.js';
import './events.js';

const QUEUED_BYTES_DEFAULT = 1024 * 1024;
const BYTES_MAX = 2 ** 31 - 1;
const RECEIVED_BYTES_MAX = 65_535;
const BYTE_MAX = 255;
const PORT_MAX = 65_535;

interface UdpOptions extends UdpHandlers {
  /** Share the address with other sockets of this machine (SO_REUSEADDR). Default: false. */
  reuseAddress?: boolean;
  /** Share the port: the kernel spreads senders over the sockets (SO_REUSEPORT). Default: false. */
  reusePort?: boolean;
  /** Bytes that may wait for the kernel, 64 for each datagram included. Default: 1,048,576. */
  maxQueuedBytes?: number;
  /** Bytes of a datagram that are received, 1 to 65,535; the rest is cut off. Default: 65,535. */
  maxPacketBytes?: number;
  /** Bytes of the kernel's buffers. Default: the system's; it caps what is asked for. */
  receiveBuffer?: number;
  sendBuffer?: number;
  /** Lets it send to broadcast addresses. Default: false. */
  broadcast?: boolean;
  /** Hops that a datagram may make, 1 to 255. Default: the system's. */
  ttl?: number;
  /** Traffic class of what it sends, 0 to 255: six bits of DSCP, two of ECN. Default: 0. */
  trafficClass?: number;
  /** Tell of each packet to which of our addresses it was sent, and by which interface (Linux). */
  packetInfo?: boolean;
  /** Tell of each packet its traffic class, and so its ECN bits (Linux). */
  receiveTrafficClass?: boolean;
  /** Tell of each packet how many hops it might still have made (Linux). */
  receiveTtl?: boolean;
  /** UDP_GRO (Linux): datagrams of one sender may come as one packet; see `segmentSize`. */
  coalesce?: boolean;
  /** UDP_SEGMENT (Linux): an answer to a packet that was coalesced is cut up in the same way. */
  segment?: boolean;
  /** Which engine waits for it: 'auto' (default), 'uring' or 'poll'. */
  engine?: 'auto' | 'uring' | 'poll';
  /** Destroys the socket when it aborts. */
  signal?: AbortSignal;
}

export interface BindOptions extends UdpOptions {
  /**
   * An IP address of this machine, 'localhost' (127.0.0.1), or a name. Default: '::', which takes
   * IPv4 too, or '0.0.0.0' where there is no IPv6.
   */
  host?: string;
  /** 0 to 65535; 0, the default, lets the system choose. */
  port?: number;
  /** With host '::', the default: leave IPv4 alone. Default: false. */
  ipv6Only?: boolean;
}

export interface UdpConnectOptions extends UdpOptions {
  /** The peer's IP address, 'localhost' (127.0.0.1), or a name. */
  host: string;
  /** 1 to 65535. */
  port: number;
  /** An IP address of this machine. Default: any of the peer's family. */
  localAddress?: string;
  /** 0, the default, lets the system choose. */
  localPort?: number;
}

const COMMON: NamesOf<UdpOptions> = {
  data: true,
  drain: true,
  error: true,
  close: true,
  reuseAddress: true,
  reusePort: true,
  maxQueuedBytes: true,
  maxPacketBytes: true,
  receiveBuffer: true,
  sendBuffer: true,
  broadcast: true,
  ttl: true,
  trafficClass: true,
  packetInfo: true,
  receiveTrafficClass: true,
  receiveTtl: true,
  coalesce: true,
  segment: true,
  engine: true,
  signal: true,
};
/** What node:dgram and Bun call what is meant here. */
const PEERS = {
  hostname: 'host',
  address: 'host',
  reuseAddr: 'reuseAddress',
  recvBufferSize: 'receiveBuffer',
  sendBufferSize: 'sendBuffer',
  message: 'data',
  socket: 'the handlers are options themselves, beside host and port',
  type: 'the address says which family it is',
  exclusive: 'a worker of node:cluster has a socket of its own',
  lookup: 'addresses are numbers here, except of bind() and connect()',
};
const BIND = optionNames<BindOptions>(
  'bind()',
  { ...COMMON, host: true, port: true, ipv6Only: true },
  PEERS,
);
const CONNECT = optionNames<UdpConnectOptions>(
  'connect()',
  { ...COMMON, host: true, port: true, localAddress: true, localPort: true },
  PEERS,
);

/** Native code's bits, see native/binding/udp.cc. */
const FLAGS = [
  'reuseAddress',
  'reusePort',
  'ipv6Only',
  'packetInfo',
  'receiveTrafficClass',
  'receiveTtl',
  'coalesce',
  'segment',
] as const;

function flagsOf(options: BindOptions): number {
  return FLAGS.reduce((bits, name, i) => {
    return boolean(`options.${name}`, options[name], false) ? bits | (1 << i) : bits;
  }, 0);
}

/** What is checked before anything is opened. */
function check(options: UdpOptions) {
  checkFunctions('options', options, ['data', 'drain', 'error', 'close']);
  const bytes = (name: 'receiveBuffer' | 'sendBuffer') =>
    integer(`options.${name}`, options[name], 1, BYTES_MAX, 0);
  const most = (name: 'maxQueuedBytes' | 'maxPacketBytes', max: number, otherwise: number) =>
    integer(`options.${name}`, options[name], 1, max, otherwise);
  const kernel: [UdpOption, number][] = [
    [UdpOption.receiveBuffer, bytes('receiveBuffer')],
    [UdpOption.sendBuffer, bytes('sendBuffer')],
    [UdpOption.broadcast, boolean('options.broadcast', options.broadcast, false) ? 1 : 0],
    [UdpOption.hops, integer('options.ttl', options.ttl, 1, BYTE_MAX, 0)],
    [UdpOption.trafficClass, integer('options.trafficClass', options.trafficClass, 0, BYTE_MAX, 0)],
  ];
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgValue('options.signal', 'an AbortSignal', signal);
  }
  return {
    flags: flagsOf(options),
    hint: checkEngine(options.engine),
    queuedBytesMax: most('maxQueuedBytes', BYTES_MAX, QUEUED_BYTES_DEFAULT),
    packetBytesMax: most('maxPacketBytes', RECEIVED_BYTES_MAX, RECEIVED_BYTES_MAX),
    kernel,
    signal,
  };
}

type Checked = ReturnType<typeof check>;

function finish(handlers: UdpHandlers, checked: Checked): UdpSocket {
  const { control } = runtime();
  const { queuedBytesMax, signal } = checked;
  const slot = control[Control.resultSlot];
  const generation = control[Control.resultGeneration];
  const socket = new UdpSocket(handlers, { slot, generation, queuedBytesMax, signal });
  try {
    for (const [option, value] of checked.kernel) {
      if (value !== 0) setOption(socket, option, value);
    }
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

/**
 * A datagram socket that receives from all who send to it. It is bound when this returns.
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 * @throws the system's error (EADDRINUSE, EACCES, ENOTFOUND, ...), in Node's shape
 */
export function bind(options: BindOptions = {}): UdpSocket {
  checkOptions(BIND, options);
  const checked = check(options);
  const target = placeOf(options.host, checkPort('options.port', options.port, 0));
  checked.signal?.throwIfAborted();
  const loop = runtime();
  const { flags, hint, packetBytesMax } = checked;
  bindToOne(loop, target, ({ name, port }: Place) => {
    loop.native.udpOpen(name, port, '', 0, flags, packetBytesMax, hint);
    return loop.control[Control.resultError];
  });
  return finish(options, checked);
}

/**
 * A datagram socket for one peer: it sends there, and receives from there alone. A name is looked
 * up before this returns, and the thread waits for that.
 * @throws like bind()
 */
export function connect(options: UdpConnectOptions): UdpSocket {
  checkOptions(CONNECT, options);
  const checked = check(options);
  const peerPort = integer('options.port', options.port, 1, PORT_MAX, 0);
  if (peerPort === 0) throw invalidArgValue('options.port', 'given', options.port);
  if (options.host === undefined) throw invalidArgValue('options.host', 'given', options.host);
  const target = placeOf(options.host, peerPort);
  const localPort = checkPort('options.localPort', options.localPort, 0);
  const local = options.localAddress;
  if (local !== undefined && typeof local !== 'string') {
    throw invalidArgValue('options.localAddress', 'an IP address', local);
  }
  checked.signal?.throwIfAborted();
  const loop = runtime();
  const { flags, hint, packetBytesMax } = checked;
  bindToOne(loop, target, ({ name, port }: Place) => {
    const from = local ?? (name.includes(':') ? '::' : '0.0.0.0');
    loop.native.udpOpen(from, localPort, name, port, flags, packetBytesMax, hint);
    return loop.control[Control.resultError];
  });
  return finish(options, checked);
}
