// Cases for both modules: see fs_both.ts. Every one starts from the same folder.
import nodeFs, { constants } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { Case, Fs } from './fs_both.js';

export const TEXT = 'The quick brown fox jumps over the lazy dog.\n';
export const LARGE_BYTES = 3 * 1024 * 1024 + 123;

export function prepare(folder: string): void {
  const at = (name: string) => join(folder, name);
  nodeFs.writeFileSync(at('text'), TEXT);
  nodeFs.writeFileSync(at('empty'), '');
  nodeFs.writeFileSync(at('large'), Buffer.alloc(LARGE_BYTES, 'abcdefgh1234567'));
  nodeFs.mkdirSync(at('folder'));
  nodeFs.writeFileSync(at('folder/inside'), 'inside');
  nodeFs.symlinkSync('text', at('link'));
  nodeFs.symlinkSync('nowhere', at('dangling'));
  nodeFs.symlinkSync('loop', at('loop'));
}

type Handle = Awaited<ReturnType<Fs['open']>>;

/** Opens, works, closes whatever happens. */
async function using(
  fs: Fs,
  path: string,
  flags: string | number,
  work: (handle: Handle) => unknown,
): Promise<unknown> {
  const handle = await fs.open(path, flags);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

/** What each of the calls came to, errors included. */
async function each(calls: (() => unknown)[]): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const call of calls) {
    try {
      results.push(await call());
    } catch (error) {
      results.push(error);
    }
  }
  return results;
}

// Arguments that types forbid, and users pass.
const any = (value: unknown) => value as never;

const FLAGS = [
  ...['r', 'r+', 'rs', 'rs+', 'w', 'wx', 'w+', 'wx+', 'a', 'ax', 'a+', 'ax+', 'as', 'as+'],
  constants.O_RDONLY,
  constants.O_WRONLY | constants.O_CREAT,
  constants.O_RDONLY | constants.O_DIRECTORY,
];
const NAMES = ['text', 'empty', 'folder', 'new', 'link', 'dangling', 'loop', 'text/below', ''];

const openingCases: [string, Case][] = [
  ...FLAGS.map((flags): [string, Case] => [
    `open ${flags}`,
    (fs, folder) =>
      each(
        NAMES.map((name) => async () => {
          return using(fs, name === '' ? '' : join(folder, name), flags, (handle) =>
            each([
              () => handle.read(Buffer.alloc(8), 0, 8, 0),
              () => handle.write('written', 2),
              () => handle.readFile('utf8'),
              () => handle.stat(),
            ]),
          );
        }),
      ),
  ]),
  [
    'open with other arguments',
    (fs, folder) =>
      each(
        [
          [`${folder}/text\0`],
          [any(17)],
          [any(undefined)],
          [`${folder}/text`, 'nonsense'],
          [`${folder}/text`, any({})],
          [`${folder}/${'n'.repeat(300)}`],
          [`${folder}/${'n/'.repeat(3000)}`],
          [Buffer.from(`${folder}/text`)],
          [pathToFileURL(`${folder}/text`)],
          [new URL('http://localhost/text')],
          [`${folder}/made`, 'w', 0o600],
          [`${folder}/octal`, 'w', '0640'],
          [`${folder}/umask`, 'w', 0o777],
          [`${folder}/bad`, 'w', any('nonsense')],
        ].map((args) => async () => {
          const handle = await fs.open(...(args as Parameters<Fs['open']>));
          const { mode } = await handle.stat();
          await handle.close();
          return mode;
        }),
      ),
  ],
  [
    'close twice, and then use',
    async (fs, folder) => {
      const handle = await fs.open(`${folder}/text`, 'r+');
      await handle.close();
      await handle.close();
      const fd = handle.fd;
      const calls = [
        () => handle.read(Buffer.alloc(4)),
        () => handle.write('x'),
        () => handle.readFile(),
        () => handle.sync(),
        () => handle.datasync(),
        () => handle.truncate(),
        () => handle.stat(),
        () => handle.readv([Buffer.alloc(1)]),
        () => handle.writev([Buffer.alloc(1)]),
      ];
      const results = (await each(calls)) as NodeJS.ErrnoException[];
      return [fd, ...results.map(({ message, code }) => [message, code])];
    },
  ],
];

// Positions that are no safe integers are not here: versions of Node differ about them.
const reads = (handle: Handle): (() => unknown)[] => [
  () => handle.read(Buffer.alloc(10), 0, 10, 4),
  () => handle.read(Buffer.alloc(10), 3, 4, 0),
  () => handle.read(Buffer.alloc(10), 0, 10, 40),
  () => handle.read(Buffer.alloc(10), 0, 10, 1000),
  () => handle.read(Buffer.alloc(10)),
  () => handle.read(Buffer.alloc(10), null, null, null),
  () => handle.read(Buffer.alloc(6), 2),
  () => handle.read({ buffer: Buffer.alloc(5), position: 7 }),
  () => handle.read(any(Buffer.alloc(5)), any({ offset: 1, length: 2, position: 7 })),
  () => handle.read(new Uint16Array(4), 0, 8, 0),
  () => handle.read(new DataView(new ArrayBuffer(8), 2), 0, 6, 0),
  () => handle.read(Buffer.alloc(4), 0, 0, 0),
  () => handle.read(Buffer.alloc(0)),
  () => handle.read(Buffer.alloc(4), -1),
  () => handle.read(Buffer.alloc(4), 5),
  () => handle.read(Buffer.alloc(4), 0, 5),
  () => handle.read(Buffer.alloc(4), 0, -1),
  () => handle.read(Buffer.alloc(4), any('x')),
  () => handle.read(any('not a buffer')),
  async () => (await handle.read()).bytesRead,
  () => handle.readv([Buffer.alloc(3), Buffer.alloc(0), Buffer.alloc(70)], 5),
  () => handle.readv([Buffer.alloc(3), Buffer.alloc(4)]),
  () => handle.readv([Buffer.alloc(3), Buffer.alloc(4)], -1),
  () => handle.readv([Buffer.alloc(3), Buffer.alloc(4)], -5),
  () => handle.readv([Buffer.alloc(3), Buffer.alloc(4)], 1.5),
  () => handle.readv([Buffer.alloc(3), Buffer.alloc(4)], any('2')),
  () => handle.readv(any('x')),
  async () => (await handle.readFile()).toString(),
];

const transferCases: [string, Case][] = [
  [
    'read in every form',
    (fs, folder) => using(fs, `${folder}/text`, 'r', (handle) => each(reads(handle))),
  ],
  [
    'read of what cannot be read',
    (fs, folder) =>
      each([
        () => using(fs, `${folder}/text`, 'a', (handle) => handle.read(Buffer.alloc(4))),
        () => using(fs, `${folder}/folder`, 'r', (handle) => handle.read(Buffer.alloc(4))),
      ]),
  ],
  [
    'read of much',
    (fs, folder) =>
      using(fs, `${folder}/large`, 'r', async (handle) => {
        const all = await handle.read(Buffer.alloc(LARGE_BYTES + 10), 0, LARGE_BYTES + 10, 0);
        const part = await handle.read(Buffer.alloc(900_000), 0, 900_000, 1_000_001);
        return [all.bytesRead, all.buffer.subarray(-20), part.bytesRead, part.buffer];
      }),
  ],
  [
    'write in every form',
    (fs, folder) =>
      using(fs, `${folder}/text`, 'r+', async (handle) => [
        await each([
          () => handle.write(Buffer.from('0123456789'), 2, 5, 1),
          () => handle.write(Buffer.from('abc')),
          () => handle.write(Buffer.from('abcdef'), 4),
          () =>
            handle.write(any(Buffer.from('abcdef')), any({ offset: 1, length: 2, position: 30 })),
          () => handle.write('text', 50),
          () => handle.write('7061', 10, 'hex'),
          () => handle.write('höher'),
          () => handle.write(new Uint16Array([1, 2]), 0, 4, 20),
          () => handle.write(Buffer.alloc(0)),
          () => handle.write(''),
          () => handle.write(any(5)),
          () => handle.write(Buffer.alloc(4), 5),
          () => handle.write(Buffer.alloc(4), 0, 5),
          () => handle.write('x', 0, any('nonsense')),
          () => handle.writev([Buffer.from('one'), Buffer.alloc(0), new Uint8Array([50])], 60),
          () => handle.writev([Buffer.from('tail')]),
          () => handle.writev([]),
          () => handle.writev(any('x')),
        ]),
        nodeFs.readFileSync(`${folder}/text`),
      ]),
  ],
  [
    'write to what cannot be written',
    (fs, folder) =>
      using(fs, `${folder}/text`, 'r', (handle) =>
        each([
          () => handle.write('x'),
          () => handle.writev([Buffer.from('x')]),
          () => handle.truncate(1),
        ]),
      ),
  ],
  [
    'append, whatever the position',
    (fs, folder) =>
      using(fs, `${folder}/text`, 'a+', async (handle) => {
        await handle.write('at the end', 0);
        await handle.appendFile(' and on');
        return nodeFs.readFileSync(`${folder}/text`, 'utf8');
      }),
  ],
  [
    'truncate',
    (fs, folder) =>
      each([
        () => using(fs, `${folder}/text`, 'r+', (handle) => handle.truncate(5)),
        () => nodeFs.readFileSync(`${folder}/text`),
        () => fs.truncate(`${folder}/text`, 8),
        () => fs.truncate(`${folder}/text`, -3),
        () => nodeFs.readFileSync(`${folder}/text`),
        () => fs.truncate(`${folder}/text`, any(1.5)),
        () => fs.truncate(`${folder}/text`, any('x')),
        () => fs.truncate(`${folder}/none`),
        () => fs.truncate(`${folder}/folder`),
        () => using(fs, `${folder}/large`, 'r+', (handle) => handle.truncate()),
        () => fs.stat(`${folder}/large`),
      ]),
  ],
  [
    'sync, datasync and the attributes',
    (fs, folder) =>
      using(fs, `${folder}/text`, 'r+', async (handle) => {
        const results = await each([
          () => handle.sync(),
          () => handle.datasync(),
          () => handle.chmod(0o600),
          () => handle.utimes(1, 2),
        ]);
        const { mode, mtimeMs } = await handle.stat();
        return [results, mode, mtimeMs];
      }),
  ],
];

const wholeCases: [string, Case][] = [
  [
    'readFile',
    (fs, folder) =>
      each([
        () => fs.readFile(`${folder}/text`),
        () => fs.readFile(`${folder}/text`, 'utf8'),
        () => fs.readFile(`${folder}/text`, { encoding: 'base64' }),
        () => fs.readFile(`${folder}/text`, { encoding: null }),
        () => fs.readFile(`${folder}/text`, { flag: 'r+' }),
        () => fs.readFile(`${folder}/text`, { flag: 'w+' }),
        () => fs.readFile(`${folder}/empty`),
        () => fs.readFile(`${folder}/link`),
        () => fs.readFile(Buffer.from(`${folder}/folder/inside`)),
        () => fs.readFile(pathToFileURL(`${folder}/folder/inside`)),
        async () =>
          (await fs.readFile(`${folder}/large`)).equals(nodeFs.readFileSync(`${folder}/large`)),
        async () => (await fs.readFile(`${folder}/large`, 'latin1')).length,
        () => fs.readFile(`${folder}/none`),
        () => fs.readFile(`${folder}/dangling`),
        () => fs.readFile(`${folder}/loop`),
        () => fs.readFile(`${folder}/folder`),
        () => fs.readFile(`${folder}/text/below`),
        () => fs.readFile(''),
        () => fs.readFile(`${folder}/text\0`),
        () => fs.readFile(any({})),
        () => fs.readFile(`${folder}/text`, any('nonsense')),
        () => fs.readFile(`${folder}/text`, { flag: 'nonsense' }),
        async () => (await fs.readFile('/proc/self/cmdline', 'latin1')).slice(0, 10),
      ]),
  ],
  [
    'writeFile',
    (fs, folder) => {
      const path = `${folder}/new`;
      const read = () => nodeFs.readFileSync(path).toString('latin1').slice(0, 2000);
      async function* pieces() {
        yield 'one ';
        yield Buffer.from('two ');
        yield new Uint8Array([51]);
      }
      const data: [unknown, unknown?][] = [
        ['text'],
        ['höher', 'latin1'],
        [Buffer.from('bytes'), { mode: 0o600 }],
        [new DataView(new ArrayBuffer(3)), { flush: true }],
        [new Uint16Array([65, 66])],
        ['', { flag: 'a' }],
        ['more', { flag: 'a' }],
        ['exists', { flag: 'wx' }],
        [['a', 'b', Buffer.from('c')]],
        [pieces()],
        [Readable.from(['stream', 'ed'])],
        [Buffer.alloc(LARGE_BYTES, 'xyz')],
        [7],
        [null],
        [{}],
        ['x', { encoding: 'nonsense' }],
        ['x', { flag: 'nonsense' }],
        ['x', { flag: 0 }],
        ['x', { flag: '' }],
        ['x', { flush: 'yes' }],
        ['x', 17],
      ];
      return each(
        data.map(([value, options]) => async () => {
          await fs.writeFile(path, any(value), any(options));
          return [nodeFs.statSync(path).size, nodeFs.statSync(path).mode, read()];
        }),
      );
    },
  ],
  [
    'writeFile where it cannot be',
    (fs, folder) =>
      each([
        () => fs.writeFile(`${folder}/folder`, 'x'),
        () => fs.writeFile(`${folder}/none/below`, 'x'),
        () => fs.writeFile(`${folder}/text\0`, 'x'),
        () => fs.appendFile(`${folder}/folder`, 'x'),
      ]),
  ],
  [
    'appendFile',
    async (fs, folder) => {
      await fs.appendFile(`${folder}/text`, 'more');
      await fs.appendFile(`${folder}/fresh`, Buffer.from('begun'));
      return [nodeFs.readFileSync(`${folder}/text`), nodeFs.readFileSync(`${folder}/fresh`)];
    },
  ],
  [
    'whole files of a handle',
    (fs, folder) =>
      using(fs, `${folder}/text`, 'r+', async (handle) => [
        await handle.read(Buffer.alloc(4)),
        await handle.readFile('utf8'),
        await handle.readFile('utf8'),
        await handle.writeFile('more'),
        await fs.writeFile(handle, ' and more'),
        await fs.readFile(handle, 'utf8'),
        nodeFs.readFileSync(`${folder}/text`, 'utf8'),
      ]),
  ],
  [
    'whole files of a handle, with what is no data and no options',
    (fs, folder) =>
      using(fs, `${folder}/text`, 'r+', async (handle) => {
        const nothing: unknown[] = [undefined, null, 7, {}, new ArrayBuffer(3), true];
        const options: unknown[] = [-1, 'nonsense', { encoding: 'nonsense' }, true];
        const calls = [
          ...nothing.map((data) => () => handle.writeFile(any(data))),
          ...nothing.map((data) => () => handle.appendFile(any(data))),
          ...options.map((option) => () => handle.writeFile('x', any(option))),
          ...options.map((option) => () => handle.readFile(any(option))),
          () => handle.writeFile('x', any({ flush: 'yes' })),
        ];
        return [await each(calls), nodeFs.readFileSync(`${folder}/text`)];
      }),
  ],
];

const nameCases: [string, Case][] = [
  [
    'stat and lstat',
    (fs, folder) =>
      each(
        ['text', 'folder', 'link', 'dangling', 'loop', 'none', 'text/below'].flatMap((name) => [
          () => fs.stat(`${folder}/${name}`),
          () => fs.lstat(`${folder}/${name}`),
        ]),
      ),
  ],
  [
    'stat of others',
    (fs, folder) =>
      each([
        () => fs.stat('/dev/null'),
        async () => typeof (await fs.stat(`${folder}/text`, { bigint: true })).size,
        () => fs.stat(any(7)),
        () => fs.stat(`${folder}\0`),
        () => fs.stat(Buffer.from(folder)),
        () => fs.stat(''),
        () => fs.stat(`${folder}/half \ud800 of a pair`),
        () => fs.rename(`${folder}/half \ud800`, `${folder}/other \udc00`),
      ]),
  ],
  [
    'rename',
    (fs, folder) =>
      each([
        () => fs.rename(`${folder}/text`, `${folder}/empty`),
        () => fs.rename(`${folder}/none`, `${folder}/other`),
        () => fs.rename(`${folder}/empty`, `${folder}/folder`),
        () => fs.rename(`${folder}/folder`, `${folder}/empty`),
        () => fs.rename(`${folder}/empty`, `${folder}/none/below`),
        () => fs.rename(any(1), `${folder}/x`),
        () => nodeFs.readdirSync(folder),
        () => nodeFs.readFileSync(`${folder}/empty`),
      ]),
  ],
  [
    'unlink',
    (fs, folder) =>
      each([
        () => fs.unlink(`${folder}/text`),
        () => fs.unlink(`${folder}/text`),
        () => fs.unlink(`${folder}/link`),
        () => fs.unlink(`${folder}/folder`),
        () => fs.unlink(any(null)),
        () => nodeFs.readdirSync(folder),
      ]),
  ],
  [
    'readdir and copyFile',
    (fs, folder) =>
      each([
        async () => (await fs.readdir(folder)).sort(),
        async () =>
          (await fs.readdir(folder, { withFileTypes: true })).map((entry) => entry.name).sort(),
        () => fs.readdir(`${folder}/none`),
        () => fs.readdir(`${folder}/text`),
        () => fs.copyFile(`${folder}/text`, `${folder}/copy`),
        () => fs.copyFile(`${folder}/text`, `${folder}/copy`, constants.COPYFILE_EXCL),
        () => nodeFs.readFileSync(`${folder}/copy`),
      ]),
  ],
];

export const cases: [string, Case][] = [
  ...openingCases,
  ...transferCases,
  ...wholeCases,
  ...nameCases,
];
