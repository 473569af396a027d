// Groups of threads: what each strategy costs against one thread, how evenly it spreads
// connections, and whether a reload loses requests. All threads share the server's processor.
import { competitors, ONE, TWO } from '../competitors/threads.mjs';
import { cpuPerMessage } from '../lib/cpu.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { runLoad } from '../lib/load.mjs';
import { reloadCase, reloadTable, reloadTrial, summarizeReload } from '../lib/reload.mjs';
import { caseSections, cpuRatio, page, summarize } from '../lib/report.mjs';
import { startServer } from '../lib/server.mjs';
import { median } from '../lib/stats.mjs';
import { number, percent, ratio, table, thousands } from '../lib/table.mjs';
import { atMost, verdictLine } from '../lib/targets.mjs';
import { briefMessages } from '../lib/trial.mjs';

export const describe = 'groups of threads: CPU per request, spread of connections, reload';

const LINE_MS = 5000;
const CPU_MAX = 1.03;
const HELLO = { depth: 1, bodyLength: 13 };
const cases = [64, 512].map((connections) => ({
  name: `c${connections}`,
  title: `${connections} connections, one request at a time`,
  load: { ...HELLO, connections },
  brief: briefMessages,
}));

/** One load; and, of a group, the share of the connections that its busiest thread has. */
async function groupTrial(competitor, { load }, settings) {
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  try {
    const { seconds, warmUp } = settings;
    const run = { ...load, port: server.port, serverPid: server.pid, seconds, warmUp };
    const report = await runLoad('http', run, { cpu: settings.loadCpu });
    const trial = {
      messages: report.messages,
      seconds: report.seconds,
      messagesPerSecond: report.messages / report.seconds,
      ...cpuPerMessage(report.server_cpu, report.messages, report.seconds, report.split),
      meanUs: (load.connections * report.seconds * 1e6) / report.messages,
      p50Us: report.p50_us,
      p99Us: report.p99_us,
    };
    if (!competitor.group) return { ...trial, busiest: 1 };
    server.child.signal('SIGUSR2');
    const accepted = JSON.parse(await server.child.line(LINE_MS, 'the spread'));
    const all = accepted.reduce((sum, one) => sum + one, 0);
    return { ...trial, busiest: Math.max(...accepted) / all };
  } finally {
    await server.stop();
  }
}

function summarizeGroup(results, caseName, competitor) {
  const summary = summarize(results, caseName, competitor);
  if (summary === undefined) return undefined;
  const of = (key) => median(results.of(caseName, competitor).map((trial) => trial[key]));
  return { ...summary, meanUs: of('meanUs'), busiest: of('busiest') };
}

function groupTable(results, caseName, names) {
  const rows = names.flatMap((name) => {
    const found = results.data.medians[caseName]?.[name];
    if (!found) return [];
    const { messagesPerSecond, cpuUs, cpuSpread, meanUs, p99Us, busiest } = found;
    return [
      [
        ...[name, thousands(messagesPerSecond), number(cpuUs), percent(cpuSpread)],
        ...[number(meanUs), number(p99Us), percent(busiest)],
        ratio(cpuRatio(results, caseName, name, ONE)),
      ],
    ];
  });
  const head = ['', 'requests/s', 'CPU µs', 'spread', 'mean µs', 'p99 µs'];
  return table([...head, 'connections of the busiest thread', `CPU ÷ ${ONE}`], rows);
}

function targetsOf(results, reload) {
  const cpu = TWO.map((name) => {
    const values = cases.map((item) => [item.name, cpuRatio(results, item.name, name, ONE)]);
    const claim = `CPU of ${name} at most ${ratio(CPU_MAX)} × ${ONE}`;
    const target = atMost(claim, CPU_MAX, Object.fromEntries(values));
    return { ...target, line: verdictLine(target, ratio) };
  });
  const medians = results.data.medians[reload.name] ?? {};
  const lost = Object.fromEntries(TWO.map((name) => [name, medians[name]?.lost]));
  const none = atMost(`no request of ${reload.requests} lost during reloads`, 0, lost);
  return [...cpu, { ...none, line: verdictLine(none, String) }];
}

export async function run({ settings, wanted, results, log }) {
  const reload = reloadCase(settings);
  const all = [...cases, reload];
  const takesPart = (item, who) => (item !== reload || who.group === true) && wanted(item, who);
  const entrants = competitors.filter((one) => all.some((item) => takesPart(item, one)));
  const ready = await prepareCompetitors(entrants, results, log);
  const trial = (competitor, item) =>
    item === reload
      ? reloadTrial(competitor, item, settings)
      : groupTrial(competitor, item, settings);
  const { rounds } = settings;
  const asked = { cases: all, competitors: ready, wanted: takesPart, rounds, trial, results, log };
  await interleave(asked);
  const names = ready.map(({ name }) => name);
  const others = Object.fromEntries(
    cases.map(({ name }) => [name, { summary: summarizeGroup, table: groupTable }]),
  );
  others[reload.name] = { summary: summarizeReload, table: reloadTable };
  const sections = caseSections(results, all, names, [], others);
  results.data.targets = targetsOf(results, reload);
  return page(results, {
    title: 'Threads',
    unit: 'request',
    cases,
    competitors: names,
    sections,
  });
}
