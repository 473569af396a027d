// What runs in each worker of the compute pool: one job at a time, code loaded once.
import { parentPort } from 'node:worker_threads';
import type { Code, FromWorker, ToWorker } from './messages.js';

type Job = (data: unknown) => unknown;

const CHECK_SOURCE = '(value) => value + 1';

const loaded = new Map<number, Job>();

function fromSource(source: string): Job {
  return new Function(`return (${source})`)() as Job;
}

async function load({ id, source, url, exportName = 'default' }: Code): Promise<Job> {
  const known = loaded.get(id);
  if (known !== undefined) return known;
  let job: unknown;
  if (source !== undefined) {
    job = fromSource(source);
  } else {
    const module = (await import(url ?? '')) as Record<string, unknown>;
    job = module[exportName];
    if (typeof job !== 'function') {
      throw new TypeError(`${url} has no function ${exportName} to run`);
    }
  }
  loaded.set(id, job as Job);
  return job as Job;
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

async function warm(codes: Code[]): Promise<void> {
  // A module that does not load now fails the job that asks for it, with its own error.
  for (const code of codes) await load(code).catch(() => {});
  send({ kind: 'ready', checked: fromSource(CHECK_SOURCE)(41) === 42 });
}

async function run(message: ToWorker & { kind: 'job' }): Promise<void> {
  try {
    const job = await load(message.code ?? { id: message.codeId });
    send({ kind: 'done', value: await job(message.data) });
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    try {
      send({ kind: 'failed', error, code });
    } catch {
      // The error holds something that cannot be cloned.
      send({ kind: 'failed', error: new Error(String(error)), code: String(code) });
    }
  }
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'warm') void warm(message.codes);
  else if (message.kind === 'job') void run(message);
  else parentPort?.close();
});
