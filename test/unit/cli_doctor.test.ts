// The diagnosis of `ringpoll doctor`: facts in, advice out.
import { describe, expect, it } from 'vitest';
import { capacity, KERNEL_BYTES, USER_BYTES } from '../../lib/cli/capacity.js';
import { type Check, diagnose } from '../../lib/cli/diagnosis.js';
import type { MachineFacts } from '../../lib/cli/machine_facts.js';

const healthy: MachineFacts = {
  platform: 'linux',
  arch: 'x64',
  kernel: '6.1.0',
  node: 'v22.0.0',
  engines: [
    { name: 'uring', available: true },
    { name: 'poll', available: true },
  ],
  openFiles: { soft: 1_048_576, hard: 1_048_576 },
  lockedBytes: { soft: 64 * 1024, hard: 64 * 1024 },
  somaxconn: 4096,
  portRange: [32_768, 60_999],
  uringDisabled: 0,
  filtered: false,
  cpus: 8,
  cpusUsable: 8,
};

function check(name: string, changes: Partial<MachineFacts>): Check {
  const found = diagnose({ ...healthy, ...changes }).find((each) => each.name === name);
  if (found === undefined) throw new Error(`no check named ${name}`);
  return found;
}

const refused = (reason: string): Partial<MachineFacts> => ({
  engines: [
    { name: 'uring', available: false, reason },
    { name: 'poll', available: true },
  ],
});

describe('the diagnosis of a machine', () => {
  it('finds nothing on a healthy one', () => {
    expect(diagnose(healthy).filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  it('calls an addon that does not load a problem, and passes its advice on', () => {
    const { status, advice } = check('addon', { addonProblem: 'npx ringpoll build' });
    expect([status, advice]).toEqual(['problem', 'npx ringpoll build']);
  });

  it('says how to raise the limit of open files without a new login, where that goes', () => {
    const { status, advice } = check('open files', { openFiles: { soft: 1024, hard: 524_288 } });
    expect(status).toBe('problem');
    expect(advice).toContain('ulimit -n 65536');
  });

  it('knows that a hard limit cannot be raised from inside', () => {
    const { status, advice } = check('open files', { openFiles: { soft: 20_000, hard: 20_000 } });
    expect(status).toBe('advice');
    expect(advice).toContain('LimitNOFILE');
  });

  it('names the switch that forbids io_uring', () => {
    const { status, advice } = check('io_uring', { ...refused('EPERM'), uringDisabled: 2 });
    expect(status).toBe('advice');
    expect(advice).toContain('kernel.io_uring_disabled=0');
  });

  it('names the container whose seccomp profile forbids io_uring', () => {
    const facts = { ...refused('EPERM'), filtered: true, container: 'Docker' };
    expect(check('io_uring', facts).advice).toContain("Docker's seccomp profile");
  });

  it('asks for a newer kernel when nothing else explains the refusal', () => {
    expect(check('io_uring', { ...refused('EINVAL'), kernel: '5.10.0' }).advice).toContain('5.19');
  });

  it('says nothing of io_uring where there is none', () => {
    const checks = diagnose({ ...healthy, platform: 'darwin', engines: [] });
    expect(checks.map(({ name }) => name)).not.toContain('io_uring');
  });

  it('minds locked memory on kernels that charge the rings to it', () => {
    expect(check('locked memory', { kernel: '5.10.0' }).status).toBe('advice');
    expect(check('locked memory', { kernel: '5.12.0' }).status).toBe('ok');
  });

  it('warns of a short accept queue and of few outgoing ports', () => {
    expect(check('accept queue', { somaxconn: 128 }).advice).toContain('somaxconn=4096');
    expect(check('outgoing ports', { portRange: [60_000, 60_999] }).status).toBe('advice');
  });

  it('counts loop threads by the quota of the cgroup', () => {
    expect(check('processors', { cpuQuota: 2.5 }).advice).toContain('at most 2 loop threads');
    expect(check('processors', { cpuQuota: 16 }).status).toBe('ok');
  });
});

describe('the limits for a million connections', () => {
  const MILLION = 1_000_000;
  const wide: MachineFacts = {
    ...healthy,
    openFiles: { soft: 1_100_000, hard: 1_100_000 },
    openFilesMax: 1_100_000,
    openFilesSystem: 9_000_000,
    somaxconn: 10_000,
    conntrackMax: MILLION,
    memoryBytes: 64e9,
  };
  const failing = (changes: Partial<MachineFacts>) =>
    capacity({ ...wide, ...changes }, MILLION).filter(({ status }) => status === 'problem');

  it('are met by a machine that has them all', () => {
    expect(failing({})).toEqual([]);
  });

  it.each<[string, Partial<MachineFacts>, string]>([
    [
      'files of one process',
      { openFiles: { soft: MILLION, hard: MILLION } },
      'LimitNOFILE=1000100',
    ],
    ['fs.nr_open', { openFilesMax: 1_048_576 - 100_000 }, 'fs.nr_open=1000100'],
    ['fs.file-max', { openFilesSystem: 2_000_000 }, 'fs.file-max=2000200'],
    ['accept queue', { somaxconn: 4096 }, 'somaxconn=10000'],
    ['conntrack', { conntrackMax: 262_144 }, 'nf_conntrack_max=1000000'],
    ['memory', { memoryBytes: MILLION * (USER_BYTES + KERNEL_BYTES) - 1 }, 'bytes of the process'],
  ])('name %s, and what to do', (name, changes, advice) => {
    const problems = failing(changes);
    expect(problems.map((each) => each.name)).toEqual([name]);
    expect(problems[0].advice).toContain(advice);
  });

  it('leave out what the machine does not tell', () => {
    const { openFiles, openFilesMax, openFilesSystem, conntrackMax, memoryBytes, ...rest } = wide;
    const names = capacity({ ...rest, somaxconn: undefined, portRange: undefined }, MILLION);
    expect(names).toEqual([]);
  });

  it('say how many addresses clients need at least: one has so many ports', () => {
    const addresses = capacity(wide, MILLION).find(({ name }) => name === 'client addresses');
    expect(addresses?.value).toContain('at least 36 ');
  });
});
