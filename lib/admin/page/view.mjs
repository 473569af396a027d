// What the page shows: tiles, charts and tables, each a list of what it takes from a report.
import { formatBytes, formatClock, formatNumber, formatShare, formatTime } from './format.mjs';

const perSecond = (value) => `${formatNumber(value)}/s`;
const PHASES = ['javascript', 'receiving', 'sending', 'host', 'waiting'];
const STATES = ['active', 'idle', 'open', 'connecting', 'handshake', 'ending', 'closing'];
const CLASSES = ['2xx', '3xx', '4xx', '5xx', '1xx'];

export const TILES = [
  ['Requests', (report) => perSecond(report.requests.rate)],
  ['Median', (report) => formatTime(report.requests.latency.p50)],
  ['99 %', (report) => formatTime(report.requests.latency.p99)],
  ['99.99 %', (report) => formatTime(report.requests.latency.p9999)],
  ['Waiting', (report) => formatNumber(report.requests.waiting)],
  ['Connections', (report) => formatNumber(sum(Object.values(report.connections)))],
  ['CPU', (report) => formatShare(report.cpu.user + report.cpu.system)],
  ['Memory', (report) => formatBytes(report.memory.rss)],
  ['Alarms', (report) => formatNumber(sum(Object.values(report.alarms?.counts ?? {})))],
];

const sum = (values) => values.reduce((total, value) => total + value, 0);
const ALARMS = {
  schedulingDelay: 'Events wait for JavaScript',
  gcPause: 'Pause of the garbage collector',
  loopDelay: 'One turn of the loop',
};
const latency = (name) => (report) =>
  report.requests.latency.count === 0 ? Number.NaN : report.requests.latency[name];

const ROUND_TRIP_BUCKETS = 256;
const startOf = (bucket) => 0.1 * 10 ** ((bucket / ROUND_TRIP_BUCKETS) * 4);

function heatOf({ roundTrips }) {
  const counts = new Map();
  let all = 0;
  for (const { buckets } of roundTrips) {
    for (let at = 0; at < buckets.length; at += 2) {
      counts.set(buckets[at], (counts.get(buckets[at]) ?? 0) + buckets[at + 1]);
      all += buckets[at + 1];
    }
  }
  return [...counts].map(([bucket, count]) => [startOf(bucket), startOf(bucket + 1), count / all]);
}

function meanOf(roundTrips) {
  const connections = sum(roundTrips.map((each) => each.connections));
  if (connections === 0) return Number.NaN;
  return sum(roundTrips.map((each) => each.mean * each.connections)) / connections;
}

/** `when` says whether there is anything to show. */
export const CHARTS = [
  {
    id: 'rate',
    title: 'Requests a second, by status',
    format: formatNumber,
    series: CLASSES.map((name) => [name, (report) => report.requests.classes[name] ?? 0]),
  },
  {
    id: 'latency',
    title: 'Latency of requests',
    format: formatTime,
    log: true,
    series: [
      ['50 %', latency('p50')],
      ['90 %', latency('p90')],
      ['99 %', latency('p99')],
      ['99.9 %', latency('p999')],
      ['99.99 %', latency('p9999')],
      ['longest', latency('max')],
    ],
  },
  {
    id: 'delay',
    title: 'Loop delay and pauses of the garbage collector',
    format: formatTime,
    log: true,
    series: [
      ['turn, 99 %', (report) => report.loop.busy.p99],
      ['turn, longest', (report) => report.loop.busy.max],
      ['event waits, 99 %', (report) => report.loop.delay.p99],
    ],
    marksName: 'collections (bars), longest',
    marks: (report) => report.collections.map(({ ago, ms }) => [report.at - ago, ms]),
  },
  {
    id: 'phases',
    title: 'What the thread does',
    format: formatShare,
    stacked: true,
    most: 1,
    series: PHASES.map((name) => [name, (report) => report.loop.phases[name]]),
  },
  {
    id: 'connections',
    title: 'Connections by state',
    format: formatNumber,
    stacked: true,
    least: 4,
    series: STATES.map((state) => [state, (report) => report.connections[state]]),
  },
  {
    id: 'turns',
    title: 'Turns and events a second',
    format: formatNumber,
    series: [
      ['turns', (report) => report.loop.turnRate],
      ['events', (report) => report.loop.eventRate],
    ],
  },
  {
    id: 'buffers',
    title: 'Buffers that are lent out',
    format: formatNumber,
    series: [
      ['outstanding', (report) => report.buffers.outstanding],
      ['most so far', (report) => report.buffers.peak],
    ],
  },
  {
    id: 'memory',
    title: 'Memory',
    format: formatBytes,
    binary: true,
    series: [
      ['process', (report) => report.memory.rss],
      ['JavaScript heap', (report) => report.memory.heapUsed],
      ['beside the heap', (report) => report.memory.external],
    ],
  },
  {
    id: 'cpu',
    title: 'Processor, in cores',
    format: formatNumber,
    stacked: true,
    series: [
      ['programs', (report) => report.cpu.user],
      ['kernel', (report) => report.cpu.system],
    ],
  },
  {
    id: 'round-trips',
    title: 'Round trips of connections',
    format: formatTime,
    log: true,
    logLeast: 0.1,
    most: 1000,
    when: (report) => report.roundTrips.some(({ connections }) => connections > 0),
    heat: heatOf,
    series: [['mean', (report) => meanOf(report.roundTrips)]],
  },
  {
    id: 'scheduler',
    title: 'Tasks that wait for their turn, by class',
    format: formatNumber,
    when: (report) => report.scheduler !== undefined,
    series: ['connection', 'request', 'business'].map((name) => [
      name,
      (report) => report.scheduler?.classes[name]?.ready ?? 0,
    ]),
  },
];

export const TABLES = [
  {
    id: 'routes',
    title: 'Busiest routes',
    empty: 'No request yet',
    columns: ['Server', 'Route', 'Requests', '5xx', 'Median', '99 %'],
    texts: 2,
    rows: ({ routes }) =>
      routes.map(({ server, route, rate, failedRate, p50, p99 }) => [
        ...[server, route || '(none)', perSecond(rate), perSecond(failedRate)],
        ...[formatTime(p50), formatTime(p99)],
      ]),
  },
  {
    id: 'ways',
    title: 'Engine and route of operations',
    empty: 'No operation yet',
    columns: ['Operation', 'Way', 'Rate'],
    texts: 2,
    rows: ({ ways }) => ways.map(({ operation, way, rate }) => [operation, way, perSecond(rate)]),
  },
  {
    id: 'errors',
    title: 'Errors by code',
    empty: 'No error',
    columns: ['Code', 'Count'],
    rows: ({ errors }) =>
      Object.entries(errors)
        .sort(([, a], [, b]) => b - a)
        .map(([code, count]) => [code, formatNumber(count)]),
  },
  {
    id: 'alarms',
    title: 'Alarms',
    empty: 'No alarm',
    columns: ['When', 'What', 'Took', 'Limit'],
    texts: 2,
    rows: ({ alarms }) =>
      (alarms?.last ?? []).map(({ alarm, ms, limitMs, time }) => [
        ...[formatClock(time), ALARMS[alarm], formatTime(ms), formatTime(limitMs)],
      ]),
  },
  {
    id: 'watchdog',
    title: 'Watchdog',
    empty: 'No watchdog was given to admin(), or it has seen no overrun',
    columns: ['Overruns', 'Longest', 'Last', 'Task of the last'],
    texts: 0,
    rows: ({ watchdog }) =>
      watchdog?.last === undefined
        ? []
        : [
            [
              ...[formatNumber(watchdog.overruns), formatTime(watchdog.longestMs)],
              ...[formatTime(watchdog.last.ms), watchdog.last.task ?? 'none'].map(String),
            ],
          ],
  },
  {
    id: 'kernel',
    title: 'What the kernel does to the process',
    empty: '',
    columns: ['What', 'Rate'],
    rows: ({ kernel }) => [
      ['pages that come from the disk', perSecond(kernel.majorFaults)],
      ['pages that come from memory', perSecond(kernel.minorFaults)],
      ['waits', perSecond(kernel.switches)],
      ['processor taken away', perSecond(kernel.preemptions)],
      ...(kernel.migrations === undefined
        ? []
        : [['moves to another processor', perSecond(kernel.migrations)]]),
      ['waits for a lock of other threads', perSecond(kernel.lockWaits)],
    ],
  },
  {
    id: 'servers',
    title: 'Servers',
    empty: 'No HTTP server',
    columns: ['Address', 'Connections'],
    rows: ({ servers }) =>
      servers.map(({ name, connections }) => [name, formatNumber(connections)]),
  },
  {
    id: 'threads',
    title: 'Threads',
    empty: 'No group of threads was given to admin()',
    columns: [
      ...['Thread', 'State', 'Connections', 'Requests', 'Turns', 'Received', 'Sent'],
      ...['Migrations', 'Processor taken away'],
    ],
    texts: 2,
    rows: ({ threads }) =>
      threads.map((each) => [
        ...[String(each.thread), each.state, formatNumber(each.connections)],
        ...[perSecond(each.requestRate), perSecond(each.turnRate)],
        ...[`${formatBytes(each.readRate)}/s`, `${formatBytes(each.writtenRate)}/s`],
        ...[perSecond(each.migrationRate), perSecond(each.preemptionRate)],
      ]),
  },
  {
    id: 'classes',
    title: 'Classes of the scheduler',
    empty: 'No scheduler was given to admin()',
    columns: ['Class', 'Ready', 'Weight', 'Turns', 'Delay, 99 %'],
    rows: ({ scheduler }) =>
      Object.entries(scheduler?.classes ?? {}).map(([name, { ready, weight, turnRate, p99 }]) => [
        ...[name, formatNumber(ready), formatNumber(weight)],
        ...[perSecond(turnRate), formatTime(p99)],
      ]),
  },
];

export function element(name, properties = {}, children = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Text is only set where it changes: screen readers and selections stay where they are. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Rows and cells that are there already are used again. */
export function fillTable(body, rows, columns, texts = 1) {
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((cells, index) => {
    const row = body.rows[index] ?? body.insertRow();
    columns.forEach((column, at) => {
      const made = row.cells[at] ?? row.appendChild(element(at === 0 ? 'th' : 'td'));
      if (at === 0) made.scope = 'row';
      made.dataset.column = column;
      made.className = at < texts ? 'text' : 'number';
      setText(made, cells[at]);
    });
  });
}
