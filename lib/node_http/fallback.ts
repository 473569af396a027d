// What a server may need that is not native. Then it is Node's altogether.
import http from 'node:http';
import { IncomingMessage } from './incoming.js';
import { ServerResponse } from './outgoing.js';
import type { Seams } from './seams.js';

export const HEAD_BYTES_MIN = 1024;
export const HEAD_BYTES_MAX = 65_535;

interface Asked {
  insecureHTTPParser: boolean | undefined;
  maxHeaderSize: number | undefined;
  pauseOnConnect: boolean;
}

/** undefined: it is served natively. */
export function whyNotNative(server: Asked, seams: Seams | string): string | undefined {
  if (typeof seams === 'string') return `this version of Node lacks ${seams}`;
  const bag = server as unknown as Record<symbol, unknown>;
  const incoming = bag[seams.incomingClass];
  if (incoming !== http.IncomingMessage && !isOurs(incoming, IncomingMessage)) {
    return 'it has a class of its own for its requests';
  }
  if (!isOurs(bag[seams.responseClass], ServerResponse)) {
    return 'it has a class of its own for its responses';
  }
  if (server.insecureHTTPParser ?? process.execArgv.includes('--insecure-http-parser')) {
    return 'it asks for the insecure parser';
  }
  const head = server.maxHeaderSize || http.maxHeaderSize;
  if (head < HEAD_BYTES_MIN || head > HEAD_BYTES_MAX) {
    return `maxHeaderSize is not between ${HEAD_BYTES_MIN} and ${HEAD_BYTES_MAX}`;
  }
  if (server.pauseOnConnect) return 'it pauses its connections';
  return undefined;
}

/** Node's class, or the one in its place. */
function isOurs(given: unknown, ours: object): boolean {
  return given === ours || given === Object.getPrototypeOf(ours);
}
