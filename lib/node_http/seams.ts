// Node's private names that this face stands on. Each is looked for when the face is loaded: where
// one is missing, everything stays Node's own.
import http from 'node:http';
import net from 'node:net';
import { describedSymbol } from '../node_seams.js';

type Bag = Record<PropertyKey, unknown>;

/** The symbols under which Node keeps what is private. */
export interface Seams {
  /** Header fields of a response: `{ 'lower-case': ['As-Given', value] }`, or null. */
  outHeaders: symbol;
  needDrain: symbol;
  rejectBodies: symbol;
  highWaterMark: symbol;
  /** Whether rejections of an emitter's listeners are its errors. */
  capture: symbol;
  uniqueHeaders: symbol;
  /** The classes that a server makes its messages of. */
  incomingClass: symbol;
  responseClass: symbol;
}

const probeRequest = { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1, headers: {} };

/** A response of Node's, as its constructor leaves it. */
export function stockResponse(): Bag {
  return new http.ServerResponse(probeRequest as never) as unknown as Bag;
}

const FUNCTIONS: [string, object, string[]][] = [
  [
    'http.OutgoingMessage.prototype',
    http.OutgoingMessage.prototype,
    ['_storeHeader', '_send', '_writeRaw', '_flush', '_flushOutput', '_finish', 'setHeader'],
  ],
  [
    'http.ServerResponse.prototype',
    http.ServerResponse.prototype,
    ['writeHead', 'write', 'end', '_implicitHeader', '_finish'],
  ],
  ['http.IncomingMessage.prototype', http.IncomingMessage.prototype, ['_dump', '_destroy']],
  ['net.Server.prototype', net.Server.prototype, ['_listen2', '_emitCloseIfDrained']],
  ['net.Socket.prototype', net.Socket.prototype, ['_writeGeneric', '_unrefTimer', '_final']],
];

/** What is there; or, as a text, what is missing. */
export function findSeams(): Seams | string {
  for (const [owner, object, names] of FUNCTIONS) {
    for (const name of names) {
      if (typeof (object as Bag)[name] !== 'function') return `${owner}.${name}`;
    }
  }
  const response = stockResponse();
  const server = new http.Server();
  const places = {
    outHeaders: [response, 'kOutHeaders'],
    needDrain: [response, 'kNeedDrain'],
    rejectBodies: [response, 'kRejectNonStandardBodyWrites'],
    highWaterMark: [response, 'kHighWaterMark'],
    capture: [response, 'kCapture'],
    uniqueHeaders: [server, 'kUniqueHeaders'],
    incomingClass: [server, 'IncomingMessage'],
    responseClass: [server, 'ServerResponse'],
  } as const;
  const found: Record<string, symbol> = {};
  for (const [name, [object, description]] of Object.entries(places)) {
    const symbol = describedSymbol(object, description);
    if (symbol === undefined) return `the symbol ${description}`;
    found[name] = symbol;
  }
  const seams = found as unknown as Seams;
  return behave(seams, response, server) ?? seams;
}

/** What the names are for, tried out; a text says what is different. */
function behave(seams: Seams, response: Bag, server: http.Server): string | undefined {
  (response.setHeader as (name: string, value: string) => void)('A-B', 'c');
  const headers = response[seams.outHeaders] as Bag | null;
  const entry = headers?.['a-b'] as unknown[] | undefined;
  if (entry?.[0] !== 'A-B' || entry[1] !== 'c') return 'the shape of header fields';
  if (response._header !== null) return 'http.ServerResponse#_header';
  if (server.listenerCount('connection') !== 1) return "the listener of 'connection'";
  const bag = server as unknown as Bag;
  if (bag._connections !== 0 || bag._handle !== null) return 'the fields of net.Server';
  return unknownField(response);
}

/** Fields that are objects of each response's own, and no lists: those that are known. */
const OBJECTS = new Set<PropertyKey>(['_events', 'req']);

function unknownField(response: Bag): string | undefined {
  const strange = Reflect.ownKeys(response).find((key) => {
    const value = response[key];
    if (typeof value !== 'object' || value === null || OBJECTS.has(key)) return false;
    const isList = Array.isArray(value) && value.length === 0;
    return !isList && (typeof key === 'string' || key.description !== 'kOutHeaders');
  });
  return strange && `what it was for ${String(strange)} in http.ServerResponse`;
}
