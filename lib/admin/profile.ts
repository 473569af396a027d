// Profiles of this thread, through Node's inspector, and its heap.
import { Session } from 'node:inspector';
import { getHeapSnapshot } from 'node:v8';
import type { HttpResponse } from '../http/index.js';

const SAMPLING_US = 1000;

function posting(session: Session) {
  return (method: string, params: object = {}): Promise<Record<string, unknown>> =>
    new Promise((resolve, reject) => {
      session.post(method, params, (error, result) => {
        if (error === null) resolve((result ?? {}) as Record<string, unknown>);
        else reject(new Error(`The inspector refuses ${method}: ${error.message}`));
      });
    });
}

/** A CPU profile as Chromium's developer tools load it, of `seconds`, or until `signal` aborts. */
export async function cpuProfile(seconds: number, signal: AbortSignal): Promise<string> {
  const session = new Session();
  session.connect();
  try {
    const post = posting(session);
    await post('Profiler.enable');
    await post('Profiler.setSamplingInterval', { interval: SAMPLING_US });
    await post('Profiler.start');
    await pause(seconds * 1000, signal);
    const { profile } = await post('Profiler.stop');
    return JSON.stringify(profile);
  } finally {
    session.disconnect();
  }
}

/** Resolves after `ms`, or when `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}

/** Writes a heap snapshot piece by piece. The thread stands still while V8 makes it. */
export async function sendHeap(response: HttpResponse): Promise<void> {
  for await (const piece of getHeapSnapshot()) {
    if (!response.write(piece as Buffer)) await response.drained();
  }
  response.end();
}
