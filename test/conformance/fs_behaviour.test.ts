// What comparing results with node:fs does not show: fairness, buffers, aborts, leaks, streams.
import { execFileSync } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setImmediate as immediate } from 'node:timers/promises';
import { Loop } from 'ringpoll';
import { explain, open, readFile, stat, writeFile } from 'ringpoll/fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { evict } from '../support/fs_evict.js';
import { codeOf, within } from '../support/recorder.js';
import { pattern } from '../support/serve.js';

function fileOf(bytes: Buffer | string): string {
  const path = join(temporaryFolder(), 'file');
  nodeFs.writeFileSync(path, bytes);
  return path;
}

function fifo(): string {
  const path = join(temporaryFolder(), 'fifo');
  execFileSync('mkfifo', [path]);
  return path;
}

const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as Error,
  );

const openDescriptors = () => nodeFs.readdirSync('/proc/self/fd').length;
const ringRuns = () => Loop.current().engine !== 'poll';

describe('answers that come at once', () => {
  it('do not keep timers and others out', async () => {
    const handle = await open(fileOf(pattern(4096)));
    const buffer = Buffer.alloc(4096);
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 1);
    let reads = 0;
    while (!fired && reads < 1_000_000) {
      await handle.read(buffer, 0, 4096, 0);
      reads += 1;
    }
    expect(fired).toBe(true);
    await handle.close();
  });

  it('are what the page cache gives, with either engine (Linux)', async (context) => {
    context.skip(process.platform !== 'linux', 'a facility of Linux');
    const path = fileOf('cached');
    const count = () => explain().operations.find(({ operation }) => operation === 'readFile')!.now;
    // After a read that took long, as on a busy machine, workers read for 100 ms.
    const before = count();
    const deadline = performance.now() + 5000;
    while (count() === before && performance.now() < deadline) await readFile(path);
    expect(count()).toBe(before + 1);
  });

  it('are not given by /proc, which is read all the same', async (context) => {
    context.skip(process.platform !== 'linux', 'a facility of Linux');
    expect(await readFile('/proc/self/status', 'utf8')).toContain('VmRSS');
  });
});

describe('explain()', () => {
  it('tells where each operation goes, and why not to the ring', async () => {
    await stat(fileOf('x'));
    const { operations } = explain();
    const byName = Object.fromEntries(operations.map((entry) => [entry.operation, entry]));
    expect(byName.stat!.now + byName.stat!.ring + byName.stat!.pool).toBeGreaterThan(0);
    expect(byName.readdir!.reason).toContain('no operation that lists');
    if (ringRuns()) expect(byName.sync!.reason).toBeUndefined();
    else expect(byName.sync!.reason).toMatch(/^no ring: ./);
  });
});

describe('a file that is not in the page cache', () => {
  it('is read whole, and in pieces', async () => {
    const bytes = pattern(2_000_000);
    const path = fileOf(bytes);
    evict(path);
    expect((await readFile(path)).equals(bytes)).toBe(true);
    evict(path);
    const handle = await open(path);
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(1_500_000), 0, 1_500_000, 7);
    expect(bytesRead).toBe(1_500_000);
    expect(buffer.equals(bytes.subarray(7, 1_500_007))).toBe(true);
    await handle.close();
  });

  it('gives its block of the arena back', async () => {
    const path = fileOf(pattern(600_000));
    await readFile(path);
    await immediate();
    const before = Loop.current().metrics().arenaOutstanding!;
    for (let i = 0; i < 5; i += 1) {
      evict(path);
      await readFile(path);
    }
    await immediate();
    await immediate();
    expect(Loop.current().metrics().arenaOutstanding).toBeLessThanOrEqual(before + 1);
  });

  it('may lose its buffer meanwhile: transferred away, it is not written to', async () => {
    const path = fileOf(pattern(100_000));
    evict(path);
    const handle = await open(path);
    const buffer = new Uint8Array(100_000);
    const reading = handle.read(buffer, 0, 100_000, 0);
    const moved = structuredClone(buffer, { transfer: [buffer.buffer] });
    await reading;
    expect(moved.length).toBe(100_000);
    await handle.close();
  });
});

describe('a write by the ring', () => {
  it('has its own copy: the buffer may be used again at once', async (context) => {
    context.skip(!ringRuns(), 'there is no ring');
    const path = fileOf('');
    const handle = await open(path, 'w');
    const buffer = Buffer.from('first');
    const writing = handle.write(buffer);
    buffer.fill('x');
    await writing;
    await handle.close();
    expect(nodeFs.readFileSync(path, 'utf8')).toBe('first');
  });
});

describe('close()', () => {
  it('waits for what is under way', async () => {
    const path = fileOf('');
    const handle = await open(path, 'w');
    const order: string[] = [];
    const writing = handle.write(pattern(200_000)).then(() => order.push('written'));
    const closing = handle.close().then(() => order.push('closed'));
    expect(codeOf(await rejection(handle.write('late')))).toBe('EBADF');
    await Promise.all([writing, closing]);
    expect(order).toEqual(['written', 'closed']);
    expect(nodeFs.statSync(path).size).toBe(200_000);
  });

  it('happens at the end of a scope', async () => {
    const handle = await open(fileOf('x'));
    await handle[Symbol.asyncDispose]();
    expect(handle.fd).toBe(-1);
  });

  it('leaves no descriptor behind, after successes and failures', async () => {
    const path = fileOf('x');
    await readFile(path);
    const before = openDescriptors();
    for (let i = 0; i < 50; i += 1) {
      await readFile(path, 'utf8');
      await writeFile(path, 'y');
      await rejection(readFile(`${path}/below`));
      await rejection(writeFile(`${path}/below`, 'z'));
      const handle = await open(path, 'r+');
      await handle.close();
    }
    expect(openDescriptors()).toBeLessThanOrEqual(before);
  });

  it('is done by the collector for a handle that was forgotten, with a warning', async () => {
    const warning = once(process, 'warning');
    await open(fileOf('x'));
    for (let i = 0; i < 10; i += 1) {
      (globalThis as { gc?: () => void }).gc?.();
      await immediate();
    }
    const [{ message, code }] = (await within(warning, () => 'a warning')) as [
      Error & { code: string },
    ];
    expect(code).toBe('RINGPOLL_FILE_NOT_CLOSED');
    expect(message).toMatch(/^Closing file descriptor \d+ on garbage collection/);
  });
});

describe('an abort', () => {
  it('before the call rejects it', async () => {
    const signal = AbortSignal.abort(new Error('why'));
    const path = fileOf('x');
    for (const call of [readFile(path, { signal }), writeFile(path, 'y', { signal })]) {
      const error = await rejection(call);
      expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
      expect((error!.cause as Error).message).toBe('why');
    }
    expect(nodeFs.readFileSync(path, 'utf8')).toBe('x');
  });

  it('ends the wait for a FIFO that nobody writes to', async () => {
    const controller = new AbortController();
    const reading = rejection(readFile(fifo(), { signal: controller.signal }));
    await immediate();
    controller.abort();
    const error = await within(reading, () => 'the end of the read');
    expect(error).toMatchObject({ name: 'AbortError' });
  });

  it('is cancelled in the kernel where the ring waits for a FIFO', async (context) => {
    context.skip(!ringRuns(), 'there is no ring');
    const controller = new AbortController();
    const opening = rejection(readFile(fifo(), { flag: 'rs', signal: controller.signal }));
    await immediate();
    await immediate();
    controller.abort();
    expect(await within(opening, () => 'the end of the open')).toMatchObject({
      name: 'AbortError',
    });
  });

  it('ends a write between two pieces', async () => {
    const controller = new AbortController();
    async function* pieces() {
      yield 'one';
      controller.abort();
      yield 'two';
    }
    const path = fileOf('');
    const error = await rejection(writeFile(path, pieces(), { signal: controller.signal }));
    expect(error).toMatchObject({ name: 'AbortError' });
    expect(nodeFs.readFileSync(path, 'utf8')).toBe('one');
  });
});

describe('an abort of a read or write of a handle', () => {
  const ENGINES = ['auto', 'uring', 'pool'] as const;
  /** Open for both ends: neither waits for the other, and a read waits for bytes. */
  const openFifo = async (path: string) => {
    const handle = await open(path, 'r+');
    onTestFinished(() => handle.close());
    return handle;
  };

  it.each(ENGINES)('before the call does nothing but reject it (%s)', async (engine) => {
    const path = fileOf('abc');
    const handle = await open(path, 'r+');
    onTestFinished(() => handle.close());
    const signal = AbortSignal.abort(new Error('why'));
    const buffer = Buffer.alloc(3);
    for (const call of [
      () => handle.read(buffer, { signal, engine }),
      () => handle.read({ buffer, signal, engine }),
      () => handle.read({ buffer, length: 0, signal, engine }),
      () => handle.write(Buffer.from('xyz'), { signal, engine }),
    ]) {
      const error = await rejection(call());
      expect(error).toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
      expect((error!.cause as Error).message).toBe('why');
    }
    // The position has not moved.
    const { bytesRead } = await handle.read(buffer, { signal: new AbortController().signal });
    expect(buffer.toString('latin1', 0, bytesRead)).toBe('abc');
    expect(nodeFs.readFileSync(path, 'utf8')).toBe('abc');
  });

  it('ends a read that waits, and loses nothing (the ring)', async (context) => {
    context.skip(!ringRuns(), 'there is no ring');
    const path = fifo();
    const handle = await openFifo(path);
    const controller = new AbortController();
    const { signal } = controller;
    const reading = rejection(handle.read(Buffer.alloc(10), { signal, engine: 'uring' }));
    await immediate();
    await immediate();
    controller.abort();
    const error = await within(reading, () => 'the end of the read');
    expect(error).toMatchObject({ name: 'AbortError' });
    nodeFs.writeFileSync(path, 'late');
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(10), 0, 10, null);
    expect(buffer.toString('utf8', 0, bytesRead)).toBe('late');
  });

  it('ends a write that waits, and nothing of it is written (the ring)', async (context) => {
    context.skip(!ringRuns(), 'there is no ring');
    const path = fifo();
    const handle = await openFifo(path);
    const fill = nodeFs.openSync(path, nodeFs.constants.O_RDWR | nodeFs.constants.O_NONBLOCK);
    onTestFinished(() => nodeFs.closeSync(fill));
    let filled = 0;
    const more = Buffer.alloc(4096, 'f');
    expect(() => {
      for (;;) filled += nodeFs.writeSync(fill, more);
    }).toThrow(/EAGAIN/);
    const controller = new AbortController();
    const { signal } = controller;
    const writing = rejection(handle.write(Buffer.from('late'), { signal, engine: 'uring' }));
    await immediate();
    await immediate();
    controller.abort();
    const error = await within(writing, () => 'the end of the write');
    expect(error).toMatchObject({ name: 'AbortError' });
    let left = 0;
    const some = Buffer.alloc(4096);
    expect(() => {
      for (;;) left += nodeFs.readSync(fill, some);
    }).toThrow(/EAGAIN/);
    expect(left).toBe(filled);
  });

  it('waits for a read that is in libuv’s pool, whose bytes are not lost', async () => {
    const path = fifo();
    const handle = await openFifo(path);
    const controller = new AbortController();
    const { signal } = controller;
    const reading = handle.read(Buffer.alloc(10), { signal, engine: 'pool' });
    await immediate();
    controller.abort();
    nodeFs.writeFileSync(path, 'kept');
    const { bytesRead, buffer } = await within(reading, () => 'the end of the read');
    expect(buffer.toString('utf8', 0, bytesRead)).toBe('kept');
  });

  it('lets go of its signal', async () => {
    const handle = await open(fileOf('abc'), 'r+');
    onTestFinished(() => handle.close());
    const { signal } = new AbortController();
    for (const engine of ENGINES) {
      await handle.read(Buffer.alloc(3), { position: 0, signal, engine });
      await handle.write(Buffer.from('abc'), { position: 0, signal, engine });
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('has an AbortSignal, or is an error', async () => {
    const handle = await open(fileOf('abc'), 'r+');
    onTestFinished(() => handle.close());
    const signal = {} as AbortSignal;
    const code = 'ERR_RINGPOLL_INVALID_ARG_TYPE';
    expect(await rejection(handle.read(Buffer.alloc(3), { signal }))).toMatchObject({ code });
    expect(await rejection(handle.write(Buffer.from('x'), { signal }))).toMatchObject({ code });
  });
});

describe('a FIFO', () => {
  it('is read to its end, however late its writer comes', async () => {
    const path = fifo();
    const reading = readFile(path, 'utf8');
    await immediate();
    const writer = await open(path, 'w');
    await writer.write('through ');
    await writer.write('the pipe');
    await writer.close();
    expect(await within(reading, () => 'the end of the FIFO')).toBe('through the pipe');
  });

  it('opens when somebody is at its other end', async () => {
    const path = fifo();
    let opened = false;
    const opening = open(path).then((handle) => {
      opened = true;
      return handle;
    });
    for (let i = 0; i < 20; i += 1) await immediate();
    expect(opened).toBe(false);
    const writer = await within(open(path, 'w'), () => 'the writing end');
    const reader = await within(opening, () => 'the reading end');
    const reading = reader.read(Buffer.alloc(10), 0, 10);
    await writer.write('now');
    expect((await within(reading, () => 'the bytes')).bytesRead).toBe(3);
    await writer.close();
    expect((await reader.read(Buffer.alloc(10), 0, 10)).bytesRead).toBe(0);
    await reader.close();
  });
});

describe('streams', () => {
  it('copy a file with backpressure, and close their handles', async () => {
    const bytes = pattern(3_000_000);
    const path = fileOf(bytes);
    const from = await open(path);
    const to = await open(`${path}.copy`, 'w');
    await pipeline(from.createReadStream(), to.createWriteStream());
    expect(nodeFs.readFileSync(`${path}.copy`).equals(bytes)).toBe(true);
    expect([from.fd, to.fd]).toEqual([-1, -1]);
  });

  it('are iterated over, in parts, as text, and by lines', async () => {
    const path = fileOf('one\ntwo\nthree\n');
    const part = await open(path);
    let text = '';
    for await (const piece of part.createReadStream({ start: 4, end: 8, encoding: 'utf8' })) {
      text += piece;
    }
    expect(text).toBe('two\nt');
    const lines: string[] = [];
    for await (const line of (await open(path)).readLines()) lines.push(line);
    expect(lines).toEqual(['one', 'two', 'three']);
  });

  it('read no more than is asked for', async () => {
    const handle = await open(fileOf(pattern(1_000_000)));
    const stream = handle.createReadStream({ highWaterMark: 16_384 });
    await once(stream, 'readable');
    for (let i = 0; i < 20; i += 1) await immediate();
    expect(stream.bytesRead).toBeLessThanOrEqual(2 * 16_384);
    stream.destroy();
    await once(stream, 'close');
    expect(handle.fd).toBe(-1);
  });
});

describe('flushes of one handle', () => {
  const flushes = () => {
    const { now, ring, pool } = explain().operations.find((op) => op.operation === 'datasync')!;
    return now + ring + pool;
  };

  it('are shared by all who ask while one is under way', async () => {
    const handle = await open(fileOf(''), 'a');
    const before = flushes();
    let over = 0;
    const all = Array.from({ length: 50 }, async () => {
      await handle.write('record\n');
      await handle.datasync();
      over += 1;
    });
    await Promise.all(all);
    expect(over).toBe(50);
    expect(flushes() - before).toBeLessThan(50);
    await handle.datasync();
    await handle.close();
  });

  it('begin after those who share them have asked', async () => {
    const handle = await open(fileOf(''), 'r+');
    const before = flushes();
    await Promise.all([handle.datasync(), handle.datasync(), handle.datasync()]);
    expect(flushes() - before).toBe(2);
    await handle.close();
  });

  it('fail for all of them', async () => {
    const path = fifo();
    const handle = await open(path, 'r+');
    const errors = await Promise.all([1, 2, 3].map(() => rejection(handle.sync())));
    expect(errors.map(codeOf)).toEqual(['EINVAL', 'EINVAL', 'EINVAL']);
    await handle.close();
  });
});

describe('fallocate()', () => {
  it('reserves a range', async (context) => {
    context.skip(process.platform !== 'linux', 'a call of Linux');
    const path = fileOf('');
    const handle = await open(path, 'r+');
    await handle.fallocate(0, 1_000_000);
    expect((await handle.stat()).size).toBe(1_000_000);
    await handle.close();
    const reader = await open(path);
    const error = await rejection(reader.fallocate(0, 10));
    expect(error).toMatchObject({ code: 'EBADF', syscall: 'fallocate' });
    expect(() => reader.fallocate(-1, 10)).toThrow(RangeError);
    await reader.close();
  });
});

describe('a position beyond 32 bits', () => {
  it('is kept, as a number and as a bigint', async () => {
    const path = fileOf('');
    const handle = await open(path, 'r+');
    const far = 5 * 2 ** 32 + 3;
    await handle.write(Buffer.from('far'), 0, 3, far);
    const first = await handle.read(Buffer.alloc(3), 0, 3, far);
    const second = await handle.read(Buffer.alloc(3), 0, 3, BigInt(far));
    expect([first.buffer.toString(), second.buffer.toString()]).toEqual(['far', 'far']);
    await handle.close();
  });
});
