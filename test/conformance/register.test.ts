// ringpoll/register: who serves node:http in a process of its own.
import { describe, expect, it } from 'vitest';
import { programPath, spawnNode } from '../support/program.js';

const program = programPath('http-face');
const ours = ['true ringpoll /path', 'worker: true ringpoll /path'];
const nodes = ['true node /path', 'worker: true node /path'];

async function linesOf(args: string[], env: Record<string, string> = {}): Promise<string[]> {
  const { code, stdout, stderr } = await spawnNode([...args, program], { env }).ending();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trim().split('\n').sort();
}

describe('ringpoll/register', () => {
  it('serves what is imported and required, in workers too, with --import', async () => {
    expect(await linesOf(['--import', 'ringpoll/register'])).toEqual(ours);
  });

  it('does the same with --require', async () => {
    expect(await linesOf(['--require', 'ringpoll/register'])).toEqual(ours);
  });

  it('does the same from NODE_OPTIONS', async () => {
    expect(await linesOf([], { NODE_OPTIONS: '--import ringpoll/register' })).toEqual(ours);
  });

  it('lets a program end that has unreferenced its server', async () => {
    const program = "require('http').createServer().listen(0).unref()";
    const { code } = await spawnNode(['--import', 'ringpoll/register', '-e', program]).ending();
    expect(code).toBe(0);
  });

  it('lets a program end when nobody reads the bodies that it still gets', async () => {
    const program = `
      const http = require('http');
      const net = require('net');
      const server = http.createServer(() => server.close());
      server.listen(0, () => {
        const peer = net.connect(server.address().port, () => {
          peer.write('POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 9999999\\r\\n\\r\\n');
          peer.write(Buffer.alloc(200_000), () => peer.destroy());
        });
      });`;
    // With Node's sockets for the peer: its own liveness is not what is asked.
    const env = { RINGPOLL_REGISTER: 'http' };
    const args = ['--import', 'ringpoll/register', '-e', program];
    expect(await spawnNode(args, { env }).ending()).toMatchObject({ code: 0, stderr: '' });
  });

  it('keeps to the real setImmediate where a program has put another in its place', async () => {
    const program = `
      globalThis.setImmediate = () => {};
      const http = require('http');
      const server = http.createServer((request) => request.socket.destroy());
      server.listen(0, () => {
        const request = http.get({ port: server.address().port }, () => {});
        request.on('error', ({ code }) => console.log(code));
        request.on('close', () => server.close(() => console.log('closed')));
      });`;
    const { stdout } = await spawnNode(['--import', 'ringpoll/register', '-e', program]).ending();
    expect(stdout).toBe('ECONNRESET\nclosed\n');
  });

  it('leaves everything to Node when RINGPOLL_REGISTER says so', async () => {
    const env = { RINGPOLL_REGISTER: 'off' };
    expect(await linesOf(['--import', 'ringpoll/register'], env)).toEqual(nodes);
    expect(await linesOf(['--import', 'ringpoll/register'], { RINGPOLL_REGISTER: 'net' })).toEqual(
      nodes,
    );
  });

  it('leaves everything to Node where the addon does not load', async () => {
    const args = ['--no-addons', '--import', 'ringpoll/register'];
    expect(await linesOf(args)).toEqual(nodes);
  });

  it('does not load the addon for a program that opens no socket', async () => {
    const program =
      'console.log(process.report.getReport().sharedObjects.some((file) => /ringpoll/.test(file)))';
    const ending = spawnNode(['--import', 'ringpoll/register', '-e', program]).ending();
    expect((await ending).stdout).toBe('false\n');
  });

  it('survives its functions on receivers and with arguments of any kind', async () => {
    const args = ['--import', 'ringpoll/register', programPath('weird_receivers')];
    const { signal, stdout } = await spawnNode(args).ending();
    expect([signal, stdout]).toEqual([null, 'survived all\n']);
  });
});
