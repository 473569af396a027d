// Messages of connections: frames() and lines() over what the kernel delivers.
import type { Chunk, Connection } from 'ringpoll';
import { FrameReader, frames, LineReader, lines, writeFrame } from 'ringpoll/framing';
import { describe, expect, it } from 'vitest';
import { PeerServer } from '../support/peer.js';
import { codeOf, within } from '../support/recorder.js';
import { addressOf, dial, pattern, serve } from '../support/serve.js';

/** A connection that nothing reads, and the raw peer on its other side. */
async function connected() {
  const server = await PeerServer.listen();
  const connection = await dial({ port: server.port });
  return { connection, peer: await server.next() };
}

const done = <T>(promise: Promise<T>, what: string) => within(promise, () => what);

/** Messages of all sizes, some of them longer than what the kernel gives at once. */
const messages = Array.from({ length: 60 }, (_, i) => pattern(i * i * i, i + 1));

/** The code of the error that a reader throws. */
function failureOf(read: Promise<unknown>): Promise<unknown> {
  return done(
    read.then(() => undefined, codeOf),
    'the error',
  );
}

describe('frames()', () => {
  it('gives each message whole, with others before, behind and in the same chunk', async () => {
    const listener = serve({
      async open(connection: Connection) {
        for await (const message of frames(connection)) {
          if (!writeFrame(connection, message)) await connection.drained();
        }
        connection.end();
      },
      allowHalfOpen: true,
    });
    const client = await dial(addressOf(listener));
    for (const message of messages) writeFrame(client, message);
    client.end();
    let at = 0;
    const read = async () => {
      for await (const message of frames(client)) {
        expect(message.bytes.equals(messages[at]!)).toBe(true);
        at += 1;
      }
    };
    await done(read(), `message ${at}`);
    expect(at).toBe(messages.length);
  });

  it('gives messages that may be retained, small and large', async () => {
    const { connection, peer } = await connected();
    const writev = (list: readonly unknown[]) => {
      peer.send(Buffer.concat(list as Buffer[]));
      return true;
    };
    for (const message of messages) writeFrame({ writev }, message);
    peer.end();
    const kept: Chunk[] = [];
    const read = async () => {
      for await (const message of frames(connection)) kept.push(message.retain());
    };
    await done(read(), 'the end');
    expect(kept).toHaveLength(messages.length);
    kept.forEach((message, i) => {
      expect(message.bytes.equals(messages[i]!)).toBe(true);
      message.release();
      expect(message.released).toBe(true);
    });
  });

  it('ends the connection of a peer that announces too much', async () => {
    const { connection, peer } = await connected();
    peer.send(Buffer.from('7fffffff', 'hex'));
    const read = frames(connection).next();
    expect(await failureOf(read)).toBe('ERR_RINGPOLL_MESSAGE_TOO_LONG');
    await peer.untilOver();
  });

  it('tells of a peer that breaks off within a message', async () => {
    const { connection, peer } = await connected();
    peer.send(Buffer.from('0000000461', 'hex'));
    peer.end();
    const read = frames(connection).next();
    expect(await failureOf(read)).toBe('ERR_RINGPOLL_MESSAGE_TRUNCATED');
  });

  it('that is left closes the connection', async () => {
    const { connection, peer } = await connected();
    peer.send(Buffer.from('000000016100000001620000', 'hex'));
    for await (const message of frames(connection)) {
      expect(message.toString()).toBe('a');
      break;
    }
    await peer.untilOver();
  });
});

describe('FrameReader', () => {
  it('reads in a data handler, without copies', async () => {
    const listener = serve({
      connectionData: () => new FrameReader({ lengthBytes: 2 }),
      data(connection: Connection, chunk) {
        const reader = connection.data as FrameReader;
        for (const message of reader.push(chunk)) writeFrame(connection, message);
      },
    });
    const client = await dial(addressOf(listener));
    const texts = ['one', '', 'three'];
    for (const text of texts) writeFrame(client, text, { lengthBytes: 2 });
    const answers: string[] = [];
    const read = async () => {
      for await (const message of frames(client)) if (answers.push(`${message}`) === 3) break;
    };
    await done(read(), 'three answers');
    expect(answers).toEqual(texts);
  });
});

describe('lines()', () => {
  it('gives each line whole, and the last one also without a newline', async () => {
    const { connection, peer } = await connected();
    const sent = Array.from({ length: 2000 }, (_, i) => `line ${i} ${'ä€😀'.repeat(i % 50)}`);
    peer.send(Buffer.from(sent.join('\r\n')));
    peer.end();
    const received: string[] = [];
    const read = async () => {
      for await (const line of lines(connection)) received.push(line);
    };
    await done(read(), 'the end');
    expect(received).toEqual(sent);
  });

  it('ends the connection of a peer whose line does not end', async () => {
    const { connection, peer } = await connected();
    peer.send(Buffer.alloc(100_000, 'x'));
    const read = lines(connection).next();
    expect(await failureOf(read)).toBe('ERR_RINGPOLL_MESSAGE_TOO_LONG');
    await peer.untilOver();
  });

  it('are read in a data handler as well', async () => {
    const listener = serve({
      connectionData: () => new LineReader(),
      data(connection: Connection, chunk) {
        for (const line of (connection.data as LineReader).push(chunk)) {
          connection.write(`you said ${line}\n`);
        }
      },
    });
    const client = await dial(addressOf(listener));
    client.write('a\nb\nc');
    const answers: string[] = [];
    const read = async () => {
      for await (const line of lines(client)) if (answers.push(line) === 2) break;
    };
    await done(read(), 'two answers');
    expect(answers).toEqual(['you said a', 'you said b']);
  });
});
