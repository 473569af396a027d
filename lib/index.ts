// The package's main entry: the loop, and stream sockets on it.
export {
  type ArgumentErrorCode,
  type HttpRefusalCode,
  RingpollError,
  type RingpollErrorCode,
} from './errors.js';
export type {
  Explanation,
  FileKindReport,
  KindReport,
  Refusal,
  RouteCost,
  RouteName,
  RouteReport,
  SendReport,
} from './loop/explain.js';
export { formatExplanation } from './loop/explanation_text.js';
export { type Capabilities, Loop } from './loop/loop.js';
export type { EngineReport, PathAddress, SocketAddress } from './loop/native.js';
export type { SystemError } from './loop/system_error.js';
export {
  Watchdog,
  type WatchdogOptions,
  type WatchdogOverrun,
  type WatchdogReport,
} from './loop/watchdog.js';
export { Chunk } from './tcp/chunk.js';
export { type ConnectOptions, connect } from './tcp/connect.js';
export { Connection, type RouteHint, type Writable } from './tcp/connection.js';
export type { ConnectionOptions, Handlers } from './tcp/handlers.js';
export { Listener, type ListenOptions, listen, type StopOptions } from './tcp/listener.js';
