// What ringpoll/register adds to the start of a program that never connects and never listens.
import { describe, expect, it } from 'vitest';
import { spawnNode } from '../support/program.js';

const REGISTER = ['--import', 'ringpoll/register'];
/**
 * CPU time that it may add, in parts of what the program takes without it: the median of some pairs
 * of runs. It is some 0.35, and more than 0.6 where all is loaded at once that a server needs.
 */
const ADDED_SHARE_MAX = 0.6;
const PAIRS = 9;
// Starting Node on a busy machine takes its time.
const TEST_MS_MAX = 120_000;
/** Modules that only what connects or listens needs. */
const OF_SOCKETS = /^NativeModule (cluster|child_process|dgram|tls|dns|worker_threads)$/;

async function printed(args: string[], program: string): Promise<unknown> {
  const ending = spawnNode([...args, '-e', program]).ending(TEST_MS_MAX);
  const { code, stdout, stderr } = await ending;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Of all its threads, from the start of the process to its last line. */
async function cpuMsOf(args: string[]): Promise<number> {
  const program = "require('http'); console.log(JSON.stringify(process.cpuUsage()))";
  const { user, system } = (await printed(args, program)) as NodeJS.CpuUsage;
  return (user + system) / 1000;
}

describe('the start with ringpoll/register', { timeout: TEST_MS_MAX }, () => {
  it('loads no module of Node that only what connects or listens needs', async () => {
    const program = `
      const isNodes = Object.getPrototypeOf(require('http').Server) === require('net').Server;
      console.log(JSON.stringify([isNodes, process.moduleLoadList]));`;
    const [isNodesWithout, usual] = (await printed([], program)) as [boolean, string[]];
    const [isNodes, loaded] = (await printed(REGISTER, program)) as [boolean, string[]];
    expect([isNodesWithout, isNodes]).toEqual([true, false]);
    const added = loaded.filter((name) => !usual.includes(name));
    expect(added.filter((name) => OF_SOCKETS.test(name))).toEqual([]);
  });

  it(`adds at most ${ADDED_SHARE_MAX} of the CPU time that it takes without it`, async () => {
    const added: number[] = [];
    for (let pair = 0; pair < PAIRS; pair++) {
      const without = await cpuMsOf([]);
      added.push((await cpuMsOf(REGISTER)) / without - 1);
    }
    added.sort((a, b) => a - b);
    expect(added[(PAIRS - 1) / 2]).toBeLessThan(ADDED_SHARE_MAX);
  });
});
