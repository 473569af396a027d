// What `ringpoll doctor` reads of this machine. What cannot be read is undefined.
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { cpuQuota } from '../cpus.js';
import { Loop } from '../index.js';
import type { EngineReport } from '../runtime/native.js';

export interface Limit {
  /** Infinity: unlimited. */
  soft: number;
  hard: number;
}

export interface MachineFacts {
  platform: string;
  arch: string;
  kernel: string;
  node: string;
  /** Why the addon does not load; undefined when it does. */
  addonProblem?: string;
  engines: EngineReport[];
  openFiles?: Limit;
  lockedBytes?: Limit;
  /** fs.nr_open: the most that one process may be allowed. */
  openFilesMax?: number;
  /** fs.file-max: of all processes together. */
  openFilesSystem?: number;
  /** Bytes that programs can still have, by MemAvailable and by the cgroup's limit. */
  memoryBytes?: number;
  /** Connections that the kernel's tracking of them has room for; undefined: it does not track. */
  conntrackMax?: number;
  somaxconn?: number;
  synBacklog?: number;
  portRange?: readonly [number, number];
  /** kernel.io_uring_disabled: 0 open to all, 1 to a group, 2 to nobody. */
  uringDisabled?: number;
  /** Whether a seccomp filter is in force. */
  filtered?: boolean;
  /** What kind of container this is, as far as it shows. */
  container?: string;
  cpus: number;
  cpusUsable: number;
  /** CPUs that the cgroup's quota allows; undefined: no quota. */
  cpuQuota?: number;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function readNumbers(path: string): number[] | undefined {
  return read(path)?.split(/\s+/).map(Number);
}

interface ReportedLimit {
  soft: number | string;
  hard: number | string;
}

function limitOf(name: string, unitBytes: number): Limit | undefined {
  const { userLimits } = process.report.getReport() as unknown as {
    userLimits?: Record<string, ReportedLimit>;
  };
  const limit = userLimits?.[name];
  if (limit === undefined) return undefined;
  const value = (of: number | string) =>
    of === 'unlimited' ? Number.POSITIVE_INFINITY : Number(of) * unitBytes;
  return { soft: value(limit.soft), hard: value(limit.hard) };
}

function containerKind(): string | undefined {
  if (process.env.KUBERNETES_SERVICE_HOST !== undefined) return 'Kubernetes';
  if (existsSync('/.dockerenv')) return 'Docker';
  if (existsSync('/run/.containerenv')) return 'Podman';
  return undefined;
}

/** What /proc/meminfo says is there, or less where the cgroup has a limit. */
function memoryBytes(): number | undefined {
  const available = /^MemAvailable:\s*(\d+) kB/m.exec(read('/proc/meminfo') ?? '')?.[1];
  if (available === undefined) return undefined;
  const limit = readNumbers('/sys/fs/cgroup/memory.max')?.[0];
  const used = readNumbers('/sys/fs/cgroup/memory.current')?.[0];
  const left = limit === undefined || used === undefined ? Number.NaN : limit - used;
  return Math.min(Number(available) * 1024, left >= 0 ? left : Number.POSITIVE_INFINITY);
}

function engineFacts(): Pick<MachineFacts, 'engines' | 'addonProblem'> {
  try {
    return { engines: Loop.current().capabilities.engines };
  } catch (error) {
    return { engines: [], addonProblem: (error as Error).message };
  }
}

export function readFacts(): MachineFacts {
  const ports = readNumbers('/proc/sys/net/ipv4/ip_local_port_range');
  const seccomp = /^Seccomp:\s*(\d)/m.exec(read('/proc/self/status') ?? '')?.[1];
  return {
    platform: process.platform,
    arch: process.arch,
    kernel: release(),
    node: process.version,
    ...engineFacts(),
    openFiles: limitOf('open_files', 1),
    lockedBytes: limitOf('max_locked_memory_bytes', 1),
    openFilesMax: readNumbers('/proc/sys/fs/nr_open')?.[0],
    openFilesSystem: readNumbers('/proc/sys/fs/file-max')?.[0],
    memoryBytes: memoryBytes(),
    conntrackMax: readNumbers('/proc/sys/net/netfilter/nf_conntrack_max')?.[0],
    somaxconn: readNumbers('/proc/sys/net/core/somaxconn')?.[0],
    synBacklog: readNumbers('/proc/sys/net/ipv4/tcp_max_syn_backlog')?.[0],
    portRange: ports === undefined ? undefined : [ports[0], ports[1]],
    uringDisabled: readNumbers('/proc/sys/kernel/io_uring_disabled')?.[0],
    filtered: seccomp === undefined ? undefined : seccomp === '2',
    container: containerKind(),
    cpus: cpus().length,
    cpusUsable: availableParallelism(),
    cpuQuota: cpuQuota(),
  };
}
