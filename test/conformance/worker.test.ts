import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { programPath, runProgram } from '../support/program.js';
import { within } from '../support/recorder.js';
import { rounds } from '../support/rounds.js';
import { bothSides } from '../support/serve.js';

const MANY_WORKERS_MS_MAX = 60_000;
const TERMINATIONS = rounds(24, 100);
const AT_ONCE = 4;
const STARTS = rounds(8, 20);

function startWorker(task: string, workerData = {}): Worker {
  const worker = new Worker(programPath('loop_worker'), { workerData: { task, ...workerData } });
  onTestFinished(async () => {
    await worker.terminate();
  });
  return worker;
}

/** The first message of a worker; its error, should it have one. */
async function message<T>(worker: Worker): Promise<T> {
  const [value] = await within(once(worker, 'message'), () => 'a message of the worker', 30_000);
  return value as T;
}

async function exitCode(worker: Worker): Promise<number> {
  const [code] = await within(once(worker, 'exit'), () => 'the end of the worker', 30_000);
  return code as number;
}

async function expectLoopWorks(): Promise<void> {
  const { client } = await bothSides({ data: (connection, chunk) => connection.write(chunk) });
  client.connection.write('still here');
  await client.received(10);
  expect(client.text).toBe('still here');
}

describe('a loop in a worker', () => {
  it(
    'is its own: 20 in 20 workers echo at the same time, and end by themselves',
    async () => {
      const workers = Array.from({ length: 20 }, () => startWorker('echo', { roundTrips: 200 }));
      const exits = workers.map(exitCode);
      const results = await Promise.all(
        workers.map((worker) => message<{ engine: string; left: number }>(worker)),
      );
      expect(results.map(({ left }) => left)).toEqual(Array(20).fill(0));
      expect(new Set(results.map(({ engine }) => engine)).size).toBe(1);
      expect(await Promise.all(exits)).toEqual(Array(20).fill(0));
      await expectLoopWorks();
    },
    MANY_WORKERS_MS_MAX,
  );

  it('serves the main thread, and stops when told', async () => {
    const worker = startWorker('serve');
    const exit = exitCode(worker);
    const { port } = await message<{ port: number }>(worker);
    const peer = await connectPeer({ port });
    peer.send('over there');
    expect(await peer.received(10)).toBe('over there');
    const stopped = message(worker);
    worker.postMessage('stop');
    peer.end();
    expect(await stopped).toBe('stopped');
    expect(await exit).toBe(0);
  });

  it(
    `may be terminated in the midst of its work, ${TERMINATIONS} times`,
    async () => {
      for (let round = 0; round < TERMINATIONS / AT_ONCE; round += 1) {
        const workers = Array.from({ length: AT_ONCE }, () => startWorker('busy'));
        await Promise.all(workers.map((worker) => message(worker)));
        const codes = await Promise.all(workers.map((worker) => worker.terminate()));
        expect(codes).toEqual(Array(AT_ONCE).fill(1));
      }
      await expectLoopWorks();
    },
    MANY_WORKERS_MS_MAX,
  );

  it(
    'may be terminated while it starts',
    async () => {
      for (let round = 0; round < STARTS; round += 1) {
        const worker = startWorker('busy');
        if (round % 2 === 0) await once(worker, 'online');
        await worker.terminate();
      }
      await expectLoopWorks();
    },
    MANY_WORKERS_MS_MAX,
  );

  it('may end its thread by process.exit() inside a handler', async () => {
    for (let round = 0; round < 5; round += 1) {
      expect(await exitCode(startWorker('exit'))).toBe(7);
    }
    await expectLoopWorks();
  });
});

describe('process.exit() in the midst of sending and receiving', () => {
  it.each(['handler', 'microtask', 'tick', 'immediate', 'timer'])(
    'from a %s ends the process at once, with its code',
    async (from) => {
      const { code, signal, stderr } = await runProgram('exit_mid_io', { args: [from] });
      expect({ code, signal, stderr }).toEqual({ code: 7, signal: null, stderr: '' });
    },
  );

  it('is not needed: a signal ends it too', async () => {
    const { code, signal, stderr } = await runProgram('exit_mid_io', { args: ['signal'] });
    expect({ code, signal, stderr }).toEqual({ code: null, signal: 'SIGTERM', stderr: '' });
  });
});
