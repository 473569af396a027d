// How many threads `threads: 'auto'` makes.
import { describe, expect, it } from 'vitest';
import { cpuQuota, threadsFor } from '../../lib/cpus.js';

const machine = (files: Record<string, string>) => (path: string) => files[path];

describe('the quota of a control group', () => {
  it('is that of cpu.max', () => {
    const v2 = { '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': '150000 100000' };
    expect(cpuQuota(machine(v2))).toBe(1.5);
    expect(cpuQuota(machine({ ...v2, '/sys/fs/cgroup/cpu.max': 'max 100000' }))).toBeUndefined();
  });

  it('is the least of those of the group and of the groups above it', () => {
    const files = {
      '/proc/self/cgroup': '0::/pods/one',
      '/sys/fs/cgroup/pods/one/cpu.max': '400000 100000',
      '/sys/fs/cgroup/pods/cpu.max': '250000 100000',
      '/sys/fs/cgroup/cpu.max': 'max 100000',
    };
    expect(cpuQuota(machine(files))).toBe(2.5);
  });

  it('is that of version 1 where that is in force', () => {
    const files = {
      '/proc/self/cgroup': '4:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '300000',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000',
    };
    expect(cpuQuota(machine(files))).toBe(3);
    const none = { ...files, '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1' };
    expect(cpuQuota(machine(none))).toBeUndefined();
  });

  it('is none where nothing can be read', () => {
    expect(cpuQuota(machine({}))).toBeUndefined();
  });
});

describe('the number of threads', () => {
  it.each([
    [8, undefined, 8],
    [8, 2.9, 2],
    [8, 0.5, 1],
    [2, 4, 2],
    [1, undefined, 1],
  ])('for %s processors and a quota of %s is %s', (usable, quota, threads) => {
    expect(threadsFor(usable, quota)).toBe(threads);
  });
});
