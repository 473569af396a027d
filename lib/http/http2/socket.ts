// A connection of ours as the stream that node:http2 reads and writes.
import type { Duplex } from 'node:stream';
import { stream } from '../../builtins.js';
import type { Connection } from '../../tcp/connection.js';
import { handOverTo } from '../../tcp/hand_over.js';

type Done = (error?: Error | null) => void;

/** From here on the connection is the stream's. After its end the peer has `lingerMs` to read. */
export function streamOver(connection: Connection, lingerMs: number): Duplex {
  const { Duplex: Made } = stream();
  const send = (write: () => boolean, done: Done) => {
    try {
      if (write()) done();
      else connection.drained().then(() => done(), done);
    } catch (error) {
      done(error as Error); // the peer has ended it, and our end followed
    }
  };
  const linger = () => {
    if (lingerMs > 0) connection.setTimeout(lingerMs);
  };
  const duplex = new Made({
    allowHalfOpen: false,
    read: () => connection.resume(),
    write: (piece: Buffer, _encoding, done) => send(() => connection.write(piece), done),
    writev: (pieces, done) =>
      send(() => connection.writev(pieces.map(({ chunk }) => chunk as Buffer)), done),
    final(done) {
      connection.end();
      linger();
      done();
    },
    destroy(error, done) {
      connection.close(); // behind the last frames
      linger();
      done(error);
    },
  });
  // It has told whoever is concerned already.
  duplex.on('error', () => {});
  handOverTo(connection, {
    data(_connection, chunk) {
      // The chunk is the turn's, and the stream may keep what it gets.
      if (!duplex.push(Buffer.from(chunk.bytes))) connection.pause();
    },
    end: () => void duplex.push(null),
    timeout: () => connection.destroy(),
    error() {},
    close: (_connection, error) => void duplex.destroy(error),
  });
  return duplex;
}
