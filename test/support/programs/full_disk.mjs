// A TieredQueue and a configuration on a small file system that fills up, and has room again:
//
//   node full_disk.mjs FOLDER     which is the root of that file system
//
// Says what it has found as one line of JSON.
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { hotConfig } from 'ringpoll/config';
import { TieredQueue } from 'ringpoll/queues';

const [root] = process.argv.slice(2);
const FILLER = `${root}/filler`;
const ROUNDS = 3;
const SMALL = 100;

/** Takes all that is free. */
function fill() {
  const file = openSync(FILLER, 'a');
  try {
    for (let size = 65_536; size >= 1; size >>= 1) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size, 'x'));
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

const codeOf = (promise) =>
  promise.then(
    () => 'done',
    (error) => error.code,
  );

function gate() {
  const got = [];
  let open = () => {};
  const opened = new Promise((resolve) => {
    open = resolve;
  });
  const sink = async (items) => {
    await opened;
    got.push(...items.map(({ n }) => n));
  };
  return { got, open, sink };
}

/** Pushes until the disk is full, makes room, goes on; what was taken comes out in order. */
async function overflows() {
  const folder = `${root}/overflows`;
  mkdirSync(folder);
  const { got, open, sink } = gate();
  const told = [];
  const error = (each) => void told.push(each.code ?? each.message);
  const options = { folder, memory: 2, fsync: 'always', segmentBytes: 8192, retries: [1] };
  const queue = await TieredQueue.open({ ...options, sink, error });
  const taken = [];
  const refused = [];
  let n = 0;
  // Long records do not fit any more when short ones do: some of them are written in part.
  const push = async (length) => {
    const item = { n: n++, text: 'x'.repeat(length) };
    const code = await codeOf(queue.push(item));
    if (code === 'done') taken.push(item.n);
    else refused.push(code);
    return code;
  };
  for (let round = 0; round < ROUNDS; round++) {
    while ((await push(1000)) === 'done');
    fill();
    for (let i = 0; i < SMALL; i++) await push(i * 10);
    rmSync(FILLER, { force: true });
    if (round + 1 < ROUNDS) rmSync(`${root}/spare${round}`);
  }
  const other = refused.filter((code) => code !== 'ENOSPC');
  // The sink begins while the disk is full.
  fill();
  open();
  await queue.drained();
  const { diskBytes, done } = queue.counts;
  rmSync(FILLER, { force: true });
  const again = await queue.push({ n });
  await queue.drained();
  await queue.stop();
  const isWhole = JSON.stringify(got) === JSON.stringify([...taken, n]);
  return { isWhole, taken: taken.length, refused: refused.length, other, done, diskBytes, again };
}

/** stop() has no room for what is in memory; with room it is called again. */
async function stops() {
  const folder = `${root}/stops`;
  mkdirSync(folder);
  const error = () => {};
  const options = { folder, memory: 100, fsync: 'always', timeout: 60_000, error };
  const queue = await TieredQueue.open({ ...options, sink: () => new Promise(() => {}) });
  for (let n = 0; n < 100; n++) await queue.push({ n, text: 'x'.repeat(200) });
  fill();
  const first = await codeOf(queue.stop({ timeout: 0 }));
  const left = queue.counts.memory;
  rmSync(FILLER);
  const second = await codeOf(queue.stop({ timeout: 0 }));
  const got = [];
  const next = await TieredQueue.open({ ...options, sink: (items) => void got.push(...items) });
  await next.drained();
  await next.stop();
  return { first, left, second, got: got.map(({ n }) => n) };
}

/** A file that is written in its place, and cut off by the disk, changes nothing. */
async function configures() {
  const file = `${root}/limits.json`;
  const padded = (rate) => JSON.stringify({ pad: 'x'.repeat(20_000), rate });
  writeFileSync(file, padded(1));
  const told = [];
  const validate = (value) => value;
  const error = (each) => void told.push(each.name);
  const config = await hotConfig(file, { validate, error, interval: 60_000 });
  fill();
  // What the old content had is less than what the new one needs.
  let written = 'done';
  try {
    writeFileSync(file, `${' '.repeat(40_000)}${padded(2)}`);
  } catch (failed) {
    written = failed.code;
  }
  await config.reload().catch(() => {});
  const held = config.value.rate;
  rmSync(FILLER);
  writeFileSync(file, padded(3));
  await config.reload();
  const next = config.value.rate;
  config.close();
  return { written, told, held, next };
}

for (let i = 0; i < ROUNDS - 1; i++) writeFileSync(`${root}/spare${i}`, Buffer.alloc(65_536));
const found = {
  overflows: await overflows(),
  stops: await stops(),
  configures: await configures(),
};
console.log(JSON.stringify(found));
