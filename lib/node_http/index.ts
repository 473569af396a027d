// ringpoll/node-http: node:http, whose servers are served by ringpoll.
import { nativeSide } from './classes.js';
import { Host, ListenHandle } from './native_side.js';

nativeSide.load = () => ({ Host, ListenHandle });

export * from 'node:http';
export { createServer, IncomingMessage, Server, ServerResponse } from './classes.js';
