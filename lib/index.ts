// The package's main entry: the loop, and stream sockets on it.
export { RingpollError, type ArgumentErrorCode, type RingpollErrorCode } from './errors.js';
export { type Capabilities, Loop } from './loop/loop.js';
export type { EngineReport, PathAddress, SocketAddress } from './loop/native.js';
export type { SystemError } from './loop/system_error.js';
export { Chunk } from './tcp/chunk.js';
export { type ConnectOptions, connect } from './tcp/connect.js';
export { Connection, type Writable } from './tcp/connection.js';
export type { ConnectionOptions, Handlers } from './tcp/handlers.js';
export { type ListenOptions, Listener, listen, type StopOptions } from './tcp/listener.js';
