// The addon's functions, loaded at the first use of a loop.

import { fileURLToPath } from 'node:url';
import { loadAddon } from './addon.js';
import type { NativeAccess } from './native_access.js';
import type { PathAddress, SocketAddress } from './native_addresses.js';
import type { NativeFiles } from './native_files.js';
import type { NativeSockets } from './native_sockets.js';
import type { NativeThreads } from './native_threads.js';
import type { NativeTls } from './native_tls.js';
import type { NativeTlsSessions, NativeTlsSettings } from './native_tls_sessions.js';
import { firstAddon } from './one_addon.js';
import { packageFolder } from './package_folder.js';

export type { PathAddress, SocketAddress } from './native_addresses.js';

/** What native code and JavaScript share; `pending` and the slabs are replaced as they grow. */
export interface SharedMemory {
  readonly control: Int32Array;
  readonly events: Int32Array;
  readonly commands: Int32Array;
  readonly pending: Float64Array;
  readonly slabs: Buffer[];
  /** Records of request heads; there once an HTTP server listens. */
  readonly heads: Uint32Array;
  /** Those of response heads; there once there was a connection of an HTTP client. */
  readonly clientHeads: Uint32Array;
  /** Numbers of operations on files that copies of this package have taken. */
  fileIds?: number;
  /** What turns are measured into, while they are: all copies of this package share it. */
  meter?: Float64Array;
  /** How many of them measure. */
  meterUsers?: number;
}

export interface EngineReport {
  /** 'uring' or 'poll'. */
  name: string;
  available: boolean;
  /** Why it is not available. */
  reason?: string;
}

/** Limits in bytes, times in milliseconds (0: none); native/core/http/server/profile.h. */
export interface NativeHttpProfile {
  headBytesMax: number;
  targetBytesMax: number;
  headersMax: number;
  bodyBytesMax: number;
  trailerBytesMax: number;
  trailersMax: number;
  chunkExtensionBytesMax: number;
  lenient: number;
  unknownMethods: boolean;
  lengthRequired: boolean;
  keepAliveMs: number;
  headersMs: number;
  requestMs: number;
  readMs: number;
  writeMs: number;
  receiveRateMin: number;
  sendRateMin: number;
  rateWindowMs: number;
  lingerMs: number;
  lingerBytesMax: number;
  requestsMax: number;
  unsentMax: number;
  holdUpgrades: boolean;
  tellsFirstByte: boolean;
  answersSilence: boolean;
  proxies: string[];
  routes: { path: string; head: Uint8Array; dateOffset: number; body: Uint8Array }[];
}

export interface HttpTables {
  methods: string[];
  headers: string[];
  errors: { code: string; status: number; message: string }[];
}

export interface NativeFaultCounts {
  shortReads: number;
  shortWrites: number;
  resets: number;
  enobufs: number;
  delays: number;
  refusals: number;
}

/** CPU nanoseconds; by size class. */
export interface NativeCost {
  ns: number;
  samples: number;
}

/** A connection, as a list shows it. */
export interface NativeConnection {
  slot: number;
  generation: number;
  endpoint: number;
  state: number;
  route: number;
  bytesRead: number;
  bytesWritten: number;
  unsent: number;
  paused: boolean;
  secure: boolean;
  remote?: SocketAddress | PathAddress;
}

/** native/core/routing/route_meter.h. */
export interface NativeRouting {
  routes: {
    route: 'readiness' | 'completion' | 'poll';
    available: boolean;
    connections: number;
    chosen: number;
    migrations: number;
    receives: number;
    bytes: number;
    costs: NativeCost[];
  }[];
  preferred: 'readiness' | 'completion' | 'poll';
  reason: string;
  refusals: Record<'uring' | 'poll' | 'readiness' | 'completion', number>;
  sentNow: NativeCost[];
  sentByEngine: NativeCost[];
}

export interface NativeLoop
  extends NativeAccess,
    NativeFiles,
    NativeSockets,
    NativeThreads,
    NativeTls,
    NativeTlsSessions {
  start(
    engine: number,
    receive: number,
    checked: boolean,
    completionEntries: number,
    onTurn: () => void,
    turnResource: object,
  ): SharedMemory;
  listen(
    hostOrPath: string,
    port: number,
    fd: number,
    backlog: number,
    reusePort: boolean,
    ipv6Only: boolean,
    noDelay: boolean,
    keepAliveMs: number,
    maxConnections: number,
    idleTimeoutMs: number,
    hint: number,
    http: NativeHttpProfile | undefined,
    tls: NativeTlsSettings | undefined,
    socketOptions: Int32Array | undefined,
    handles: boolean,
  ): void;
  connect(
    hostOrPath: string,
    port: number,
    localHost: string,
    localPort: number,
    timeoutMs: number,
    idleTimeoutMs: number,
    hint: number,
    tls: NativeTlsSettings | undefined,
    socketOptions: Int32Array | undefined,
    fd: number,
    handles: boolean,
  ): void;
  /** `drain`: who waits to be accepted is accepted first. */
  closeListener(endpointId: number, drain: boolean): void;
  /** Whether bytes have come that were not received yet. */
  unread(slot: number, generation: number): boolean;
  /** The addresses of a name, or Node's name of the error. Blocks the thread. */
  lookUpHost(name: string): string[] | 'ENOTFOUND' | 'EAI_AGAIN' | 'EAI_FAIL';
  connectionsOf(endpointId: number): Uint32Array;
  fatalException(error: unknown): void;
  /** That of the thread, whatever is global to the caller. */
  global(): object;
  flush(): void;
  /**
   * Sends what the kernel takes. Of the rest all is copied when that is at most `keptMax` bytes,
   * else 256 KB. Answers how many bytes need not be given again.
   */
  sendLarge(slot: number, generation: number, bytes: Uint8Array, keptMax: number): number;
  /** See native/binding/addon.cc; a number of lib/tcp/pipeline.ts. */
  pipe(
    slot: number,
    generation: number,
    otherSlot: number,
    otherGeneration: number,
    way: number,
  ): number;
  trySend(slot: number, generation: number, bytes: Uint8Array): number;
  address(
    slot: number,
    generation: number,
    remote: boolean,
  ): SocketAddress | PathAddress | undefined;
  listenerAddress(endpointId: number): SocketAddress | PathAddress | undefined;
  byteCounts(slot: number, generation: number, into: Float64Array): void;
  setNoDelay(slot: number, generation: number, on: boolean): number;
  setKeepAlive(slot: number, generation: number, milliseconds: number): number;
  routing(): NativeRouting;
  watch(
    loopWords: Int32Array,
    taskWords: Int32Array | undefined,
    listener?: (ofTask: boolean, slice: number, us: number, task: number) => void,
  ): unknown;
  unwatch(handle: unknown): void;
  routeOf(slot: number, generation: number): number;
  setReferenced(on: boolean): void;
  /** The place of the strategy in WAIT_STRATEGIES. */
  setWait(strategy: number): void;
  wait(): number;
  /** The place of the trigger in TRIGGERS. */
  setTrigger(trigger: number): void;
  trigger(): number;
  /** The words of a plan, or no more faults: native/binding/faults.cc. */
  setFaults(plan: Float64Array | undefined): void;
  faultCounts(): NativeFaultCounts;
  /** Measures turns into these words, or no more: native/binding/metering.cc has all of these. */
  meter(words: Float64Array | undefined): void;
  recordTurns(ring: Float64Array | undefined): boolean;
  /** 0, or an errno. `fd` may be closed then. */
  recordFlight(fd: number | undefined, rows: number): number;
  clockNs(): number;
  /** Of each shared mutex of the process: how often it was waited for, and nanoseconds. */
  lockWaits(into: Float64Array): void;
  /** Adds to `into`; the slot to go on from, or 0. */
  census(into: Float64Array, fromSlot: number, slots: number): number;
  roundTrips(endpointId: number, fromSlot: number, most: number, into: Float64Array): number;
  connectionList(fromSlot: number, most: number): NativeConnection[];
  describe(): { engine: string; engines: EngineReport[] };
  metrics(): Record<string, number>;
  protocol(): Record<string, number>;
  httpTables(): HttpTables;
  httpAddressRule(rule: string): boolean;
  httpTemplate(endpointId: number, head: Uint8Array, dateOffset: number): number;
  httpStop(endpointId: number): void;
  /** In milliseconds, from here on; 0 is none. */
  httpTimeouts(endpointId: number, keepAlive: number, headers: number, request: number): void;
  /** Requests that were told of, and one more if another has come, or begun to. */
  httpExpected(slot: number, generation: number): number;
  /**
   * The rest of the body of the connection's `request`th request is received there: true, and
   * events of `bodyFilled` tell how much. undefined: not any more.
   */
  httpBodyInto(
    slot: number,
    generation: number,
    request: number,
    bytes: Uint8Array | undefined,
  ): boolean;
  /** Buffers of large bodies come and go: their memory stays with the process. */
  keepFreedMemory(): void;
  httpProxied(slot: number, generation: number, remote: boolean): SocketAddress | undefined;
  /** See native/binding/http_client.cc for the words of `settings`. False: it is over. */
  httpClientAdopt(slot: number, generation: number, settings: Uint32Array): boolean;
  httpClientWake(): void;
  /** See native/binding/websocket.cc for the words of `settings`. */
  webSocketAccept(
    slot: number,
    generation: number,
    settings: Uint32Array,
    rest: Uint8Array | undefined,
  ): boolean;
  webSocketFeed(slot: number, generation: number, bytes: Uint8Array): boolean;
  webSocketSend(slot: number, generation: number, bytes: Uint8Array, flags: number): boolean;
  /** 1: done; 0: it was subscribed; -1: not open; -2: a limit; -3: no valid name. */
  webSocketSubscribe(slot: number, generation: number, topic: string): number;
  webSocketUnsubscribe(slot: number, generation: number, topic: string): boolean;
  webSocketSubscribed(slot: number, generation: number, topic: string): boolean;
  webSocketSubscribers(endpointId: number, topic: string): number;
  /** Answers for how many subscribers it was queued. `exceptSlot` -1: nobody is left out. */
  webSocketPublish(
    endpointId: number,
    topic: string,
    message: Uint8Array | string,
    flags: number,
    exceptSlot: number,
    exceptGeneration: number,
  ): number;
  /** See native/binding/udp.cc for `flags`; the answer is in the control block. */
  udpOpen(
    host: string,
    port: number,
    remoteHost: string,
    remotePort: number,
    flags: number,
    packetBytesMax: number,
    hint: number,
  ): void;
  /** Whether `host` is an IP address, whose record is in `into` then. */
  udpAddress(host: string, port: number, into: Int32Array): boolean;
  udpName(record: Int32Array, local: boolean): SocketAddress;
  /** 0, or the negative errno. */
  /** Bytes that the kernel has taken, or -errno; -EAGAIN: others wait, or it has no room. */
  udpSendNow(slot: number, generation: number, bytes: Uint8Array, record?: Int32Array): number;
  /** 0 or -errno; host '': to no peer any more. */
  udpConnect(slot: number, generation: number, host: string, port: number): number;
  udpSetOption(slot: number, generation: number, option: number, value: number): number;
  udpOption(slot: number, generation: number, option: number): number;
  udpMulticastInterface(slot: number, generation: number, address: string): number;
  udpMembership(
    slot: number,
    generation: number,
    join: boolean,
    group: string,
    source: string,
    address: string,
  ): number;
  udpCounts(slot: number, generation: number, into: Float64Array): void;
  /** Why messages cannot be compressed here; empty when they can. */
  webSocketDeflateReason(): string;
}

let loaded: NativeLoop | undefined;

export function native(): NativeLoop {
  if (loaded === undefined) {
    const top = fileURLToPath(packageFolder());
    loaded = firstAddon(loadAddon(top) as NativeLoop, top);
  }
  return loaded;
}
