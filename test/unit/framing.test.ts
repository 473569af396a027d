// Messages out of a stream of bytes, wherever that is cut.
import { FrameReader, frames, LineReader, lines, writeFrame } from 'ringpoll/framing';
import { describe, expect, it } from 'vitest';
import { Random } from '../support/random.js';

const code = (code: string) => expect.objectContaining({ code });
const TOO_LONG = code('ERR_RINGPOLL_MESSAGE_TOO_LONG');
const TRUNCATED = code('ERR_RINGPOLL_MESSAGE_TRUNCATED');

/** The bytes in pieces of at most `most` bytes. */
function cut(bytes: Buffer, random: Random, most: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(most);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

/** What writeFrame() sends. */
function framed(message: string | Uint8Array, options = {}): Buffer {
  let sent = Buffer.alloc(0);
  const writev = (list: readonly unknown[]) => {
    sent = Buffer.concat(list.map((piece) => Buffer.from(piece as Uint8Array)));
    return true;
  };
  expect(writeFrame({ writev }, message, options)).toBe(true);
  return sent;
}

function read(reader: FrameReader, pieces: Uint8Array[]): string[] {
  const texts: string[] = [];
  for (const piece of pieces) for (const message of reader.push(piece)) texts.push(`${message}`);
  return texts;
}

describe('FrameReader', () => {
  it('gives the same messages wherever the bytes are cut', () => {
    const random = new Random(1);
    for (const options of [
      {},
      { lengthBytes: 1 },
      { lengthBytes: 2, littleEndian: true },
      { lengthBytes: 3 },
      { lengthBytes: 8, littleEndian: true },
    ]) {
      const messages = Array.from({ length: 40 }, (_, i) => 'm'.repeat((i * 37) % 200) + i);
      messages.push('', '');
      const bytes = Buffer.concat(messages.map((message) => framed(message, options)));
      for (const most of [1, 3, 50, 1000, bytes.length]) {
        const reader = new FrameReader(options);
        expect(read(reader, cut(bytes, random, most))).toEqual(messages);
        reader.end();
      }
    }
  });

  it('puts the length in front in the order that was asked for', () => {
    expect(framed('abc').toString('hex')).toBe('00000003616263');
    const little = { lengthBytes: 3, littleEndian: true };
    expect(framed('x'.repeat(258), little).subarray(0, 3).toString('hex')).toBe('020100');
  });

  it('refuses a message that is too long when its length is there, without its bytes', () => {
    const reader = new FrameReader({ maxLength: 3 });
    expect(read(reader, [framed('abc')])).toEqual(['abc']);
    expect(() => read(reader, [Buffer.from('0000', 'hex'), Buffer.from('0004', 'hex')])).toThrow(
      TOO_LONG,
    );
    const wide = new FrameReader({ lengthBytes: 8 });
    expect(() => read(wide, [Buffer.alloc(8, 255)])).toThrow(TOO_LONG);
  });

  it('takes no memory for what was only announced', () => {
    const readers = Array.from({ length: 1000 }, () => new FrameReader({ maxLength: 2 ** 30 }));
    const before = process.memoryUsage().arrayBuffers;
    for (const reader of readers) read(reader, [Buffer.from('3fffffff00', 'hex')]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('copies no message that lies in one piece; it is over when the next is asked for', () => {
    const piece = Buffer.concat([framed('one'), framed('two')]);
    const reading = new FrameReader().push(piece);
    const { value: first } = reading.next();
    const view = (first as { bytes: Buffer }).bytes;
    piece[4] = 'O'.charCodeAt(0);
    expect(view.toString()).toBe('One');
    reading.next();
    expect(() => (first as { bytes: Buffer }).bytes).toThrow(code('ERR_RINGPOLL_CHUNK_RELEASED'));
  });

  it('says when the bytes end within a message', () => {
    for (const bytes of ['00', '0000000461']) {
      const reader = new FrameReader();
      read(reader, [Buffer.from(bytes, 'hex')]);
      expect(() => reader.end()).toThrow(TRUNCATED);
    }
  });

  it('refuses options that make no sense, and what are no bytes', () => {
    const made = (options: object) => () => new FrameReader(options as never);
    expect(made({ lengthBytes: 0 })).toThrow(code('ERR_RINGPOLL_OUT_OF_RANGE'));
    expect(made({ lengthBytes: 9 })).toThrow(code('ERR_RINGPOLL_OUT_OF_RANGE'));
    expect(made({ maxLength: -1 })).toThrow(code('ERR_RINGPOLL_OUT_OF_RANGE'));
    expect(made({ littleEndian: 1 })).toThrow(code('ERR_RINGPOLL_INVALID_ARG_TYPE'));
    expect(made({ maxBytes: 1 })).toThrow(/did you mean maxLength/);
    expect(() => frames([] as never, { max: 1 } as never)).toThrow(
      code('ERR_RINGPOLL_UNKNOWN_OPTION'),
    );
    expect(() => read(new FrameReader(), ['text' as never])).toThrow(
      code('ERR_RINGPOLL_INVALID_ARG_TYPE'),
    );
  });
});

describe('writeFrame()', () => {
  it('refuses more than maxLength, and more than its length can say', () => {
    expect(() => framed('abc', { maxLength: 2 })).toThrow(TOO_LONG);
    expect(framed('x'.repeat(255), { lengthBytes: 1 })).toHaveLength(256);
    expect(() => framed('x'.repeat(256), { lengthBytes: 1 })).toThrow(TOO_LONG);
    expect(() => framed(5 as never)).toThrow(code('ERR_RINGPOLL_INVALID_ARG_TYPE'));
  });
});

describe('LineReader', () => {
  const take = (reader: LineReader, pieces: Uint8Array[]) =>
    pieces.flatMap((piece) => [...reader.push(piece)]);

  it('gives the same lines wherever the bytes are cut', () => {
    const random = new Random(2);
    const whole = Array.from({ length: 60 }, (_, i) => 'zeile ä€😀 '.repeat(i % 7) + i);
    whole.push('', 'last');
    const text = whole.map((line, i) => line + (i % 2 === 0 ? '\n' : '\r\n')).join('');
    const bytes = Buffer.from(text);
    for (const most of [1, 2, 5, 100, bytes.length]) {
      const reader = new LineReader();
      expect(take(reader, cut(bytes, random, most))).toEqual(whole);
      expect(reader.end()).toBeUndefined();
    }
  });

  it('gives the last line also without a newline', () => {
    const reader = new LineReader();
    expect(take(reader, [Buffer.from('one\ntwo')])).toEqual(['one']);
    expect(reader.end()).toBe('two');
  });

  it('refuses a line that is too long, also before its end has come', () => {
    const line = (length: number) => Buffer.alloc(length, 'x');
    const reader = new LineReader({ maxLength: 10 });
    expect(take(reader, [line(10), Buffer.from('\n')])).toEqual(['x'.repeat(10)]);
    expect(() => take(reader, [line(6), line(5)])).toThrow(TOO_LONG);
    expect(() => take(new LineReader({ maxLength: 10 }), [Buffer.from(`${line(11)}\n`)])).toThrow(
      TOO_LONG,
    );
  });

  it('refuses options that it does not have', () => {
    expect(() => new LineReader({ maxLength: 1.5 })).toThrow(code('ERR_RINGPOLL_OUT_OF_RANGE'));
    expect(() => lines([] as never, { encoding: 'latin1' } as never)).toThrow(/lines are UTF-8/);
  });
});

describe('frames() and lines()', () => {
  async function* source(...pieces: string[]) {
    for (const piece of pieces) yield Buffer.from(piece, 'latin1');
  }

  it('read any source of bytes', async () => {
    const texts: string[] = [];
    for await (const frame of frames(source('\0\0', '\0\x02h', 'i\0\0\0\0')))
      texts.push(`${frame}`);
    for await (const line of lines(source('a\nb', 'c\r', '\nd'))) texts.push(line);
    expect(texts).toEqual(['hi', '', 'a', 'bc', 'd']);
  });

  it('fail when the source ends within a message', async () => {
    const reading = frames(source('\0\0\0\x05abc'));
    await expect(reading.next()).rejects.toThrow(TRUNCATED);
  });
});
