// ringpoll/node-http: node:http, whose servers are served by ringpoll.
import { nativeSide } from './classes.js';
import * as side from './native_side.js';

nativeSide.load = () => side;

export * from 'node:http';
export { createServer, IncomingMessage, Server, ServerResponse } from './classes.js';
