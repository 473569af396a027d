// Loops that end in the midst of file operations: nothing crashes, and nothing is left open.
import { once } from 'node:events';
import nodeFs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Loop } from 'ringpoll';
import { readFile, writeFile } from 'ringpoll/fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { programPath, runProgram } from '../support/program.js';
import { within } from '../support/recorder.js';
import { rounds } from '../support/rounds.js';

const WORKERS_MS_MAX = 60_000;
const TERMINATIONS = rounds(8, 20);
const AT_ONCE = 4;

async function startWorker(task: string, folder: string): Promise<Worker> {
  const worker = new Worker(programPath('fs_worker'), { workerData: { folder, task } });
  onTestFinished(async () => {
    await worker.terminate();
  });
  if (task !== 'exit') await within(once(worker, 'message'), () => 'a busy worker', 30_000);
  return worker;
}

/** Descriptors of files below the folder: those of loops and workers come and go. */
function openBelow(folder: string): string[] {
  return nodeFs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = nodeFs.readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

async function expectFilesWork(): Promise<void> {
  const path = `${temporaryFolder()}/file`;
  await writeFile(path, 'still here');
  expect(await readFile(path, 'utf8')).toBe('still here');
}

describe('a worker in the midst of file operations', () => {
  it(
    `may be terminated, ${TERMINATIONS} times`,
    async () => {
      const folder = temporaryFolder();
      for (let round = 0; round < TERMINATIONS / AT_ONCE; round += 1) {
        const starting = Array.from({ length: AT_ONCE }, async (_, index) => {
          const own = `${folder}/${round}-${index}`;
          nodeFs.mkdirSync(own);
          return startWorker('busy', own);
        });
        const workers = await Promise.all(starting);
        await Promise.all(workers.map((worker) => worker.terminate()));
      }
      // Without a ring the closes are node:fs's, and Node drops those that wait in its pool.
      if (Loop.current().engine !== 'poll') expect(openBelow(folder)).toEqual([]);
      await expectFilesWork();
    },
    WORKERS_MS_MAX,
  );

  it(
    'may be terminated while the kernel waits on its behalf',
    async () => {
      for (let round = 0; round < 3; round += 1) {
        const worker = await startWorker('fifo', temporaryFolder());
        await within(worker.terminate(), () => 'the end of the worker', 30_000);
      }
      await expectFilesWork();
    },
    WORKERS_MS_MAX,
  );

  it(
    'may end itself',
    async () => {
      for (let round = 0; round < 3; round += 1) {
        const worker = await startWorker('exit', temporaryFolder());
        const [code] = await within(once(worker, 'exit'), () => 'the end of the worker', 30_000);
        expect(code).toBe(7);
      }
    },
    WORKERS_MS_MAX,
  );
});

describe('the process', () => {
  it.each(['waits', 'unreferenced', 'openHandle'])('ends when it should: %s', async (name) => {
    const folder = temporaryFolder();
    const { code, stdout } = await runProgram('fs_ends', { args: [name, folder] });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'done\n' });
    if (name !== 'openHandle')
      expect(nodeFs.readFileSync(`${folder}/file`, 'utf8')).toBe('written');
  });

  it('may exit in the midst of writes', async () => {
    const { code, signal } = await runProgram('fs_ends', { args: ['exits', temporaryFolder()] });
    expect({ code, signal }).toEqual({ code: 7, signal: null });
  });
});
