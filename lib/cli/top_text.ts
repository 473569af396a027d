// A report as text for a terminal.
import type { Report } from '../admin/sampler.js';
import { table } from './output.js';

const ROUTES_MIN = 5;
/** Lines that stand above the routes and below them. */
const OTHER_LINES = 21;

function digits(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 100) return value.toFixed(0);
  return size >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function count(value: number): string {
  if (value >= 1e6) return `${digits(value / 1e6)} M`;
  return value >= 1e4 ? `${digits(value / 1e3)} k` : digits(value);
}

export function time(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1) return `${digits(ms * 1000)} µs`;
  return ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`;
}

const share = (value: number) => `${digits(value * 100)} %`;
const megabytes = (bytes: number) => `${digits(bytes / 2 ** 20)} MB`;

/** Only what is there. */
const pairs = (numbers: Record<string, number>, format: (value: number) => string) =>
  Object.entries(numbers)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => `${name} ${format(value)}`)
    .join(', ') || 'none';

/** At most `rows` lines of `columns` characters. */
export function reportText(report: Report, columns: number, rows: number): string {
  const { info, requests, loop, cpu, memory, buffers, collections, errors, watchdog } = report;
  const { latency } = requests;
  const longest = collections.reduce((most, { ms }) => Math.max(most, ms), 0);
  const facts = [
    ['requests', `${count(requests.rate)}/s, ${requests.waiting} wait, ${requests.total} in all`],
    ['status', pairs(requests.classes, (value) => `${count(value)}/s`)],
    [
      'latency',
      `50 % ${time(latency.p50)}, 99 % ${time(latency.p99)}, 99.9 % ${time(latency.p999)}, ` +
        `99.99 % ${time(latency.p9999)}, longest ${time(latency.max)}`,
    ],
    ['connections', pairs(report.connections, count)],
    [
      'turns',
      `${count(loop.turnRate)}/s, 99 % ${time(loop.busy.p99)}, longest ${time(loop.busy.max)}`,
    ],
    ['time', pairs(loop.phases, share)],
    ['cpu', `${digits(cpu.user)} cores in programs, ${digits(cpu.system)} in the kernel`],
    ['memory', `${megabytes(memory.rss)}, JavaScript ${megabytes(memory.heapUsed)}`],
    ['buffers', `${buffers.outstanding} lent out, ${buffers.peak} at most`],
    ['collections', `${collections.length}, longest ${time(longest)}`],
    ['errors', pairs(errors, count)],
    ['alarms', pairs(report.alarms?.counts ?? {}, count)],
    [
      'kernel',
      `${count(report.kernel.majorFaults)} major faults/s, ` +
        `${count(report.kernel.preemptions)} times/s the processor was taken away`,
    ],
    ...(watchdog?.last === undefined
      ? []
      : [['watchdog', `${watchdog.overruns} overruns, longest ${time(watchdog.longestMs)}`]]),
  ];
  const shown = Math.max(ROUTES_MIN, rows - OTHER_LINES);
  const routes = report.routes
    .slice(0, shown)
    .map(({ server, route, rate, failedRate, p50, p99 }) => [
      ...[server, route || '(none)', `${count(rate)}/s`, `${count(failedRate)}/s`],
      ...[time(p50), time(p99)],
    ]);
  const head = ['server', 'route', 'requests', '5xx', '50 %', '99 %'];
  const lines = [
    `ringpoll ${info.version}, ${info.engine}, Node.js ${info.node}, process ${info.pid}`,
    '',
    ...table(facts).split('\n'),
    '',
    ...(routes.length === 0
      ? ['no requests yet']
      : table([head, ...routes], [2, 3, 4, 5]).split('\n')),
  ];
  return lines
    .slice(0, rows)
    .map((line) => (line.length > columns ? `${line.slice(0, columns - 1)}…` : line))
    .join('\n');
}
