// WebSocket clients, and the web platform's class of that name.

export type { Backplane } from './backplane.js';
export { WebSocketHandshakeError } from './client_handshake.js';
export { CloseEvent, type CloseEventInit } from './close_event.js';
export {
  type ClientState,
  connectWebSocket,
  type Lost,
  WebSocketClient,
  type WebSocketClientOptions,
} from './connect.js';
export type { DeflateOptions } from './deflate.js';
export type { LostSession, Message, WebSocketHandlersOf } from './handlers.js';
export type { ReconnectOptions } from './reconnection.js';
export {
  type RedisClient,
  type RedisSubscriber,
  type RedisTopicsOptions,
  redisTopics,
} from './redis_topics.js';
export type { HeartbeatOptions, SocketOptions } from './settings.js';
export { type Sendable, type SendOptions, WebSocketConnection } from './socket.js';
export { type BinaryType, WebSocket, type WebSocketInit } from './standard.js';
