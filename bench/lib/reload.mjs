// Requests while the server replaces its threads: each is answered, or lost.
import { Agent, get } from 'node:http';
import { startServer } from './server.mjs';
import { table } from './table.mjs';

const CONNECTIONS = 32;
const RELOAD_MS_MAX = 60_000;

export function reloadCase(settings) {
  return {
    name: 'reload',
    title: 'Requests during reloads, one after the other',
    requests: settings.quick ? 5000 : 100_000,
    roundsMax: 1,
    brief: ({ lost, answered, reloads }) => `${lost} of ${answered} lost, ${reloads} reloads`,
  };
}

function request(agent, port) {
  return new Promise((resolve) => {
    const sent = get({ agent, host: '127.0.0.1', port, path: '/' }, (response) => {
      response
        .resume()
        .once('end', () => resolve(response.statusCode === 200 && response.complete));
      response.once('error', () => resolve(false));
    });
    sent.once('error', () => resolve(false));
  });
}

export async function reloadTrial(competitor, { requests }, settings) {
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let asked = 0;
  let lost = 0;
  let reloads = 0;
  const client = async () => {
    while (asked < requests) {
      asked++;
      if (!(await request(agent, server.port))) lost++;
    }
  };
  const clients = Promise.all(Array.from({ length: CONNECTIONS }, client));
  try {
    while (asked < requests) {
      server.child.signal('SIGHUP');
      await server.child.line(RELOAD_MS_MAX, 'a reload');
      reloads++;
    }
    await clients;
    return { answered: requests, lost, reloads };
  } finally {
    agent.destroy();
    await server.stop();
  }
}

export function summarizeReload(results, caseName, competitor) {
  return results.of(caseName, competitor)[0];
}

export function reloadTable(results, caseName, names) {
  const rows = names.flatMap((name) => {
    const found = results.data.medians[caseName]?.[name];
    return found ? [[name, String(found.answered), String(found.lost), String(found.reloads)]] : [];
  });
  return table(['', 'requests', 'lost', 'reloads'], rows);
}
