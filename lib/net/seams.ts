// Where Node's own Socket and Server can be given a handle of ours: private members, whose names
// are the same from Node 20 to 26. Each is tried before it is relied on.
import net from 'node:net';
import { demand, symbolOf } from '../node_seams.js';

/** What is used of a Socket of Node beyond its public face. */
export interface NodeSocket extends net.Socket {
  _handle: unknown;
  _peername: unknown;
  _sockname: unknown;
  _pendingData: unknown;
  _pendingEncoding: string;
  _server: unknown;
  _unrefTimer(): void;
  _writeGeneric: WriteGeneric;
  [member: symbol]: unknown;
}

export type Done = (error?: Error | null) => void;
export type WriteGeneric = (
  this: NodeSocket,
  writev: boolean,
  data: unknown,
  encoding: string,
  done: Done,
) => unknown;
export type Listen2 = (
  this: NodeServer,
  address: string | null,
  port: number | null,
  addressType: number | null,
  backlog: number,
  fd?: number,
  flags?: number,
) => void;

export interface NodeServer extends net.Server {
  _handle: unknown;
  _listen2: Listen2;
}

/** Members whose names are symbols. */
export interface Symbols {
  /** Of a handle: whose it is. */
  owner: symbol;
  /** Of a socket: gives it a new handle. */
  reinitialize: symbol;
  /** Of a socket: the option `onread`. */
  buffer: symbol;
  bufferCallback: symbol;
  bufferMaker: symbol;
  /** Of a socket: bytes of the write that is under way. */
  lastWrite: symbol;
}

export interface Seams {
  symbols: Symbols;
  connect: net.Socket['connect'];
  listen: net.Server['listen'];
  writeGeneric: WriteGeneric;
  reinitialize(this: NodeSocket, handle: unknown): void;
  listen2: Listen2;
}

/** A handle that does nothing, for the trial. */
class Probe {
  onread: unknown = undefined;
  onconnection: ((error: number, client: Probe) => void) | undefined = undefined;
  closed = 0;
  read = 0;
  listening = 0;
  readStart(): number {
    this.read++;
    return 0;
  }
  readStop(): number {
    return 0;
  }
  listen(): number {
    this.listening++;
    return 0;
  }
  close(): void {
    this.closed++;
  }
}

function trySocket(): { symbols: Symbols; reinitialize: Seams['reinitialize'] } {
  const socketPrototype = net.Socket.prototype as NodeSocket;
  const reinitialize = symbolOf(
    socketPrototype,
    'kReinitializeHandle',
    'way to give a socket another handle',
  );
  const socket = new net.Socket() as NodeSocket;
  const handle = new Probe();
  const reinitializeHandle = socketPrototype[reinitialize] as Seams['reinitialize'];
  demand(typeof reinitializeHandle === 'function', 'function kReinitializeHandle');
  reinitializeHandle.call(socket, handle);
  demand(socket._handle === handle, 'socket._handle');
  const symbols: Symbols = {
    owner: symbolOf(handle, 'owner_symbol', "handle's owner"),
    reinitialize,
    buffer: symbolOf(socket, 'kBuffer', 'socket[kBuffer]'),
    bufferCallback: symbolOf(socket, 'kBufferCb', 'socket[kBufferCb]'),
    bufferMaker: symbolOf(socket, 'kBufferGen', 'socket[kBufferGen]'),
    lastWrite: symbolOf(socket, 'lastWriteQueueSize', 'socket[kLastWriteQueueSize]'),
  };
  demand((handle as unknown as NodeSocket)[symbols.owner] === socket, "handle's owner");
  demand(typeof socket._unrefTimer === 'function', 'socket._unrefTimer');
  tryWrite(socket);
  tryRead(socket, handle);
  socket._handle = null;
  socket.destroy();
  return { symbols, reinitialize: reinitializeHandle };
}

function tryWrite(socket: NodeSocket): void {
  const seen: unknown[] = [];
  socket._writeGeneric = (...given) => seen.push(...given);
  const done = () => {};
  socket._write('x', 'latin1', done);
  const asks = seen[0] === false && seen[1] === 'x' && seen[2] === 'latin1' && seen[3] === done;
  demand(asks, 'socket._writeGeneric behind _write');
  seen.length = 0;
  const chunks = [{ chunk: 'x', encoding: 'utf8' as const }];
  socket._writev?.(chunks as never, done);
  demand(seen[0] === true && seen[1] === chunks && seen[3] === done, '_writeGeneric for _writev');
}

function tryRead(socket: NodeSocket, handle: Probe): void {
  socket._read(1);
  demand(handle.read === 1, 'handle.readStart behind _read');
}

function tryServer(listen2: Listen2): void {
  const server = new net.Server() as NodeServer;
  const handle = new Probe();
  server._handle = handle;
  listen2.call(server, '127.0.0.1', 1, 4, 1);
  demand(handle.listening === 1, 'handle.listen behind _listen2');
  demand(typeof handle.onconnection === 'function', 'handle.onconnection');
  const client = new Probe();
  let accepted: NodeSocket | undefined;
  server.once('connection', (socket) => {
    accepted = socket as NodeSocket;
  });
  handle.onconnection(0, client);
  demand(accepted?._handle === client, 'socket behind handle.onconnection');
  accepted.destroy();
  server.close();
  demand(handle.closed === 1 && client.closed === 1, 'handle.close');
}

/**
 * What `listen()` gives to `_listen2`. It loads node:cluster, so this is tried when a server of the
 * program's listens, and not before.
 * @throws SeamMissing
 */
export function tryListen({ listen }: Seams): void {
  const server = new net.Server() as NodeServer;
  let asked: unknown[] = [];
  server._listen2 = (...given) => {
    asked = given;
  };
  listen.call(server, { port: 0, exclusive: true });
  demand(asked[0] === null && asked[1] === 0, 'server._listen2 behind listen()');
}

/**
 * Tries each of them on sockets that are never opened.
 * @throws SeamMissing
 */
export function findSeams(): Seams {
  const { connect } = net.Socket.prototype;
  const { _writeGeneric: writeGeneric } = net.Socket.prototype as NodeSocket;
  const { _listen2: listen2, listen } = net.Server.prototype as NodeServer;
  demand(typeof connect === 'function', 'Socket.prototype.connect');
  demand(typeof writeGeneric === 'function', 'Socket.prototype._writeGeneric');
  demand(typeof listen2 === 'function', 'Server.prototype._listen2');
  const { symbols, reinitialize } = trySocket();
  tryServer(listen2);
  return { symbols, connect, listen, writeGeneric, reinitialize, listen2 };
}
