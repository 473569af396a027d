// The lane that fuzzes WebSocket: the parser of frames, and a whole connection.
// By hand: node test/lanes/fuzz_websocket.mjs [SECONDS]
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, constants as zlib } from 'node:zlib';
import { fuzzLane } from '../support/fuzz-lane.mjs';

export const name = 'fuzz websocket';

const root = fileURLToPath(new URL('../../', import.meta.url));
const core = join(root, 'native/core');
const KEY = [0x37, 0xfa, 0x21, 0x3d];

/** A masked frame of at most 125 bytes, as a binary string. */
function frame(first, payload) {
  const bytes = Buffer.from(payload);
  const masked = bytes.map((byte, index) => byte ^ KEY[index % 4]);
  return Buffer.from([first, 0x80 | bytes.length, ...KEY, ...masked]).toString('latin1');
}

function deflated(text) {
  return deflateRawSync(text, { finishFlush: zlib.Z_SYNC_FLUSH }).subarray(0, -4);
}

// The first byte has the options: 1 client, 2 compression, 4 short limits, 8 context takeover.
const SEEDS = [
  `\0${frame(0x81, 'hello')}${frame(0x82, 'binary')}`,
  `\0${frame(0x01, 'été €')}${frame(0x89, 'ping')}${frame(0x80, ' and more')}`,
  `\0${frame(0x88, Buffer.from([3, 232, 98, 121, 101]))}`,
  `\x02${frame(0xc1, deflated('hello hello hello hello'))}`,
  `\x0a${frame(0xc1, deflated('abc'.repeat(99)))}${frame(0xc2, deflated('abc'.repeat(50)))}`,
  `\x02${frame(0xc2, deflated(Buffer.alloc(90_000)))}`,
  '\x01\x81\x05hello\x8a\x00',
];

const websocket = readdirSync(join(core, 'websocket'))
  .filter((file) => file.endsWith('.cc'))
  .map((file) => `websocket/${file}`);
const SOURCES = {
  frames_fuzz: ['websocket/frame_parser.cc'],
  connection_fuzz: [...websocket, 'memory/arena.cc', 'base/assert.cc', 'system/process_symbols.cc'],
};

const lane = fuzzLane({
  part: 'websocket',
  targets: { frames_fuzz: 8, connection_fuzz: 12 },
  flags: ['-I', join(root, 'native'), '-I', join(root, 'test'), '-I', join(root, 'test/core')],
  sources: (target) => SOURCES[target].map((file) => join(core, file)),
  // It is looked up by name, as in Node.
  libraries: ['-Wl,--no-as-needed', '-lz', '-ldl'],
  seeds: () => SEEDS,
});

export const { oneCpu, prepare, run, replay } = lane;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await lane.byHand(Number(process.argv[2] ?? 0));
}
