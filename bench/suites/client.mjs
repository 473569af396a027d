// HTTP clients: CPU per request against the same server, one at a time on each of 64 connections
// and on one, and bodies of 1 MB.
import { join } from 'node:path';
import { clients, RIVALS } from '../competitors/client.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { BENCH } from '../lib/paths.mjs';
import { run as runCommand } from '../lib/process.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { startServer } from '../lib/server.mjs';
import { number, thousands } from '../lib/table.mjs';
import { clientTargets } from '../targets/client.mjs';

export const describe = 'CPU per request of an HTTP client, against undici and the platform';

/** V8 compiles frameworks and clients late: seconds pass until their cost is flat. */
export const warmUp = 3;

const cases = [
  ['c64', '64 connections, one request at a time', 64, 'static'],
  ['c1', 'One connection, one request at a time', 1, 'static'],
  ['c4-1MB', '4 connections, 1 MB down', 4, 'megabyte'],
].map(([name, title, connections, kind]) => ({
  ...{ name, title, connections, kind },
  brief: ({ cpuUs, messagesPerSecond }) =>
    `${thousands(messagesPerSecond)}/s, ${number(cpuUs)} µs CPU`,
}));

const target = (kind) => ({
  name: 'target',
  command: (port) => [process.execPath, join(BENCH, 'servers/http-target.mjs'), String(port), kind],
});

async function trial(client, item, settings) {
  const server = await startServer(target(item.kind), { cpu: settings.serverCpu });
  try {
    const args = [client.name, server.port, '/', item.connections];
    const times = [settings.seconds, Math.max(settings.warmUp, 1)];
    const program = [process.execPath, join(BENCH, 'clients/http.mjs')];
    const command = [...program, ...args, ...times].map(String);
    const report = JSON.parse(await runCommand(command, { cpu: settings.loadCpu }));
    const cpu = report.userUs + report.systemUs;
    return {
      messages: report.requests,
      seconds: report.seconds,
      messagesPerSecond: report.requests / report.seconds,
      bytes: report.bytes,
      cpuUs: cpu / report.requests,
      cpuShare: cpu / 1e6 / report.seconds,
      userTicks: report.userUs,
      systemTicks: report.systemUs,
    };
  } finally {
    await server.stop();
  }
}

export async function run({ settings, wanted, results, log }) {
  const competitors = await prepareCompetitors(clients, results, log);
  await interleave({
    ...{ cases, competitors, wanted, results, log },
    rounds: settings.rounds,
    trial: (client, item) => trial(client, item, settings),
  });
  const names = competitors.map(({ name }) => name);
  const sections = caseSections(results, cases, names, RIVALS, {});
  results.data.targets = clientTargets(results);
  return page(results, {
    title: 'HTTP client',
    unit: 'request',
    cases,
    competitors: names,
    sections,
  });
}
