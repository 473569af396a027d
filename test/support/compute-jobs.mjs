// Jobs that the tests of the compute pool run in workers.
import { threadId } from 'node:worker_threads';

export default function double(value) {
  return value * 2;
}

export async function later(ms) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return threadId;
}

export function fail(code) {
  throw Object.assign(new RangeError('by the job'), { code });
}

export function loops() {
  for (;;);
}

export function exits(code) {
  process.exit(code);
}

export function bytes(buffer) {
  return buffer.byteLength;
}
