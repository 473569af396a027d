// From facts about a machine to what should be done about them. Pure: facts in, checks out.
import type { MachineFacts } from './machine_facts.js';

export type Status = 'ok' | 'advice' | 'problem';

export interface Check {
  name: string;
  value: string;
  status: Status;
  /** What to do about it, and why. */
  advice?: string;
}

const OPEN_FILES_SMALL = 4096;
const OPEN_FILES_WANTED = 65536;
const SOMAXCONN_WANTED = 4096;
const PORTS_WANTED = 28_000;
/** Since this kernel the rings' memory is charged to the cgroup, not to RLIMIT_MEMLOCK. */
const MEMLOCK_UNCHARGED = [5, 12];
const MEMLOCK_WANTED_BYTES = 8 * 1024 * 1024;

function ok(name: string, value: string): Check {
  return { name, value, status: 'ok' };
}

function older(kernel: string, [major, minor]: readonly number[]): boolean {
  const [ours, oursMinor] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return ours < major || (ours === major && oursMinor < minor);
}

const shown = (value: number) => (value === Number.POSITIVE_INFINITY ? 'unlimited' : String(value));

function addon({ addonProblem, platform, arch }: MachineFacts): Check {
  if (addonProblem === undefined) return ok('addon', `loads on ${platform}-${arch}`);
  return { name: 'addon', value: 'does not load', status: 'problem', advice: addonProblem };
}

function openFiles({ openFiles: limit }: MachineFacts): Check | undefined {
  if (limit === undefined) return undefined;
  const name = 'open files';
  const value = `${shown(limit.soft)} (hard limit ${shown(limit.hard)})`;
  if (limit.soft >= OPEN_FILES_WANTED) return ok(name, value);
  const raise =
    limit.hard > limit.soft
      ? `ulimit -n ${Math.min(limit.hard, OPEN_FILES_WANTED)} before the start`
      : 'LimitNOFILE= in the systemd unit, or --ulimit nofile= for a container';
  return {
    ...{ name, value, status: limit.soft < OPEN_FILES_SMALL ? 'problem' : 'advice' },
    advice: `Each connection needs one. For ${OPEN_FILES_WANTED} connections: ${raise}.`,
  };
}

function acceptQueue({ somaxconn }: MachineFacts): Check | undefined {
  if (somaxconn === undefined) return undefined;
  if (somaxconn >= SOMAXCONN_WANTED) return ok('accept queue', `somaxconn ${somaxconn}`);
  return {
    ...{ name: 'accept queue', value: `somaxconn ${somaxconn}`, status: 'advice' },
    advice:
      `It limits how many new connections may wait; more are dropped. To raise it: ` +
      `sysctl -w net.core.somaxconn=${SOMAXCONN_WANTED}`,
  };
}

function ports({ portRange }: MachineFacts): Check | undefined {
  if (portRange === undefined) return undefined;
  const [first, last] = portRange;
  const value = `${first} to ${last}`;
  if (last - first + 1 >= PORTS_WANTED) return ok('outgoing ports', value);
  return {
    ...{ name: 'outgoing ports', value, status: 'advice' },
    advice:
      'A proxy needs one for each connection to an upstream. To have more: ' +
      'sysctl -w net.ipv4.ip_local_port_range="1024 65535"',
  };
}

/** What stands between this process and io_uring, in the order in which to look. */
function uringAdvice(facts: MachineFacts): string {
  const { uringDisabled, filtered, container } = facts;
  if (uringDisabled === 2) {
    return 'The administrator has switched it off: sysctl -w kernel.io_uring_disabled=0';
  }
  if (uringDisabled === 1) {
    return 'Only members of the group of kernel.io_uring_group may use it.';
  }
  if (filtered) {
    const who = container === undefined ? 'A seccomp filter' : `${container}'s seccomp profile`;
    return `${who} forbids it; docs/deployment.md has a profile that allows the three calls.`;
  }
  if (older(facts.kernel, [5, 19])) return 'It needs Linux 5.19 or newer.';
  return 'See docs/engines.md.';
}

function uring(facts: MachineFacts): Check | undefined {
  const report = facts.engines.find(({ name }) => name === 'uring');
  if (facts.platform !== 'linux' || report === undefined) return undefined;
  if (report.available) return ok('io_uring', 'available');
  return {
    ...{ name: 'io_uring', value: report.reason ?? 'not available', status: 'advice' },
    advice: `${uringAdvice(facts)} Until then epoll serves everything.`,
  };
}

function lockedMemory({ kernel, lockedBytes, platform }: MachineFacts): Check | undefined {
  if (platform !== 'linux' || lockedBytes === undefined) return undefined;
  const value = `${shown(lockedBytes.soft / 1024)} KB`;
  const enough = lockedBytes.soft >= MEMLOCK_WANTED_BYTES || !older(kernel, MEMLOCK_UNCHARGED);
  if (enough) return ok('locked memory', value);
  return {
    ...{ name: 'locked memory', value, status: 'advice' },
    advice:
      'Before Linux 5.12 the memory of the rings counts against it. To raise it: ulimit -l 65536',
  };
}

function processors({ cpus, cpusUsable, cpuQuota }: MachineFacts): Check {
  const quota = cpuQuota === undefined ? '' : `, quota ${Number(cpuQuota.toFixed(2))}`;
  const value = `${cpusUsable} of ${cpus} usable${quota}`;
  if (cpuQuota === undefined || cpuQuota >= cpusUsable) return ok('processors', value);
  return {
    ...{ name: 'processors', value, status: 'advice' },
    advice:
      'The system stops busy threads beyond the quota for a part of each period: ' +
      `use at most ${Math.max(1, Math.floor(cpuQuota))} loop threads.`,
  };
}

/** Checks that do not apply to this system are left out. */
export function diagnose(facts: MachineFacts): Check[] {
  const checks = [
    ok('node', facts.node),
    ok('kernel', `${facts.platform} ${facts.kernel}`),
    facts.container === undefined ? undefined : ok('container', facts.container),
    addon(facts),
    uring(facts),
    openFiles(facts),
    acceptQueue(facts),
    ports(facts),
    lockedMemory(facts),
    processors(facts),
  ];
  return checks.filter((check) => check !== undefined);
}
