// RINGPOLL_ADMIN: a program for node:http that is shown without a change to it.
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Program, programPath, spawnNode } from '../support/program.js';
import { roundTrips } from '../support/turns.js';

const TOKEN = 'a-token-for-these-tests';
const SERVER = `
  const http = require('http');
  const server = http.createServer((request, response) => {
    response.end('hello');
    if (request.url === '/close') server.close();
  });
  server.listen(0, '127.0.0.1', () => console.log('ready ' + server.address().port));`;

const started = (env: Record<string, string>, program = SERVER): Program =>
  spawnNode(['--import', 'ringpoll/register', '-e', program], { env });

async function tells(program: Program, pattern: RegExp): Promise<string[]> {
  for (;;) {
    const found = pattern.exec(program.stderr);
    if (found !== null) return [...found];
    await roundTrips();
  }
}

const ADMIN = /^ringpoll: admin on (http:\/\/(\S+):(\d+)\/(?:\?token=(\S+))?)\n/m;
const bearer = { Authorization: `Bearer ${TOKEN}` };

describe('RINGPOLL_ADMIN', () => {
  it('shows a program, on loopback and to who has the token', async () => {
    const program = started({ RINGPOLL_ADMIN: '0', RINGPOLL_ADMIN_TOKEN: TOKEN });
    const port = await program.port();
    const [, url, host, , token] = await tells(program, ADMIN);
    expect({ host, token }).toEqual({ host: '127.0.0.1', token: undefined });
    await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect((await fetch(`${url}metrics`)).status).toBe(401);
    const page = await fetch(url, { headers: bearer });
    expect(await page.text()).toContain('<!doctype html>');
    const text = await (await fetch(`${url}metrics`, { headers: bearer })).text();
    const labels = `server="127.0.0.1:${port}",route="",method="GET",code="200"`;
    expect(text).toContain(`http_requests_total{${labels}} 1\n`);
    const { requests } = (await (
      await fetch(`${url}debug/layers`, { headers: bearer })
    ).json()) as { requests: number };
    expect(requests).toBeTypeOf('number');
  });

  it('lets the program end, while somebody watches', async () => {
    const program = started({ RINGPOLL_ADMIN: 'localhost:0' });
    const port = await program.port();
    const [, url, , , token] = await tells(program, ADMIN);
    expect(token).toMatch(/^[\w-]{32}$/);
    const watched = await fetch(`${new URL('/debug/live', url)}`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const reader = (watched.body as ReadableStream).getReader();
    expect((await reader.read()).value.length).toBeGreaterThan(0);
    const headers = { Connection: 'close' };
    await (await fetch(`http://127.0.0.1:${port}/close`, { headers })).text();
    expect(await program.ending()).toMatchObject({ code: 0, signal: null });
    await reader.cancel().catch(() => {});
  });

  it('is there once, and only where a server is', async () => {
    const env = { RINGPOLL_ADMIN: '0' };
    const args = ['--import', 'ringpoll/register'];
    const withWorker = spawnNode([...args, programPath('http-face')], { env }).ending();
    const silent = started(env, 'setTimeout(() => {}, 1)').ending();
    expect((await withWorker).stderr.match(/^ringpoll: admin on /gm)).toHaveLength(1);
    expect(await silent).toMatchObject({ code: 0, stderr: '' });
    const off = started({ ...env, RINGPOLL_REGISTER: 'off' }, 'process.exit(3)').ending();
    expect(await off).toMatchObject({ code: 3, stderr: '' });
  });

  it('is a warning where its port is taken, or Node serves everything', async () => {
    const other = net.createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const program = started({ RINGPOLL_ADMIN: `${port}` });
    const own = await program.port();
    await tells(program, /\[RINGPOLL_ADMIN\] Warning: RINGPOLL_ADMIN: .*EADDRINUSE/);
    expect((await fetch(`http://127.0.0.1:${own}/`)).status).toBe(200);
    const netOnly = started({ RINGPOLL_ADMIN: '0', RINGPOLL_REGISTER: 'net' }, '');
    expect((await netOnly.ending()).stderr).toContain("RINGPOLL_ADMIN: node:http is Node's");
  });

  it('refuses what it does not understand, and does not repeat a token', async () => {
    const secret = 'too short';
    const endings = await Promise.all([
      started({ RINGPOLL_ADMIN: 'yes' }).ending(),
      started({ RINGPOLL_ADMIN: '0', RINGPOLL_ADMIN_TOKEN: secret }).ending(),
    ]);
    for (const { code, stdout, stderr } of endings) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('ERR_RINGPOLL_INVALID_ARG_VALUE');
      expect(stderr).not.toContain(secret);
    }
  });
});
