// Configuration that changes while the program runs: taken whole or not at all, in all threads.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { followConfig, hotConfig } from '../../lib/config/index.js';
import { SharedText } from '../../lib/config/shared.js';
import { fileWith } from '../support/temporary.js';

interface Limits {
  rate: number;
}

function limits(value: unknown): Limits {
  const { rate } = value as Limits;
  if (!(rate > 0)) throw new RangeError(`rate must be over 0, not ${rate}`);
  return { rate };
}

/** As an editor or a deployment does it. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

async function open(content: string, options = {}) {
  const path = fileWith(content);
  const told: string[] = [];
  const config = await hotConfig<Limits>(path, {
    validate: limits,
    interval: 2 ** 30,
    error: (error) => told.push(error.message),
    ...options,
  });
  onTestFinished(() => config.close());
  return { path, told, config };
}

describe('a hot configuration', () => {
  it('takes what is valid, and tells who listens', async () => {
    const { path, told, config } = await open('{"rate":1}');
    expect([config.value, config.sequence]).toEqual([{ rate: 1 }, 1]);
    const heard: Limits[] = [];
    const stop = config.subscribe((value) => heard.push(value));
    expect(await config.reload()).toBe(false);
    replace(path, '{"rate":2}');
    expect(await config.reload()).toBe(true);
    expect([config.value, config.sequence]).toEqual([{ rate: 2 }, 2]);
    stop();
    replace(path, '{"rate":3}');
    await config.reload();
    expect(heard).toEqual([{ rate: 2 }]);
    expect(told).toEqual([]);
  });

  it('keeps the old one when the new one is bad, and tells that once', async () => {
    const { path, told, config } = await open('{"rate":1}', { maxBytes: 100 });
    const bad = ['{"rate":0}', '{"rate":', `{"rate":5}${' '.repeat(100)}`];
    for (const content of bad) {
      replace(path, content);
      await expect(config.reload()).rejects.toThrow();
      expect([config.value, config.sequence]).toEqual([{ rate: 1 }, 1]);
    }
    expect(told).toHaveLength(3);
    expect(told[0]).toBe('rate must be over 0, not 0');
    replace(path, '{"rate":0}');
    await expect(config.reload()).rejects.toThrow();
    expect(await config.reload()).toBe(false);
    expect(told).toHaveLength(4);
    rmSync(path);
    await expect(config.reload()).rejects.toMatchObject({ code: 'ENOENT' });
    replace(path, '{"rate":4}');
    expect(await config.reload()).toBe(true);
    expect(config.value).toEqual({ rate: 4 });
  });

  it('does not begin with a bad one', async () => {
    for (const content of ['', '{"rate":-1}']) {
      await expect(hotConfig(fileWith(content), { validate: limits })).rejects.toThrow();
    }
    const missing = join(fileWith(''), 'missing');
    await expect(hotConfig(missing)).rejects.toMatchObject({ code: 'ENOTDIR' });
    const unknown = hotConfig(fileWith('{}'), { validator: limits } as never);
    await expect(unknown).rejects.toMatchObject({ code: 'ERR_RINGPOLL_UNKNOWN_OPTION' });
  });

  it('looks by itself', async () => {
    const { path, config } = await open('{"rate":1}', { interval: 5 });
    const changed = new Promise((resolve) => config.subscribe(resolve));
    replace(path, '{"rate":7}');
    expect(await changed).toEqual({ rate: 7 });
  });

  it('goes on when a listener throws', async () => {
    const { path, told, config } = await open('{"rate":1}');
    const heard: Limits[] = [];
    config.subscribe(() => {
      throw new Error('a listener');
    });
    config.subscribe((value) => heard.push(value));
    replace(path, '{"rate":2}');
    await config.reload();
    expect(heard).toEqual([{ rate: 2 }]);
    expect(told).toEqual(['a listener']);
  });
});

describe('other threads', () => {
  it('see each configuration by its sequence, and may refuse it for themselves', async () => {
    const { path, config } = await open('{"rate":1}');
    const told: string[] = [];
    const follower = followConfig<Limits>(config.handle, {
      validate(value) {
        if ((value as Limits).rate === 13) throw new Error('not here');
        return value as Limits;
      },
      error: (error) => told.push(error.message),
    });
    expect(follower.value).toEqual({ rate: 1 });
    expect(follower.value).toBe(follower.value);
    for (const rate of [2, 13, 3]) {
      replace(path, JSON.stringify({ rate }));
      await config.reload();
      expect(follower.sequence).toBe(config.sequence);
      expect(follower.value.rate).toBe(rate === 13 ? 2 : rate);
    }
    expect(told).toEqual(['not here']);
    expect(() => followConfig({} as never)).toThrow(/handle/);
  });

  it('never read a half', async () => {
    const shared = SharedText.ofBytes(50_000);
    shared.write('0'.repeat(10));
    // A reader of the same layout, in a thread that does nothing else.
    const worker = new Worker(
      `const { workerData, parentPort } = require('node:worker_threads');
      const words = new Int32Array(workerData, 0, 3);
      const half = (workerData.byteLength - 12) >>> 1;
      let reads = 0;
      for (let last = ''; last !== 'end'; reads++) {
        const sequence = Atomics.load(words, 0);
        const length = Atomics.load(words, 1 + (sequence & 1));
        const at = 12 + (sequence & 1) * half;
        const text = Buffer.from(new Uint8Array(workerData, at, length)).toString();
        if (Atomics.load(words, 0) !== sequence) continue;
        last = text;
        if (last !== 'end' && new Set(text).size !== 1) throw new Error('a half');
      }
      parentPort.postMessage(reads);`,
      { eval: true, workerData: shared.memory },
    );
    onTestFinished(() => void worker.terminate());
    const over = new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    for (let i = 0; i < 3000; i++) {
      expect(shared.write(String(i % 10).repeat(1 + ((i * 7919) % 50_000)))).toBe(true);
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(shared.write('x'.repeat(50_001))).toBe(false);
    shared.write('end');
    expect(await over).toBeGreaterThan(0);
  });
});
