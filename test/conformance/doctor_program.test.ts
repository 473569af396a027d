// `ringpoll doctor APP`: who serves a program, told by the program itself as it runs.
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { spawnNode } from '../support/program.js';
import { fileWith } from '../support/temporary.js';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface Report {
  ended?: string;
  observations: { what: string; name?: string; kind?: string; by: string; why?: string }[];
}

async function doctor(
  source: string,
  ...args: string[]
): Promise<{ code: number; report: Report }> {
  const program = fileWith(source, 'app.mjs');
  const { code, stdout } = await spawnNode([cli, 'doctor', program, '--json', ...args]).ending();
  return { code: code as number, report: JSON.parse(stdout) as Report };
}

const servers = ({ observations }: Report) =>
  observations
    .filter(({ what }) => what === 'server')
    .map(({ kind, by, why }) => [kind, by, why])
    .sort();

describe('ringpoll doctor with a program', () => {
  it('tells which servers are served natively, which fall back, and why', async () => {
    const { code, report } = await doctor(`
      import http from 'node:http';
      import net from 'node:net';
      import tls from 'node:tls';
      http.createServer().listen(0, '127.0.0.1');
      http.createServer({ insecureHTTPParser: true }).listen(0, '127.0.0.1');
      tls.createServer().listen(0, '127.0.0.1');
      net.createServer((socket) => socket.destroy()).listen(0, '127.0.0.1', function () {
        net.connect(this.address().port, '127.0.0.1');
      });
    `);
    expect(code).toBe(0);
    expect(servers(report)).toEqual([
      ['http', "node's HTTP, ringpoll's sockets", 'it asks for the insecure parser'],
      ['http', 'ringpoll', undefined],
      ['net', 'ringpoll', undefined],
      ['tls', 'node', "its TLS is Node's"],
    ]);
    const modules = report.observations.filter(({ what }) => what === 'module');
    expect(modules.map(({ name, by }) => [name, by])).toEqual([
      ['node:net', 'ringpoll'],
      ['node:http', 'ringpoll'],
    ]);
    const connections = report.observations.filter(({ what }) => what === 'connection');
    expect(connections).toEqual([{ what: 'connection', kind: 'net', by: 'ringpoll' }]);
  });

  it('gives the program what stands behind --, and tells how it failed', async () => {
    const source = 'process.exit(process.argv[2] === "--port" ? 7 : 8);';
    const { code, report } = await doctor(source, '--', '--port');
    expect([code, report.ended, servers(report)]).toEqual([1, '7', []]);
  });

  it('waits for a program that never listens no longer than it was told', async () => {
    const { code, report } = await doctor('setInterval(() => {}, 1000);', '--seconds', '1');
    expect([code, report.ended, servers(report)]).toEqual([0, undefined, []]);
  });
});
