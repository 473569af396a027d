// The lane that fuzzes TLS: what a server does with a stranger's first bytes, and what a connection
// does with records that somebody has changed. It needs the system's libssl.
// By hand: node test/lanes/fuzz_tls.mjs [SECONDS]
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fuzzLane } from '../support/fuzz-lane.mjs';

export const name = 'fuzz tls';

const root = fileURLToPath(new URL('../../', import.meta.url));
const core = join(root, 'native/core');

const u16 = (number) => [number >> 8, number & 0xff];
const sized = (bytes) => [...u16(bytes.length), ...bytes];
const extension = (type, bytes) => [...u16(type), ...sized(bytes)];

/** A ClientHello of TLS 1.2 and 1.3 in one record, with the name of a server. */
function clientHello(serverName, versions = [0x304, 0x303]) {
  const name = [...Buffer.from(serverName)];
  const extensions = [
    ...extension(0, sized([0, ...sized(name)])),
    ...extension(10, sized([...u16(0x1d), ...u16(0x17)])),
    ...extension(11, [1, 0]),
    ...extension(13, sized([0x04, 0x03, 0x08, 0x04, 0x04, 0x01])),
    ...extension(16, sized([8, ...Buffer.from('http/1.1')])),
    ...extension(43, [versions.length * 2, ...versions.flatMap(u16)]),
    ...extension(51, sized([...u16(0x1d), ...sized(Array(32).fill(9))])),
  ];
  const body = [
    ...[3, 3, ...Array(32).fill(7), 0],
    ...sized([0x13, 0x01, 0xc0, 0x2b, 0xc0, 0x2f, 0, 0xff]),
    ...[1, 0],
    ...sized(extensions),
  ];
  const message = [1, 0, ...u16(body.length), ...body];
  return Buffer.from([22, 3, 1, ...sized(message)]);
}

const withOption = (option, bytes) => Buffer.from([option, ...bytes]).toString('latin1');
const SEEDS = {
  hello_fuzz: [
    withOption(0, clientHello('localhost')),
    withOption(1, clientHello('a.other.example')),
    withOption(0, clientHello('LOCALHOST.', [0x303])),
    withOption(0, clientHello('localhost', [0x301])),
    withOption(0, Buffer.from('GET / HTTP/1.1\r\n\r\n')),
    withOption(0, Buffer.from([21, 3, 3, 0, 2, 2, 40])),
    withOption(0, Buffer.from([0, 9, 0, 0, 6, ...Buffer.from('a.b.c.')])),
  ],
  records_fuzz: [
    withOption(0, Buffer.from([0, 0, 1, 0, 1, 0])),
    withOption(7, Buffer.from([0, 0, 3, 0, 70, 0, 0, 0, 9, 0, 1, 0])),
    withOption(4, Buffer.from([0, 0, 1, 0, 1, 0, 0, 0, 30, 3, 0, 0, 50])),
    withOption(6, Buffer.from([0, 0, 1, 0, 1, 0, 0, 0, 12, 4])),
  ],
};

const SOURCES = [
  ...readdirSync(join(core, 'tls'))
    .filter((file) => file.endsWith('.cc') && !file.startsWith('filter'))
    .map((file) => join(core, 'tls', file)),
  join(core, 'base/assert.cc'),
  join(core, 'system/process_symbols.cc'),
  join(root, 'test/core/tls_certificates.cc'),
];

const lane = fuzzLane({
  part: 'tls',
  targets: { hello_fuzz: 10, records_fuzz: 10 },
  flags: ['-I', join(root, 'native'), '-I', join(root, 'test'), '-I', join(root, 'test/core')],
  sources: () => SOURCES,
  libraries: ['-ldl'],
  seeds: (target) => SEEDS[target],
});

export const { oneCpu, prepare, run } = lane;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await lane.byHand(Number(process.argv[2] ?? 0));
}
