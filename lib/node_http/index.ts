// ringpoll/node-http: node:http, whose servers are served by ringpoll.
export * from 'node:http';
export { createServer, IncomingMessage, Server, ServerResponse } from './classes.js';
