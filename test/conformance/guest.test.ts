import { AsyncLocalStorage } from 'node:async_hooks';
import { execFile } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startLoad } from '../support/load.js';
import { connectPeer, connectPeers, PeerServer } from '../support/peer.js';
import { startProgram } from '../support/program.js';
import { Recorders, within } from '../support/recorder.js';
import { addressOf, pattern, serve } from '../support/serve.js';

type Circumstance = 'an idle server' | 'a busy server';

/** Runs `work` beside a server that waits, or that has all hands full. */
async function beside(circumstance: Circumstance, work: () => Promise<void>): Promise<void> {
  if (circumstance === 'an idle server') {
    serve();
    return work();
  }
  const load = await startLoad();
  await work();
  // And the server has not been starved either.
  const before = load.messages();
  while (load.messages() < before + 100) await immediate();
  await load.stop();
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!;

describe.each<Circumstance>(['an idle server', 'a busy server'])('beside %s', (circumstance) => {
  it('timers of 1 ms come in time', async () => {
    await beside(circumstance, async () => {
      const times: number[] = [];
      for (let count = 0; count < 100; count += 1) {
        const started = performance.now();
        await delay(1);
        times.push(performance.now() - started);
      }
      expect(median(times)).toBeLessThan(10);
    });
  });

  it('setImmediate comes at once', async () => {
    await beside(circumstance, async () => {
      const times: number[] = [];
      for (let count = 0; count < 200; count += 1) {
        const started = performance.now();
        await immediate();
        times.push(performance.now() - started);
      }
      expect(median(times)).toBeLessThan(5);
    });
  });

  it('timers, immediates and ticks that start one another go on', async () => {
    await beside(circumstance, async () => {
      const order: string[] = [];
      for (let count = 0; count < 50; count += 1) {
        await new Promise<void>((resolve) => {
          setTimeout(() => {
            order.push('timer');
            setImmediate(() => {
              order.push('immediate');
              process.nextTick(() => {
                order.push('tick');
                queueMicrotask(resolve);
              });
            });
          }, 0);
        });
      }
      expect(order).toEqual(Array(50).fill(['timer', 'immediate', 'tick']).flat());
    });
  });

  it('files are read and written', async () => {
    const path = join(tmpdir(), `ringpoll-guest-${process.pid}`);
    await beside(circumstance, async () => {
      for (let count = 0; count < 20; count += 1) {
        const bytes = pattern(50_000, count + 1);
        await writeFile(path, bytes);
        expect((await readFile(path)).equals(bytes)).toBe(true);
      }
      await rm(path);
    });
  });

  it('names, hashes and compression come back from the thread pool', async () => {
    await beside(circumstance, async () => {
      const { address } = await lookup('127.0.0.1');
      expect(address).toBe('127.0.0.1');
      await expect(lookup('localhost')).resolves.toHaveProperty('address');
      const key = await promisify(pbkdf2)('secret', 'salt', 1000, 32, 'sha256');
      expect(key).toHaveLength(32);
      const packed = await promisify(gzip)(Buffer.alloc(100_000));
      expect(packed.length).toBeLessThan(1000);
    });
  });

  it('child processes run, and their output and end are heard', async () => {
    await beside(circumstance, async () => {
      const run = promisify(execFile);
      for (let count = 0; count < 5; count += 1) {
        const { stdout } = await run('sh', ['-c', `echo ${count}; sleep 0.02; echo end`]);
        expect(stdout).toBe(`${count}\nend\n`);
      }
      await expect(run('sh', ['-c', 'exit 3'])).rejects.toMatchObject({ code: 3 });
    });
  });

  it('signals are heard', async () => {
    await beside(circumstance, async () => {
      for (let count = 0; count < 5; count += 1) {
        const heard = new Promise((resolve) => process.once('SIGUSR2', resolve));
        process.kill(process.pid, 'SIGUSR2');
        await within(heard, () => 'the signal');
      }
    });
  });

  it('all of that at once comes through', async () => {
    await beside(circumstance, async () => {
      const jobs: (() => Promise<unknown>)[] = [
        () => delay(1),
        () => immediate(),
        () => readFile(import.meta.filename),
        () => lookup('localhost'),
        () => promisify(gzip)('x'),
        () => promisify(execFile)('true'),
      ];
      const worker = async (number: number) => {
        for (let count = 0; count < 20; count += 1) await jobs[(count + number) % jobs.length]!();
      };
      await Promise.all(Array.from({ length: 10 }, (_, number) => worker(number)));
    });
  });
});

/** Several connections, all of which have something to say in the same batch. */
async function batch(count: number, data: (index: number) => unknown): Promise<void> {
  let seen = 0;
  let all: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    all = resolve;
  });
  const recorders = new Recorders({
    data() {
      const index = seen;
      seen += 1;
      if (seen === count) setImmediate(all);
      return data(index);
    },
  });
  const peers = await connectPeers(addressOf(serve(recorders.recording)), count);
  await recorders.at(count - 1);
  for (const peer of peers) peer.send('x');
  await within(done, () => `${count} handlers; ${seen} ran`);
}

// In a process of its own: what this one does would wake libuv, and so hide what was forgotten.
describe('after a handler', () => {
  const alone = async () => connectPeer({ port: await startProgram('guest_alone').port() });

  it('immediates run before the next, unreferenced ones too', async () => {
    const peer = await alone();
    for (let count = 1; count <= 50; count += 1) {
      peer.send('order');
      await peer.received(count);
    }
    expect(peer.text).toBe('0'.repeat(50));
  });

  it('an unreferenced immediate runs although nothing else happens', async () => {
    const peer = await alone();
    for (let count = 1; count <= 5; count += 1) {
      peer.send('unref');
      await peer.received(count);
    }
  });

  it('what it has started in libuv begins although nothing else happens', async () => {
    const other = await PeerServer.listen();
    const peer = await alone();
    for (let count = 1; count <= 5; count += 1) {
      peer.send(`connect ${other.port}`);
      await other.next();
      await peer.received(count);
    }
  });
});

describe('between two handlers', () => {
  it('the ticks and microtasks of the first run, in the order of Node', async () => {
    const order: string[] = [];
    await batch(5, (index) => {
      order.push(`handler ${index}`);
      queueMicrotask(() => order.push(`microtask ${index}`));
      Promise.resolve().then(() => order.push(`promise ${index}`));
      process.nextTick(() => {
        order.push(`tick ${index}`);
        queueMicrotask(() => order.push(`nested microtask ${index}`));
        process.nextTick(() => order.push(`nested tick ${index}`));
      });
    });
    const each = (index: number) => [
      `handler ${index}`,
      `tick ${index}`,
      `nested tick ${index}`,
      `microtask ${index}`,
      `promise ${index}`,
      `nested microtask ${index}`,
    ];
    expect(order).toEqual([0, 1, 2, 3, 4].flatMap(each));
  });

  it('an async handler goes on up to its first real wait', async () => {
    const order: string[] = [];
    await batch(3, async (index) => {
      order.push(`${index} a`);
      await null;
      order.push(`${index} b`);
      await null;
      order.push(`${index} c`);
    });
    expect(order).toEqual(['0 a', '0 b', '0 c', '1 a', '1 b', '1 c', '2 a', '2 b', '2 c']);
  });

  it('the rejections that nobody handles are told as in Node', async () => {
    const reasons: unknown[] = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (reason) => reasons.push(reason));
    try {
      await batch(3, (index) => {
        Promise.reject(index);
        Promise.reject('handled').catch(() => {});
      });
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
    expect(reasons).toEqual([0, 1, 2]);
  });
});

describe('AsyncLocalStorage', () => {
  it('keeps the store of each handler over its awaits, under load', async () => {
    const storage = new AsyncLocalStorage<number>();
    const load = await startLoad();
    const results: boolean[] = [];
    let finished = 0;
    await batch(20, (index) =>
      storage.run(index, async () => {
        await delay(1);
        results.push(storage.getStore() === index);
        await immediate();
        await readFile(import.meta.filename);
        results.push(storage.getStore() === index);
        finished += 1;
      }),
    );
    while (finished < 20) await immediate();
    await load.stop();
    expect(results).toEqual(Array(40).fill(true));
  });

  it('has in handlers the store that listen() was called with', async () => {
    const storage = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    await storage.run('outer', () => batch(3, () => stores.push(storage.getStore())));
    expect(stores).toEqual(['outer', 'outer', 'outer']);
  });

  it('has no store in handlers of a server that was made without one', async () => {
    const storage = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    await batch(3, (index) => {
      stores.push(storage.getStore());
      storage.run(`inner ${index}`, () => {});
    });
    expect(stores).toEqual([undefined, undefined, undefined]);
  });

  it('does not carry what one handler entered into the next', async () => {
    const storage = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    await batch(3, (index) => {
      stores.push(storage.getStore());
      storage.enterWith(`entered ${index}`);
    });
    expect(stores).toEqual([undefined, undefined, undefined]);
  });
});
