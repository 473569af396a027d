// Runs one lane, or what prepares it, in a process of its own, and leaves its counts in a file.
// Usage: node test/support/lane-program.mjs NAME (run|prepare) FILE
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { lanes } from './lanes.mjs';

const NICE = 5;
const TICKS_PER_SECOND = 100; // of /proc, whatever the kernel's own rate is

/** Seconds of CPU of this process and all that it has waited for, where that is known. */
function cpuSeconds() {
  if (process.platform !== 'linux') return undefined;
  const [, behindName] = readFileSync('/proc/self/stat', 'utf8').split(') ');
  const [user, system, childUser, childSystem] = behindName.split(' ').slice(11, 15).map(Number);
  return (user + system + childUser + childSystem) / TICKS_PER_SECOND;
}

const [name, what, file] = process.argv.slice(2);
const lane = lanes.find((each) => each.name === name);
let result;
try {
  if (what === 'prepare') {
    setPriority(NICE);
    await lane.prepare();
    result = { passed: 0, failed: 0, skipped: 0 };
  } else {
    result = await lane.run();
  }
} catch (error) {
  console.log(error.stack);
  const [note] = error.message.split('\n');
  result = { passed: 0, failed: 1, skipped: 0, notes: [note] };
}
writeFileSync(file, JSON.stringify({ ...result, cpuSeconds: cpuSeconds() }));
// What a lane has left behind must not keep the others waiting.
process.exit(0);
