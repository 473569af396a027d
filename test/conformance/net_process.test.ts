// installNet(): node:net of a whole process over this package's loop.
import { describe, expect, it } from 'vitest';
import { spawnNode, startProgram } from '../support/program.js';
import { cert, key } from '../support/tls/both.js';

async function outputOf(name: string, ...args: string[]): Promise<string[]> {
  const ending = await startProgram('net_face', { args: [name, ...args] }).ending();
  expect(ending).toMatchObject({ code: 0, signal: null });
  return ending.stdout.trimEnd().split('\n');
}

describe('installNet()', () => {
  it("leaves a connection alive whose listener's throw is an uncaught exception", async () => {
    expect(await outputOf('throws')).toEqual(['uncaught of a listener', 'two']);
  });

  it('serves what connects from then on, until uninstallNet()', async () => {
    expect(await outputOf('uninstalled')).toEqual(['true', 'false']);
  });

  it('lets a process end whose sockets and servers are unref()ed', async () => {
    expect(await outputOf('unref')).toEqual(['unref']);
  });

  it('lets a process end whose sockets are not read', async () => {
    expect(await outputOf('paused')).toEqual(['paused']);
  });

  it('gives a socket to TLS that has spoken already', async () => {
    expect(await outputOf('tls', key, cert)).toEqual(['true', 'secure hello']);
  });

  it('gives a socket to TLS that is connecting', async () => {
    expect(await outputOf('tls early', key, cert)).toEqual(['secure']);
  });

  it('gives sockets and servers to a child process', async () => {
    const seen = ['from the child', "by the child's server", 'child 0 null'];
    expect(await outputOf('send')).toEqual(seen);
  });
});

describe('ringpoll/net', () => {
  it.each(['_listen2', '_writeGeneric', 'kReinitializeHandle'])(
    'leaves everything to Node where there is no %s, and says so',
    async (name) => {
      const ending = await startProgram('net_seams', { args: [name] }).ending();
      expect(ending).toMatchObject({ code: 0, signal: null, stderr: '' });
      const [active, reason, explained, echo] = ending.stdout.split('\n');
      expect([active, explained, echo]).toEqual(['false false', 'false', 'by Node']);
      expect(reason).toMatch(/^Node v\S+ has no /);
    },
  );

  it('leaves servers to Node where listen() asks for them otherwise, and says so', async () => {
    const program = `
      import net from 'node:net';
      const { listen } = net.Server.prototype;
      net.Server.prototype.listen = function () { this._listen2({ port: 0 }); };
      const { installNet } = await import('ringpoll/net');
      const { Loop } = await import('ringpoll');
      net.Server.prototype.listen = listen;
      console.log(installNet().active);
      const server = net.createServer((socket) => socket.end('by Node')).listen(0, '127.0.0.1');
      server.on('listening', () => {
        console.log(server._handle.constructor.name);
        console.log(Loop.current().explain().faces.servers[0].why);
        net.connect(server.address().port, '127.0.0.1').on('data', (bytes) => {
          console.log(bytes.toString());
          server.close();
        });
      });`;
    const { stdout } = await spawnNode(['--input-type=module', '-e', program]).ending();
    const why = `Node ${process.version} has no server._listen2 behind listen()`;
    expect(stdout.split('\n')).toEqual(['true', 'TCP', why, 'by Node', '']);
  });
});
