// What `ringpoll doctor APP` loads into the program, behind ringpoll/register: it writes down who
// serves each server that listens, and each kind of connection, one JSON document a line.
import diagnostics from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { faces, fallbackOf } from '../faces.js';
import { oneFace } from '../net/active.js';
import { HOST } from '../node_http/server.js';

/** A line of the report. */
export type Observation =
  | { what: 'module'; name: string; by: string }
  | { what: 'server'; kind: string; at: string; by: string; why?: string }
  | { what: 'connection'; kind: string; by: string; why?: string };

/** Names the file that the lines go to. */
export const REPORT_VARIABLE = 'RINGPOLL_DOCTOR_REPORT';

const OURS = 'ringpoll';
const NODES = 'node';
const MIXED = "node's HTTP, ringpoll's sockets";
const TLS_IS_NODES = "its TLS is Node's";

type Handled = { _handle?: unknown };

function note(observation: Observation): void {
  const file = process.env[REPORT_VARIABLE];
  if (file) appendFileSync(file, `${JSON.stringify(observation)}\n`);
}

const netIsOurs = faces.get('node:net') === OURS;

function ownsHandle({ _handle }: Handled): boolean {
  return netIsOurs && oneFace.tried.face?.owns(_handle) === true;
}

function kindOf(server: net.Server): string {
  if (server instanceof https.Server) return 'https';
  if (server instanceof http.Server) return 'http';
  return 'addContext' in server && 'setSecureContext' in server ? 'tls' : 'net';
}

function servedBy(server: net.Server): { by: string; why?: string } {
  if ((server as unknown as Record<symbol, unknown>)[HOST] !== undefined) return { by: OURS };
  const isHttp = server instanceof http.Server;
  const ours = ownsHandle(server as Handled);
  if (ours && !isHttp) return { by: OURS };
  const module = isHttp ? 'node:http' : 'node:net';
  const why = fallbackOf(server) ?? faces.get(module);
  return { by: ours ? MIXED : NODES, why: why === OURS ? undefined : why };
}

function placeOf(server: net.Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') return address ?? 'a descriptor';
  const { address: host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

const { listen } = net.Server.prototype;
const seen = new WeakSet<net.Server>();
net.Server.prototype.listen = function (this: net.Server, ...given: unknown[]) {
  if (!seen.has(this)) {
    seen.add(this);
    this.prependListener('listening', () => {
      note({ what: 'server', kind: kindOf(this), at: placeOf(this), ...servedBy(this) });
    });
  }
  return Reflect.apply(listen, this, given);
} as never;

const connections = new Set<string>();
function connectedBy(socket: net.Socket): void {
  const isTls = 'encrypted' in socket;
  const by = ownsHandle(socket as Handled) ? OURS : NODES;
  const kind = isTls ? 'tls' : 'net';
  if (connections.has(kind + by)) return;
  connections.add(kind + by);
  const why = isTls ? TLS_IS_NODES : faces.get('node:net');
  note({ what: 'connection', kind, by, ...(by === NODES && why !== OURS && { why }) });
}
diagnostics.subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: net.Socket };
  socket.once('connect', () => connectedBy(socket));
});

for (const [name, by] of faces) note({ what: 'module', name, by });
