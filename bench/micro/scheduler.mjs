// What the scheduler costs, beside plain promises: nanoseconds per operation.
//
//   node bench/micro/scheduler.mjs [--json] [--rounds N] [--only PATTERN]
//
// One process per trial, plain and scheduled in turns, the median of all rounds. Within a trial
// five passes run after a warm-up, and their median counts.
import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Channel, HybridScheduler } from 'ringpoll/scheduler';
import { commandLine, numberOption } from '../../scripts/command_line.mjs';
import { describeMachine } from '../lib/machine.mjs';
import { median, pairedRatio } from '../lib/stats.mjs';
import { number, ratio, table } from '../lib/table.mjs';

const PASSES = 5;
const WARM_UP_PASSES = 2;
const BATCH = 100;

const empty = async () => {};
const nothing = () => {};

const scheduler = new HybridScheduler();

async function batches(count, one) {
  for (let done = 0; done < count; done += BATCH) {
    const batch = [];
    for (let index = 0; index < BATCH; index++) batch.push(one());
    await Promise.all(batch);
  }
}

/** The least that hands values from one async function to another, one at a time. */
class PlainHandOver {
  #receive = undefined;
  #sent = undefined;

  send(value) {
    if (this.#receive !== undefined) {
      const receive = this.#receive;
      this.#receive = undefined;
      receive(value);
      return Promise.resolve();
    }
    return new Promise((taken) => {
      this.#sent = { value, taken };
    });
  }

  receive() {
    if (this.#sent !== undefined) {
      const { value, taken } = this.#sent;
      this.#sent = undefined;
      taken();
      return Promise.resolve(value);
    }
    return new Promise((receive) => {
      this.#receive = receive;
    });
  }
}

async function handOver(count, channel) {
  const produce = async () => {
    for (let value = 0; value < count; value++) await channel.send(value);
  };
  const consume = async () => {
    for (let value = 0; value < count; value++) await channel.receive();
  };
  await Promise.all([produce(), consume()]);
}

async function handOverOfTasks(count, channel) {
  const produce = async (context) => {
    for (let value = 0; value < count; value++) await channel.send(value, context);
  };
  const consume = async (context) => {
    for (let value = 0; value < count; value++) await channel.receive(context);
  };
  await Promise.all([scheduler.run(produce), scheduler.run(consume)]);
}

// Each case: the limit in nanoseconds (if there is one), how many operations a pass has, and the
// two ways to do them.
const cases = {
  'empty task, awaited one by one': {
    limit: 500,
    count: 200_000,
    plain: async (count) => {
      for (let index = 0; index < count; index++) await empty();
    },
    scheduled: async (count) => {
      for (let index = 0; index < count; index++) await scheduler.run(empty);
    },
  },
  'empty task, 100 at a time': {
    limit: 500,
    count: 200_000,
    plain: (count) => batches(count, empty),
    scheduled: (count) => batches(count, () => scheduler.run(empty)),
  },
  'empty task with class and key': {
    count: 200_000,
    plain: async (count) => {
      for (let index = 0; index < count; index++) await empty();
    },
    scheduled: async (count) => {
      const options = { class: 'request', key: 'connection' };
      for (let index = 0; index < count; index++) await scheduler.run(empty, options);
    },
  },
  'empty plain function': {
    limit: 500,
    count: 200_000,
    plain: async (count) => {
      for (let index = 0; index < count; index++) await nothing();
    },
    scheduled: async (count) => {
      for (let index = 0; index < count; index++) await scheduler.run(nothing);
    },
  },
  'yield (plain: await null)': {
    count: 200_000,
    plain: async (count) => {
      for (let index = 0; index < count; index++) await null;
    },
    scheduled: (count) =>
      scheduler.run(async (context) => {
        for (let index = 0; index < count; index++) await context.yield();
      }),
  },
  'channel hand-over, unbuffered': {
    limit: 200,
    count: 200_000,
    plain: (count) => handOver(count, new PlainHandOver()),
    scheduled: (count) => handOver(count, new Channel()),
  },
  'channel hand-over, buffer of 64': {
    limit: 200,
    count: 200_000,
    plain: (count) => handOver(count, new PlainHandOver()),
    scheduled: (count) => handOver(count, new Channel(64)),
  },
  'the same between tasks, buffer of 64': {
    limit: 200,
    count: 200_000,
    plain: (count) => handOver(count, new PlainHandOver()),
    scheduled: (count) => handOverOfTasks(count, new Channel(64)),
  },
  'the same between tasks, unbuffered': {
    count: 200_000,
    plain: (count) => handOver(count, new PlainHandOver()),
    scheduled: (count) => handOverOfTasks(count, new Channel()),
  },
  'shouldYield() (plain: performance.now())': {
    limit: 10,
    count: 5_000_000,
    plain: async (count) => {
      const end = performance.now() + 1e9;
      let late = 0;
      for (let index = 0; index < count; index++) if (performance.now() > end) late++;
      return late;
    },
    scheduled: (count) =>
      scheduler.run((context) => {
        let late = 0;
        for (let index = 0; index < count; index++) if (context.shouldYield()) late++;
        return late;
      }),
  },
};

async function trial(name, side) {
  const { count, [side]: run } = cases[name];
  const passes = [];
  for (let pass = 0; pass < WARM_UP_PASSES + PASSES; pass++) {
    const start = process.hrtime.bigint();
    await run(count);
    const ns = Number(process.hrtime.bigint() - start) / count;
    if (pass >= WARM_UP_PASSES) passes.push(ns);
  }
  return median(passes);
}

async function inProcess(name, side) {
  const args = [fileURLToPath(import.meta.url), '--trial', name, '--side', side];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

async function compare(name, rounds) {
  const plain = new Map();
  const scheduled = new Map();
  for (let round = 0; round < rounds; round++) {
    plain.set(round, await inProcess(name, 'plain'));
    scheduled.set(round, await inProcess(name, 'scheduled'));
  }
  const { limit } = cases[name];
  const ns = median([...scheduled.values()]);
  return {
    name,
    plainNs: median([...plain.values()]),
    ns,
    ratio: pairedRatio(scheduled, plain),
    limitNs: limit,
    within: limit === undefined ? undefined : ns <= limit,
    rounds: { plain: [...plain.values()], scheduled: [...scheduled.values()] },
  };
}

const USAGE = 'usage: node bench/micro/scheduler.mjs [--rounds N] [--only NAME] [--json]';
const { values } = commandLine(USAGE, {
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    trial: { type: 'string' },
    side: { type: 'string' },
  },
});

if (values.trial !== undefined) {
  console.log(await trial(values.trial, values.side));
} else {
  const names = Object.keys(cases).filter((name) => name.includes(values.only));
  const results = [];
  for (const name of names)
    results.push(await compare(name, numberOption(values, 'rounds', [1, 1000], USAGE)));
  if (values.json) {
    console.log(JSON.stringify({ machine: describeMachine(), results }, null, 2));
  } else {
    const rows = results.map(({ name, plainNs, ns, ratio: times, limitNs, within }) => [
      name,
      number(plainNs),
      number(ns),
      ratio(times),
      limitNs ?? '',
      within === undefined ? '' : within ? 'yes' : 'NO',
    ]);
    console.log(table(['ns each', 'plain', 'ringpoll', 'ratio', 'limit', 'within'], rows));
  }
}
