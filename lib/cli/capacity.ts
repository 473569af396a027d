// What many open connections need of a machine. Pure: facts in, checks out.
import type { Check } from './diagnosis.js';
import type { MachineFacts } from './machine_facts.js';

/** Descriptors that a process has beside its connections. */
const FILES_BESIDE = 100;
/**
 * Bytes for one idle connection, as docs/scale.md has measured them, rounded up: of the process,
 * without TLS, and of the kernel.
 */
export const USER_BYTES = 1536;
export const KERNEL_BYTES = 4096;
/** Clients come in bursts; a queue for a hundredth of them takes a burst of reconnects. */
const QUEUE_SHARE = 100;
const QUEUE_MIN = 4096;
const QUEUE_MAX = 65_535;

const shown = (value: number) => (value === Number.POSITIVE_INFINITY ? 'unlimited' : String(value));
const gb = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

function limit(
  name: string,
  have: number | undefined,
  need: number,
  advice: string,
  show: (value: number) => string = shown,
): Check | undefined {
  if (have === undefined) return undefined;
  const value = `${show(have)}, needed ${show(need)}`;
  if (have >= need) return { name, value, status: 'ok' };
  return { name, value, status: 'problem', advice };
}

/**
 * Every limit that stands between this machine and so many open connections to one process. What
 * cannot be read is left out.
 */
export function capacity(facts: MachineFacts, connections: number): Check[] {
  const files = connections + FILES_BESIDE;
  const queue = Math.min(Math.max(QUEUE_MIN, Math.ceil(connections / QUEUE_SHARE)), QUEUE_MAX);
  const memory = connections * (USER_BYTES + KERNEL_BYTES);
  const [first, last] = facts.portRange ?? [1, 0];
  const perAddress = last - first + 1;
  const checks = [
    limit(
      'files of one process',
      facts.openFiles?.soft,
      files,
      `LimitNOFILE=${files} in the systemd unit, --ulimit nofile=${files}:${files} for a ` +
        `container, or ulimit -n ${files}. A proxy needs twice as many.`,
    ),
    limit('fs.nr_open', facts.openFilesMax, files, `sysctl -w fs.nr_open=${files}`),
    limit('fs.file-max', facts.openFilesSystem, 2 * files, `sysctl -w fs.file-max=${2 * files}`),
    limit(
      'accept queue',
      facts.somaxconn,
      queue,
      `sysctl -w net.core.somaxconn=${queue}, and the same as backlog of listen()`,
    ),
    limit(
      'conntrack',
      facts.conntrackMax,
      connections,
      `sysctl -w net.netfilter.nf_conntrack_max=${connections}, or exempt the port by a rule ` +
        'of the table raw (NOTRACK). Some 320 bytes of kernel memory each.',
    ),
    limit(
      'memory',
      facts.memoryBytes,
      memory,
      `An idle connection takes ${USER_BYTES} bytes of the process and ${KERNEL_BYTES} of the ` +
        'kernel, without TLS: add memory, or spread the connections over machines.',
      gb,
    ),
    perAddress > 0
      ? {
          name: 'client addresses',
          value: `at least ${Math.ceil(connections / perAddress)} for ${connections} connections`,
          status: 'ok' as const,
        }
      : undefined,
  ];
  return checks.filter((check) => check !== undefined);
}
