// Datagram sockets.
export type { UdpStats } from './counts.js';
export type { Destination } from './destination.js';
export type { UdpHandlersOf } from './handlers.js';
export { type BindOptions, bind, connect, type UdpConnectOptions } from './open.js';
export { Packet } from './packet.js';
export { type UdpHandlers, UdpSocket } from './socket.js';
