// One run of a workload of `ringpoll shadow`, in a process that runs nothing else.
import { createHash, type Hash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { explain as explainFiles } from '../fs/index.js';
import { Loop } from '../index.js';
import { Failure } from './command.js';

/** What a run reports. */
export interface ShadowRun {
  /** The engine that ran. */
  engine: string;
  /** What peers saw, by name. */
  seen: Record<string, { bytes: number; sha256: string }>;
  /** What the function returned, as JSON. */
  result: string;
  cpuMicroseconds: number;
  operations: number;
}

type Workload = (context: { engine: string; saw: Saw }) => unknown;
type Saw = (bytes: Uint8Array | string, name?: string) => void;

function operations(): number {
  const { accepted, connected, receives, sends } = Loop.current().metrics();
  const files = explainFiles().operations.reduce(
    (sum, { now, ring, pool }) => sum + now + ring + pool,
    0,
  );
  return accepted + connected + receives + sends + files;
}

async function load(script: string): Promise<Workload> {
  const { default: workload } = (await import(pathToFileURL(script).href)) as { default: unknown };
  if (typeof workload === 'function') return workload as Workload;
  throw new Failure(`${script} has no function as its default export`);
}

/** Runs the script's function and sends the report to the parent. */
export async function shadowRun(script: string): Promise<void> {
  const workload = await load(script);
  const { engine } = Loop.current();
  const notes = new Map<string, { bytes: number; hash: Hash }>();
  const saw: Saw = (bytes, name = 'peer') => {
    const note = notes.get(name) ?? { bytes: 0, hash: createHash('sha256') };
    notes.set(name, note);
    note.hash.update(bytes);
    note.bytes += typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.byteLength;
  };
  const before = operations();
  const start = process.cpuUsage();
  const result = await workload({ engine, saw });
  const { user, system } = process.cpuUsage(start);
  const report: ShadowRun = {
    engine,
    seen: Object.fromEntries(
      [...notes].map(([name, { bytes, hash }]) => [name, { bytes, sha256: hash.digest('hex') }]),
    ),
    result: JSON.stringify(result) ?? 'undefined',
    cpuMicroseconds: user + system,
    operations: operations() - before,
  };
  await new Promise<void>((resolve, reject) => {
    process.send?.(report, (error: Error | null) => (error ? reject(error) : resolve()));
  });
  process.disconnect?.();
}
