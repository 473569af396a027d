// Where listen() is bound: the default, and names.

import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { type Connection, connect, listen } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';

interface Seen {
  address: string | undefined;
  family: string | undefined;
}

/** What a listener without a host sees of a peer that connects to `host`. */
async function seenBy(host: string): Promise<Seen> {
  let told!: (connection: Connection) => void;
  const opened = new Promise<Connection>((resolve) => {
    told = resolve;
  });
  const listener = listen({ port: 0, open: told });
  onTestFinished(() => listener.destroy());
  const client = await connect({ host, port: listener.port });
  const { remoteAddress: address, remoteFamily: family } = await opened;
  client.destroy();
  return { address, family };
}

async function seenByNode(host: string): Promise<Seen> {
  const server = createServer().listen(0);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const connected = once(server, 'connection');
  const client = await connect({ host, port: (server.address() as { port: number }).port });
  const [{ remoteAddress: address, remoteFamily: family }] = await connected;
  client.destroy();
  return { address, family };
}

async function nodeDefault(): Promise<string> {
  const server = createServer().listen(0);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as { address: string }).address;
}

describe('without a host', () => {
  it('listens where node:net does', async () => {
    const listener = listen({ port: 0 });
    onTestFinished(() => listener.destroy());
    expect(listener.address).toMatchObject({ address: await nodeDefault() });
  });

  it('names a peer as node:net does, by IPv4 and by IPv6', async (context) => {
    expect(await seenBy('127.0.0.1')).toEqual(await seenByNode('127.0.0.1'));
    context.skip((await nodeDefault()) !== '::', 'there is no IPv6 here');
    expect(await seenBy('127.0.0.1')).toEqual({ address: '::ffff:127.0.0.1', family: 'IPv6' });
    expect(await seenBy('::1')).toEqual(await seenByNode('::1'));
  });

  it('leaves IPv4 alone with ipv6Only', async (context) => {
    context.skip((await nodeDefault()) !== '::', 'there is no IPv6 here');
    const listener = listen({ port: 0, ipv6Only: true });
    onTestFinished(() => listener.destroy());
    const refused = connect({ host: '127.0.0.1', port: listener.port });
    await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a name', () => {
  it('is bound to an address of it when listen() returns', async (context) => {
    const found = await lookup(hostname(), { all: true }).catch(() => []);
    context.skip(found.length === 0, 'this machine does not know its own name');
    const listener = listen({ host: hostname(), port: 0, data() {} });
    onTestFinished(() => listener.destroy());
    const { address } = listener.address as { address: string };
    expect(found.map((each) => each.address)).toContain(address);
    (await connect({ host: address, port: listener.port })).destroy();
  });

  it('that has no address is an error of the shape that Node gives it', () => {
    const host = 'nobody.invalid';
    let error: unknown;
    try {
      listen({ host, port: 0 });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ syscall: 'getaddrinfo', hostname: host });
    expect(['ENOTFOUND', 'EAI_AGAIN']).toContain((error as { code: string }).code);
  });
});
