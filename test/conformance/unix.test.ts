import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { connect, listen } from 'ringpoll';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { programPath, runProgram, startProgram } from '../support/program.js';
import { Recorder, Recorders, within } from '../support/recorder.js';
import { bothSides, dial, pair, pattern, serve } from '../support/serve.js';

let folder = '';
let names = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
  return () => rmSync(folder, { recursive: true, force: true });
});

const freshPath = () => join(folder, 'a.sock');
const freshName = () => {
  names += 1;
  return `\0ringpoll-test-${process.pid}-${names}`;
};

describe.each([
  ['a path', freshPath],
  ['an abstract name', freshName],
])('a Unix socket with %s', (_kind, fresh) => {
  it('carries bytes both ways', async () => {
    const path = fresh();
    const { client, listener, server } = await bothSides(
      { data: (connection, chunk) => connection.write(chunk) },
      {},
      { path },
    );
    expect(listener.address).toEqual({ path });
    const sent = pattern(3_000_000);
    client.connection.write(sent);
    await client.received(sent.length);
    expect(Buffer.concat(client.chunks).equals(sent)).toBe(true);
    expect(server.connection.remoteAddress).toBeUndefined();
    expect(server.connection.remotePort).toBeUndefined();
    client.connection.end();
    await Promise.all([client.until('close'), server.until('close')]);
  });

  it('that is in use is refused as Node refuses it', () => {
    const path = fresh();
    serve({ path });
    let error: unknown;
    try {
      listen({ path });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'EADDRINUSE', errno: -98, syscall: 'listen' });
    expect((error as { address: string }).address).toBe(path);
  });

  it('can be listened on again after the listener has stopped', async () => {
    const path = fresh();
    for (let round = 0; round < 3; round += 1) {
      const listener = serve({ path });
      await dial({ path });
      await listener.stop({ timeout: 0 });
    }
  });

  it('that nobody listens on refuses a connection', async () => {
    const path = fresh();
    const listener = serve({ path });
    await listener.stop();
    await expect(connect({ path })).rejects.toMatchObject({
      code: expect.stringMatching(/^(ECONNREFUSED|ENOENT)$/),
      syscall: 'connect',
      address: path,
    });
  });

  it('has both its ends reset and closed like any other', async () => {
    const { client, server } = await bothSides({}, {}, { path: fresh() });
    client.connection.reset();
    await Promise.all([client.until('close'), server.until('close')]);
    expect(client.order).toEqual(['open', 'close']);
    expect(server.count('close')).toBe(1);
  });
});

describe('the path of a Unix socket', () => {
  it('is one that node:net connects to', async () => {
    const { peer, server } = await pair(
      { data: (connection, chunk) => connection.write(chunk) },
      { path: freshPath() },
    );
    const sent = pattern(1_000_000);
    peer.send(sent);
    await peer.received(sent.length);
    expect(Buffer.concat(peer.chunks).equals(sent)).toBe(true);
    peer.end();
    await server.until('close');
    expect(server.order).toEqual(['open', 'data', 'end', 'close']);
  });

  it('is removed when the listener stops', async () => {
    const path = freshPath();
    const listener = serve({ path });
    expect(existsSync(path)).toBe(true);
    await listener.stop();
    expect(existsSync(path)).toBe(false);
  });

  it('is removed when its worker is terminated', async () => {
    const path = freshPath();
    const worker = new Worker(programPath('unix_worker'), { workerData: path });
    await within(once(worker, 'message'), () => 'the worker', 20_000);
    expect(existsSync(path)).toBe(true);
    await worker.terminate();
    expect(existsSync(path)).toBe(false);
  });

  it('is removed although the process stands in another folder by then', async () => {
    const { stdout, stderr } = await runProgram('unix_folder', { args: [folder] });
    expect({ stdout, stderr }).toEqual({ stdout: 'true false\n', stderr: '' });
  });

  it('stays when it is another one by the time the listener stops', async () => {
    const path = freshPath();
    const old = serve({ path });
    rmSync(path);
    serve({ path, data: (connection, chunk) => connection.write(chunk) });
    await old.stop();
    const peer = await connectPeer({ path });
    peer.send('new');
    expect(await peer.received(3)).toBe('new');
  });

  it('left behind by a process that died is in use, until somebody removes it', async () => {
    const path = freshPath();
    const program = startProgram('listen_path', { args: [path] });
    expect(await program.line()).toBe('ready');
    program.child.kill('SIGKILL');
    await program.ending();
    expect(existsSync(path)).toBe(true);
    expect(() => listen({ path })).toThrow(/EADDRINUSE/);
    await expect(connect({ path })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    rmSync(path);
    const recorders = new Recorders();
    serve({ path, ...recorders.recording });
    await connectPeer({ path });
    await recorders.at(0);
  });

  it('in a folder that is not there is refused as Node refuses it', () => {
    expect(() => listen({ path: join(folder, 'none', 'a.sock') })).toThrow(/EACCES|ENOENT/);
  });

  it('may be as long as the system allows', async () => {
    const path = join(folder, 'x'.repeat(107 - folder.length - 1));
    const recorders = new Recorders();
    const listener = serve({ path, ...recorders.recording });
    onTestFinished(() => listener.destroy());
    const client = new Recorder();
    await dial({ path, ...client.recording });
    (await recorders.at(0)).connection.end('found');
    await client.until('end');
    expect(client.text).toBe('found');
  });
});
