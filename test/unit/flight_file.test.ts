// Recordings of turns that are damaged, cut off, or none at all: a clear error, or what is left.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { flightBytes, flightHead, readFlight } from '../../lib/admin/flight_file.js';
import { Random } from '../support/random.js';
import { temporaryFolder } from '../support/temporary.js';

const ROOM = 4;
const HEAD_BYTES = 256;
const ROW_BYTES = 64;
const MS = 1_000_000n;

/** A recording of `turns` turns of 1 ms each, as native code writes it. */
function recording(turns = 6): Buffer {
  const bytes = Buffer.alloc(flightBytes(ROOM));
  const text = 'ringpoll 1, node v20';
  flightHead({ rows: ROOM, pid: 7, thread: 0, unixMs: 1000, clockNs: 0, text }).copy(bytes);
  for (let turn = 1; turn <= turns; turn++) {
    const at = HEAD_BYTES + ((turn - 1) % ROOM) * ROW_BYTES;
    const start = BigInt(turn) * 2n * MS;
    const number = BigInt(turn);
    const words = [number, start, start + 1000n, start + 3000n, start + MS, 5n, 2n, number];
    words.forEach((word, index) => {
      bytes.writeBigUInt64LE(word, at + index * 8);
    });
  }
  bytes.writeBigUInt64LE(BigInt(turns), 64);
  bytes.writeBigUInt64LE(4n, 72);
  bytes.writeBigUInt64LE(BigInt(turns) * 2n * MS, 80);
  return bytes;
}

const refused = (bytes: Buffer) => {
  try {
    readFlight(bytes);
  } catch (error) {
    const { code, message } = error as Error & { code: string };
    expect(code).toBe('ERR_RINGPOLL_RECORDING_INVALID');
    return message;
  }
  throw new Error('it was read');
};

describe('a recording', () => {
  it('has the turns that its file has room for', () => {
    const { turns, ...head } = readFlight(recording());
    expect(head).toEqual({
      text: 'ringpoll 1, node v20',
      pid: 7,
      thread: 0,
      began: 1000,
      written: 6,
      room: ROOM,
      damaged: 0,
      phase: 'javascript',
      phaseSince: 1012,
    });
    expect(turns.map(({ turn, at }) => [turn, at])).toEqual([
      [3, 1006],
      [4, 1008],
      [5, 1010],
      [6, 1012],
    ]);
    expect(turns[0]).toMatchObject({ ms: 1, receiving: 0.001, javascript: 0.002, events: 2 });
  });

  it.each<[string, (bytes: Buffer) => Buffer | undefined, RegExp]>([
    ['is empty', () => Buffer.alloc(0), /it has 0 bytes, and the head alone has 256$/],
    ['is another file', () => Buffer.alloc(10_000, 'x'), /it does not begin with RINGPOLL$/],
    ['is cut off', (bytes) => bytes.subarray(0, 300), /it is cut off: 300 of 512 bytes are there$/],
    [
      'is of another version',
      (bytes) => word32(bytes, 8, 2),
      /version 2, and this reader knows 1$/,
    ],
    ['has other rows', (bytes) => word32(bytes, 20, 9), /its head and rows have 32 and 9 words$/],
    ['has no row', (bytes) => word32(bytes, 16, 0), /it says that it has 0 rows$/],
    ['has too many', (bytes) => word32(bytes, 16, 2 ** 32 - 1), /has 4294967295 rows$/],
    ['has more than it has bytes', (bytes) => word32(bytes, 16, 5), /512 of 576 bytes are there$/],
    ['has had too many', (bytes) => word32(bytes, 68, 2 ** 31), /it has had \d+ turns$/],
    ['knows another phase', (bytes) => word32(bytes, 72, 5), /it knows a phase 5$/],
  ])('that %s gets an error that says so', (_, change, message) => {
    const bytes = recording();
    expect(refused(change(bytes) ?? bytes)).toMatch(message);
  });

  it('leaves out rows that were being written, or make no sense', () => {
    const bytes = recording();
    word32(bytes, HEAD_BYTES + 7 * 8, 99); // turn 5: its last word is of another turn
    word32(bytes, HEAD_BYTES + ROW_BYTES + 8, 0xffffffff); // turn 6: begins after its end
    const { turns, damaged } = readFlight(bytes);
    expect(turns.map(({ turn }) => turn)).toEqual([3, 4]);
    expect(damaged).toBe(2);
  });

  it('is read or refused, whatever is changed in it', () => {
    const random = new Random(20_261_127);
    let read = 0;
    for (let i = 0; i < 3000; i++) {
      const bytes = recording(1 + random.below(9));
      for (let times = 1 + random.below(4); times > 0; times--) {
        bytes[random.below(bytes.length)] = random.below(256);
      }
      const cut = random.below(3) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
      try {
        const { turns } = readFlight(cut);
        expect(turns.length).toBeLessThanOrEqual(ROOM);
        read++;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_RINGPOLL_RECORDING_INVALID' });
      }
    }
    expect(read).toBeGreaterThan(100);
  });

  it('that is none ends the command with one line', async () => {
    const path = join(temporaryFolder(), 'none');
    writeFileSync(path, 'nothing');
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const dump = (...args: string[]) =>
      new Promise<[number, string, string]>((resolve) => {
        execFile(process.execPath, [main, 'dump', ...args], (error, stdout, stderr) => {
          resolve([Number(error?.code ?? 0), stdout, stderr]);
        });
      });
    expect(await dump(path)).toEqual([
      1,
      '',
      'ringpoll: Not a recording of turns: it has 7 bytes, and the head alone has 256\n',
    ]);
    expect(await dump(`${path}-not`)).toEqual([1, '', expect.stringMatching(/ENOENT/)]);
    expect(await dump()).toEqual([2, '', expect.stringMatching(/it needs FILE/)]);
  }, 30_000);
});

function word32(bytes: Buffer, at: number, value: number): Buffer {
  bytes.writeUInt32LE(value, at);
  return bytes;
}
