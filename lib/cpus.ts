// How many processors this process may use, and which.
import { fs } from './builtins.js';

type Read = (path: string) => string | undefined;

const CGROUPS = '/sys/fs/cgroup';

function readFile(path: string): string | undefined {
  try {
    return fs().readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function ratio(quota: number, period: number): number | undefined {
  return quota > 0 && period > 0 ? quota / period : undefined;
}

/** Of one folder of version 2: "max 100000" or "150000 100000". */
function quotaV2(read: Read, folder: string): number | undefined {
  const [quota, period] = (read(`${folder}/cpu.max`) ?? '').split(/\s+/).map(Number);
  return ratio(quota, period);
}

/** Of one folder of version 1, where -1 stands for no limit. */
function quotaV1(read: Read, folder: string): number | undefined {
  const quota = Number(read(`${folder}/cpu.cfs_quota_us`));
  return ratio(quota, Number(read(`${folder}/cpu.cfs_period_us`)));
}

/** The folder, and all those above it up to the mount point: each may have a limit of its own. */
function upwards(mount: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts
    .map((_, i) => `${mount}/${parts.slice(0, i + 1).join('/')}`)
    .reverse()
    .concat(mount);
}

/**
 * The processors that the quota of the process's control group amounts to, which need not be an
 * integer; undefined: there is no quota, or no control group.
 */
export function cpuQuota(read: Read = readFile): number | undefined {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const pathOf = (wanted: (controllers: string) => boolean) =>
    lines.find(([, controllers]) => controllers !== undefined && wanted(controllers))?.[2];
  const v2 = pathOf((controllers) => controllers === '') ?? '/';
  const v1 = pathOf((controllers) => controllers.split(',').includes('cpu'));
  const quotas = upwards(CGROUPS, v2).map((folder) => quotaV2(read, folder));
  if (v1 !== undefined) {
    for (const mount of [`${CGROUPS}/cpu`, `${CGROUPS}/cpu,cpuacct`]) {
      quotas.push(...upwards(mount, v1).map((folder) => quotaV1(read, folder)));
    }
  }
  const there = quotas.filter((quota) => quota !== undefined);
  return there.length === 0 ? undefined : Math.min(...there);
}

/**
 * Threads for `usable` processors under a quota. Part of a processor does not make a thread: more
 * threads than quota would be stopped in the midst of their turns.
 */
export function threadsFor(usable: number, quota: number | undefined): number {
  const allowed = quota === undefined ? usable : Math.min(usable, Math.floor(quota));
  return Math.max(1, allowed);
}
