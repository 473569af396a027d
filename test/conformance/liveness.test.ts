// ref() and unref(): what keeps a process alive.
import { describe, expect, it } from 'vitest';
import { connectPeer, PeerServer } from '../support/peer.js';
import { startProgram } from '../support/program.js';

const start = (name: string, port?: number) =>
  startProgram('liveness', { args: port === undefined ? [name] : [name, String(port)] });

describe('unref()', () => {
  it('lets a process end that listens', async () => {
    expect(await start('listener unref').ending()).toMatchObject({ code: 0, signal: null });
  });

  it('lets a process end that has a connection', async () => {
    const server = await PeerServer.listen();
    const ending = await start('connection unref', server.port).ending();
    expect(ending).toMatchObject({ code: 0, signal: null });
  });

  it('lets no process end before what was written has left', async () => {
    const server = await PeerServer.listen();
    const program = start('connection unref with bytes to send', server.port);
    const peer = await server.next();
    peer.socket.pause();
    expect(await program.line()).toBe('written');
    expect(program.child.exitCode).toBe(null);
    peer.socket.resume();
    expect(await program.ending()).toMatchObject({ code: 0, signal: null });
    await peer.untilOver();
    expect(peer.bytes).toBe(16 * 1024 * 1024);
  });
});

describe('ref()', () => {
  it('takes unref() of a listener back', async () => {
    const program = start('listener unref ref');
    const port = await program.port();
    // It answers, and so it lives.
    const peer = await connectPeer({ port });
    expect(program.child.exitCode).toBe(null);
    peer.socket.destroy();
  });

  it('takes unref() of a connection back', async () => {
    const server = await PeerServer.listen();
    const program = start('connection unref ref', server.port);
    const peer = await server.next();
    expect(await program.line()).toBe('open');
    expect(program.child.exitCode).toBe(null);
    peer.socket.end();
    expect(await program.ending()).toMatchObject({ code: 0, signal: null });
  });

  it('takes it back in a timer, when nothing else keeps the process', async () => {
    const server = await PeerServer.listen();
    const program = start('ref in a timer', server.port);
    const peer = await server.next();
    expect(await program.line()).toBe('ref');
    expect(program.child.exitCode).toBe(null);
    peer.socket.end();
    expect(await program.ending()).toMatchObject({ code: 0, signal: null });
  });
});
