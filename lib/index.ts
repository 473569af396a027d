// The package's main entry: the loop, and stream sockets on it.
export {
  type ArgumentErrorCode,
  type HttpRefusalCode,
  RingpollError,
  type RingpollErrorCode,
} from './errors.js';
export type {
  Explanation,
  FaceReport,
  FileKindReport,
  KindReport,
  NetReport,
  Refusal,
  RouteCost,
  RouteName,
  RouteReport,
  SendReport,
} from './loop/explain.js';
export { formatExplanation } from './loop/explanation_text.js';
export type { FaultCounts, FaultDelays, FaultOptions, Faults } from './loop/faults.js';
export { type Capabilities, Loop, type Trigger, type WaitStrategy } from './loop/loop.js';
export {
  Watchdog,
  type WatchdogOptions,
  type WatchdogOverrun,
  type WatchdogReport,
} from './loop/watchdog.js';
export type { EngineReport, PathAddress, SocketAddress } from './runtime/native.js';
export type { TlsReport } from './runtime/native_tls.js';
export type { SystemError } from './runtime/system_error.js';
export type { AccessMetrics, AccessOptions, BanOptions } from './tcp/access.js';
export type { LookupFunction, LookupOptions } from './tcp/addresses.js';
export { type AdoptOptions, adopt } from './tcp/adopt.js';
export { Chunk } from './tcp/chunk.js';
export { type ConnectOptions, connect } from './tcp/connect.js';
export { Connection } from './tcp/connection.js';
export type { Handlers } from './tcp/connection_handlers.js';
export type { ConnectionInfo, RouteHint } from './tcp/connection_info.js';
export type { ReadyState } from './tcp/connection_state.js';
export { ConnectionTls } from './tcp/connection_tls.js';
export type { StreamDecoder } from './tcp/decoding.js';
export type { ConnectionDuplex, DuplexOptions } from './tcp/duplex.js';
export type { ConnectionOptions, HandlersOf } from './tcp/handlers.js';
export type {
  AcceptHandlers,
  ListenerMetrics,
  ListenOptions,
  StopOptions,
  TransferHandlers,
} from './tcp/listen_options.js';
export { Listener, listen } from './tcp/listener.js';
export { type PipelineOptions, type PipelineReport, pipeline } from './tcp/pipeline.js';
export type { SocketOptions } from './tcp/socket_options.js';
export type {
  ClientTls,
  ClientTlsHandlers,
  ListenerTlsHandlers,
  ServerTls,
} from './tcp/tls_endpoint.js';
export type { TransferOptions } from './tcp/transfer.js';
export type { Writable } from './tcp/writable.js';
export { TlsError } from './tls/connection_error.js';
export * from './tls/index.js';
