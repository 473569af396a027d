// node tiered.mjs FOLDER MEMORY FSYNC FROM [SEGMENT_BYTES SINK_MS]: pushes numbers from FROM on
// into a TieredQueue until it is killed. Lines: `kept N` is on the disk, `refused N CODE`, `sunk
// N`.
import { writeSync } from 'node:fs';
import { setTimeout as later } from 'node:timers/promises';
import { TieredQueue } from 'ringpoll/queues';

const [folder, memory, fsync, from, segmentBytes = '2000', sinkMs = '0'] = process.argv.slice(2);
const say = (text) => writeSync(1, text);
const queue = await TieredQueue.open({
  folder,
  memory: Number(memory),
  fsync: /^\d+$/.test(fsync) ? Number(fsync) : fsync,
  segmentBytes: Number(segmentBytes),
  batch: 7,
  error(error) {
    say(`told ${error.message}\n`);
  },
  async sink(items) {
    say(items.map((n) => `sunk ${n}\n`).join(''));
    await later(Number(sinkMs));
  },
});
say('ready\n');
for (let n = Number(from); ; ) {
  const pushes = Array.from({ length: 5 }, async () => {
    const own = n++;
    try {
      if ((await queue.push(own)) === 'disk') say(`kept ${own}\n`);
    } catch (error) {
      say(`refused ${own} ${error.code}\n`);
    }
  });
  await Promise.all(pushes);
  // So that the sink has its turn, and is behind all the same.
  await new Promise((resolve) => setImmediate(resolve));
}
