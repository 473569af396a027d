// What stands in the place of classes of node:http.
import './observers.js';

export { IncomingMessage } from './incoming.js';
export { ServerResponse, seams } from './outgoing.js';
export { createServer, nativeSide, Server } from './server.js';
