// For tests of pipelining: a server whose test says when, and in which pieces, it answers.
import type { Socket } from 'node:net';
import { type RawServer, serveRaw } from './client.js';

export interface HeldServer {
  raw: RawServer;
  /** Paths that were asked for, in order, over all connections. */
  asked: string[];
  /** Resolves when `count` requests have come; gives the connection of the last one. */
  came(count: number): Promise<Socket>;
}

/** Answers `/first` at once, so that a client knows that the connection is kept; no other. */
export async function serveHeld(): Promise<HeldServer> {
  const asked: string[] = [];
  const waiting = new Map<number, (socket: Socket) => void>();
  const sockets: Socket[] = [];
  const raw = await serveRaw((socket, _nth, request) => {
    const path = pathOf(request);
    if (path === '/first') {
      socket.write(answerOf(path));
      return;
    }
    asked.push(path);
    sockets.push(socket);
    waiting.get(asked.length)?.(socket);
  });
  const came = (count: number) =>
    new Promise<Socket>((resolve) => {
      if (sockets.length >= count) resolve(sockets[count - 1]);
      else waiting.set(count, resolve);
    });
  return { raw, asked, came };
}

export const pathOf = (request: string): string => request.split(' ')[1];

/** A response whose body is the path. */
export function answerOf(path: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${path.length}\r\n\r\n${path}`;
}
