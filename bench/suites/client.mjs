// HTTP clients: CPU per request against the same server, one at a time on each of 64 connections
// and on one, and bodies of 1 MB.
import { join } from 'node:path';
import { clients, RIVALS } from '../competitors/client.mjs';
import { briefClient, clientTrial } from '../lib/client_trial.mjs';
import { interleave, prepareCompetitors } from '../lib/interleave.mjs';
import { BENCH } from '../lib/paths.mjs';
import { caseSections, page } from '../lib/report.mjs';
import { startServer } from '../lib/server.mjs';
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
  brief: briefClient,
}));

const target = (kind) => ({
  name: 'target',
  command: (port) => [process.execPath, join(BENCH, 'servers/http-target.mjs'), String(port), kind],
});

async function trial(client, item, settings) {
  const server = await startServer(target(item.kind), { cpu: settings.serverCpu });
  try {
    const program = [process.execPath, join(BENCH, 'clients/http.mjs')];
    return await clientTrial(
      [...program, client.name, server.port, '/', item.connections],
      settings,
    );
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
