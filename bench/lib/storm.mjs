// Requests at a low, fixed rate on open connections, first alone and then while ClientHellos come:
// how long those who are there wait for those who come.
import { cpuPerMessage } from './cpu.mjs';
import { runLoad, startLoad } from './load.mjs';
import { startServer } from './server.mjs';
import { median } from './stats.mjs';
import { number, ratio, table, thousands } from './table.mjs';

const HELLOS_PER_SECOND = 2000;
const REQUESTS_PER_SECOND = 1000;
const CONNECTIONS = 64;
// Each handshake takes a port, which rests for a minute afterwards.
const SOURCES = 64;
// What is still under way when a moment comes is too much for the server, or for this machine.
const SLOTS = 512;
const LEAD_S = 1; // the storm begins before what is measured, and ends after it

export const STORM = {
  name: 'storm-2000',
  title: `Requests while ${HELLOS_PER_SECOND} ClientHellos a second arrive, P-256`,
};

export async function stormTrial(competitor, settings) {
  const { seconds, warmUp } = settings;
  const where = { cpu: settings.loadCpu };
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  try {
    const reach = { port: server.port, serverPid: server.pid };
    const live = { tls: true, connections: CONNECTIONS, rate: REQUESTS_PER_SECOND, bodyLength: 13 };
    const run = { ...reach, ...live, seconds, warmUp };
    const quiet = await runLoad('http', run, where);
    const hellos = { connections: SLOTS, sources: SOURCES, rate: HELLOS_PER_SECOND };
    const length = seconds + warmUp + 2 * LEAD_S;
    const storm = await startLoad('storm', { ...reach, ...hellos, seconds: length }, where);
    try {
      const report = await runLoad('http', { ...run, warmUp: warmUp + LEAD_S }, where);
      const came = await storm.next();
      return {
        messages: report.messages,
        seconds: report.seconds,
        messagesPerSecond: report.messages / report.seconds,
        ...cpuPerMessage(report.server_cpu, report.messages, report.seconds, report.split),
        p50Us: report.p50_us,
        p99Us: report.p99_us,
        p999Us: report.p999_us,
        quietP50Us: quiet.p50_us,
        quietP99Us: quiet.p99_us,
        p99Ratio: report.p99_us / quiet.p99_us,
        hellosPerSecond: came.messages / came.seconds,
      };
    } finally {
      await storm.stop();
    }
  } finally {
    await server.stop();
  }
}

export function briefStorm({ quietP99Us, p99Us, hellosPerSecond }) {
  const storm = `${thousands(hellosPerSecond)} handshakes a second`;
  return `p99 ${number(quietP99Us)} µs, then ${number(p99Us)} µs with ${storm}`;
}

export function summarizeStorm(results, caseName, competitor) {
  const trials = results.of(caseName, competitor);
  if (trials.length === 0) return undefined;
  const of = (key) => median(trials.map((trial) => trial[key]));
  const keys = ['hellosPerSecond', 'quietP50Us', 'quietP99Us', 'p50Us', 'p99Us', 'p99Ratio'];
  return Object.fromEntries(keys.map((key) => [key, of(key)]));
}

export function stormTable(results, caseName, competitors) {
  const head = [
    '',
    'ClientHellos/s',
    'p50 µs before',
    'p99 µs before',
    'p50 µs',
    'p99 µs',
    '÷ before',
  ];
  const rows = competitors.flatMap((name) => {
    const found = results.data.medians[caseName]?.[name];
    if (!found) return [];
    return [
      [
        name,
        thousands(found.hellosPerSecond),
        number(found.quietP50Us),
        number(found.quietP99Us),
        number(found.p50Us),
        number(found.p99Us),
        ratio(found.p99Ratio),
      ],
    ];
  });
  return table(head, rows);
}
