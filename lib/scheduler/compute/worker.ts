// What runs in each worker of the compute pool: one job at a time, code loaded once.
import { parentPort } from 'node:worker_threads';
import type { Code, FromWorker, ToWorker } from './messages.js';

type Job = (data: unknown) => unknown;

const CHECK_SOURCE = '(value) => value + 1';

// What the pool has sent stays known, so that a job whose module did not load may try it again.
const known = new Map<number, Code>();
const loaded = new Map<number, Job>();

function fromSource(source: string): Job {
  return new Function(`return (${source})`)() as Job;
}

async function load({ id, source, url, exportName = 'default' }: Code): Promise<Job> {
  const ready = loaded.get(id);
  if (ready !== undefined) return ready;
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
  for (const code of codes) {
    known.set(code.id, code);
    await load(code).catch(() => {});
  }
  send({ kind: 'ready', checked: fromSource(CHECK_SOURCE)(41) === 42 });
}

async function run(message: ToWorker & { kind: 'job' }): Promise<void> {
  try {
    if (message.code !== undefined) known.set(message.codeId, message.code);
    const code = known.get(message.codeId) as Code;
    const job = await load(code);
    answer(await runJob(job, code, message.data));
  } catch (error) {
    fail(error);
  }
}

/** A function from source text has lost what was around it, and its own error would not say so. */
async function runJob(job: Job, { source }: Code, data: unknown): Promise<unknown> {
  try {
    return await job(data);
  } catch (error) {
    if (source !== undefined && error instanceof ReferenceError) {
      error.message +=
        ' (the function runs in a worker, from its text: it sees its argument alone)';
    }
    throw error;
  }
}

function answer(value: unknown): void {
  try {
    send({ kind: 'done', value });
  } catch (error) {
    const message = `The result of the job cannot be cloned: ${textOf(error)}`;
    fail(Object.assign(new TypeError(message), { code: 'ERR_RINGPOLL_WORKER_UNFIT' }));
  }
}

function fail(error: unknown): void {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const told = (value: unknown) =>
    typeof value === 'string' || typeof value === 'number' ? value : undefined;
  // A DOMException is no error to the clone, which would leave an empty object of it.
  const sent = error instanceof DOMException ? new Error(error.message) : error;
  try {
    send({ kind: 'failed', error: sent, code: told(code), name: told(name) });
  } catch {
    // The error holds something that cannot be cloned.
    send({ kind: 'failed', error: new Error(textOf(error)), code: told(code), name: undefined });
  }
}

function textOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'something that has no text was thrown';
  }
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'warm') void warm(message.codes);
  else if (message.kind === 'job') void run(message);
  else parentPort?.close();
});
