// The example programs, each started as a reader would start it, and asked what it is there for.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPeer, type Peer, PeerServer } from '../support/peer.js';
import { type Program, spawnNode } from '../support/program.js';
import { pattern } from '../support/serve.js';
import { datagramPeer } from '../support/udp.js';
import { dialSocket, SocketLog } from '../support/websocket.js';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

interface Example {
  program: Program;
  /** Without a slash at its end. */
  url: string;
  port: number;
}

/** Starts an example on a port that the system chooses, and waits for the address it prints. */
async function start(name: string, ...args: string[]): Promise<Example> {
  const path = name.includes('/') ? name : `http/${name}`;
  const program = spawnNode([join(examples, `${path}.mjs`), '0', ...args]);
  const [, url, port] = /^(http:\/\/127\.0\.0\.1:(\d+))\//.exec(await program.line()) ?? [];
  if (url === undefined) throw new Error(`no address in ${program.stdout}`);
  return { program, url, port: Number(port) };
}

/** Ctrl-C: it ends by itself, and has complained about nothing. */
async function drains(program: Program): Promise<void> {
  program.child.kill('SIGINT');
  expect(await program.ending()).toMatchObject({ code: 0, signal: null, stderr: '' });
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const json = async (answer: Response) => [answer.status, await answer.json()];

describe('the examples', () => {
  it('are all in the index, and all that are in the index exist', () => {
    const index = readFileSync(join(examples, 'README.md'), 'utf8');
    for (const folder of ['http', 'gateway', 'websocket', 'udp', 'threads']) {
      const links = index.matchAll(new RegExp(`\\]\\(${folder}/([\\w-]+\\.mjs)\\)`, 'g'));
      const there = readdirSync(join(examples, folder)).filter((name) => name.endsWith('.mjs'));
      expect([...links].map(([, name]) => name).sort()).toEqual(there.sort());
    }
  });

  it.each(readdirSync(join(examples, 'http')))(
    'answers 200 at the URL that it prints: %s',
    async (file) => {
      // A folder that holds anything but an index.html, for those that take one.
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'a & <b>.txt'), 'text');
      const program = spawnNode([join(examples, 'http', file), '0', folder]);
      const [url] = /http:\/\/\S+/.exec(await program.line()) ?? [];
      const answer = await fetch(url!);
      expect({ url, status: answer.status }).toEqual({ url, status: 200 });
      const page = await answer.text();
      if (file === 'file-server.mjs') {
        const [, link] = /href="([^"]+)"/.exec(page) ?? [];
        expect(await (await fetch(new URL(link!, url))).text()).toBe('text');
        expect(page).not.toContain('<b>');
      }
      await drains(program);
    },
  );

  it('hello.mjs greets', async () => {
    const { program, url } = await start('hello');
    expect(await (await fetch(`${url}/there`)).text()).toBe('Hello from /there\n');
    await drains(program);
  });

  it('json-api.mjs keeps notes', async () => {
    const { program, url } = await start('json-api');
    const post = (body: string) => fetch(`${url}/notes`, { method: 'POST', body });
    const created = await post('{"text":"milk"}');
    expect(created.headers.get('location')).toBe('/notes/1');
    expect(await json(created)).toEqual([201, { id: 1, text: 'milk' }]);
    expect(await json(await fetch(`${url}/notes`))).toEqual([200, [{ id: 1, text: 'milk' }]]);
    expect(await json(await fetch(`${url}/notes/1`))).toEqual([200, { id: 1, text: 'milk' }]);
    expect((await post('{')).status).toBe(400);
    expect((await post('null')).status).toBe(422);
    expect((await post(JSON.stringify({ text: 'x'.repeat(20_000) }))).status).toBe(413);
    expect((await fetch(`${url}/notes/1`, { method: 'DELETE' })).status).toBe(204);
    expect((await fetch(`${url}/notes/1`)).status).toBe(404);
    expect((await fetch(`${url}/notes`, { method: 'PUT' })).headers.get('allow')).toContain('POST');
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    await drains(program);
  });

  it('file-server.mjs serves a folder and nothing else', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'index.html'), '<p>index</p>');
    writeFileSync(join(folder, 'letters.txt'), 'abcdefgh');
    const { program, url } = await start('file-server', folder);
    const index = await fetch(`${url}/`);
    expect(index.headers.get('content-type')).toContain('text/html');
    expect(await index.text()).toBe('<p>index</p>');
    const etag = index.headers.get('etag') as string;
    const again = await fetch(`${url}/`, { headers: { 'If-None-Match': etag } });
    expect(again.status).toBe(304);
    const part = await fetch(`${url}/letters.txt`, { headers: { Range: 'bytes=2-4' } });
    expect([part.status, await part.text()]).toEqual([206, 'cde']);
    for (const path of ['/missing', '/%2e%2e/%2e%2e/etc/hostname']) {
      expect((await fetch(url + path)).status).toBe(404);
    }
    expect((await fetch(`${url}/`, { method: 'POST' })).status).toBe(405);
    program.child.kill('SIGINT');
    const { code, stderr } = await program.ending();
    expect([code, stderr]).toEqual([0, '127.0.0.1: Not Found\n'.repeat(2)]);
  });

  it('upload.mjs keeps what is sent whole, and nothing of what is torn', async () => {
    const folder = temporaryFolder();
    const { program, url, port } = await start('upload', folder);
    const bytes = pattern(5_000_000);
    const put = (name: string) => fetch(`${url}/${name}`, { method: 'PUT', body: bytes });
    const kept = await put('big.bin');
    expect(await json(kept)).toEqual([201, { name: 'big.bin', bytes: bytes.length }]);
    expect(readFileSync(join(folder, 'big.bin')).equals(bytes)).toBe(true);
    const back = Buffer.from(await (await fetch(`${url}/big.bin`)).arrayBuffer());
    expect(back.equals(bytes)).toBe(true);
    expect((await put('..%2Fbig.bin')).status).toBe(400);

    const peer = await connectPeer({ port });
    peer.send('PUT /torn HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\nsome of it');
    while (readdirSync(folder).length < 2) await new Promise(setImmediate);
    peer.reset();
    while (readdirSync(folder).length > 1) await new Promise(setImmediate);
    expect(readdirSync(folder)).toEqual(['big.bin']);
    await drains(program);
  });

  it('server-sent-events.mjs pushes to all, and ends its streams', async () => {
    const { program, url } = await start('server-sent-events');
    expect(await (await fetch(url)).text()).toContain("new EventSource('/events')");
    const streams = await Promise.all([fetch(`${url}/events`), fetch(`${url}/events`)]);
    for (const stream of streams) {
      expect(stream.headers.get('content-type')).toBe('text/event-stream');
      let text = '';
      for await (const piece of stream.body!.pipeThrough(new TextDecoderStream())) {
        text += piece;
        if ((text.match(/^data: /gm) ?? []).length >= 2) break;
      }
      expect(text).toMatch(/^retry: 1000\nid: \d+\ndata: \S+Z\n\nid: \d+\ndata: \S+Z\n\n/);
    }
    const open = await fetch(`${url}/events`);
    program.child.kill('SIGINT');
    expect(await open.text()).toMatch(/\n\n$/);
    expect(await program.ending()).toMatchObject({ code: 0, stderr: '' });
  });

  it('hono.mjs runs an app of Hono', async () => {
    const { program, url } = await start('hono');
    expect(await (await fetch(url)).text()).toBe('Hello from Hono\n');
    expect(await json(await fetch(`${url}/users/7`))).toEqual([200, { id: '7' }]);
    const sum = await fetch(`${url}/sum`, { method: 'POST', body: '[1,2,3]' });
    expect(await json(sum)).toEqual([200, { sum: 6 }]);
    expect(await (await fetch(`${url}/count`)).text()).toBe('1\n2\n3\n');
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    await drains(program);
    expect(program.stdout).toContain('--> GET /users/7');
  });

  const received = async (url: string, count: number, ...sent: string[]) => {
    const log = new SocketLog();
    const client = await dialSocket<never>(url.replace('http', 'ws'), log.handlers);
    for (const text of sent) client.send(text);
    return { client, log, messages: await log.received(count) };
  };

  it.each([
    ['no header', '0', ''],
    ['a line', '1', 'PROXY TCP4 127.0.0.1 127.0.0.1 '],
    ['a binary header', '2', '\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01'],
  ])('proxy/server.mjs joins two connections: %s', async (_, version, header) => {
    const backend = await PeerServer.listen();
    const target = `127.0.0.1:${backend.port}`;
    const program = spawnNode([join(examples, 'proxy/server.mjs'), '0', target], {
      env: { PROXY: version },
    });
    const [, port] = /on port (\d+)/.exec(await program.line()) ?? [];
    const client = await connectPeer({ port: Number(port) });
    const { localPort } = client.socket;
    client.end('question');
    const server = await backend.next();
    const text = await server.untilEnd();
    const ports = Buffer.alloc(4);
    ports.writeUInt16BE(localPort as number, 0);
    ports.writeUInt16BE(Number(port), 2);
    const behind = ['', `${localPort} ${port}\r\n`, ports.toString('latin1')][Number(version)];
    expect(text).toBe(`${header}${behind}question`);
    server.end('answer');
    expect(await client.untilEnd()).toBe('answer');
    await drains(program);
  });

  it('chat.mjs tells everybody what one says, and what was said before', async () => {
    const { program, url } = await start('websocket/chat');
    expect(await (await fetch(`${url}/`)).text()).toContain('<title>Chat</title>');
    const ada = await received(`${url}/chat?name=ada`, 2, 'hello');
    const bob = await received(`${url}/chat?name=bob`, 3, 'hi');
    await ada.log.received(4);
    const lines = ada.messages.map((line) => JSON.parse(String(line)));
    expect(lines.map(({ who, what }) => [who, what])).toEqual([
      [undefined, 'ada is here'],
      ['ada', 'hello'],
      [undefined, 'bob is here'],
      ['bob', 'hi'],
    ]);
    expect(bob.messages[1]).toBe(ada.messages[1]);
    bob.client.socket?.send(Buffer.from('bytes'));
    expect(await bob.log.closed()).toEqual([1003, 'text only']);
    const headers = { Origin: 'http://elsewhere' };
    const foreign = dialSocket(`${url.replace('http', 'ws')}/chat`, { headers });
    await expect(foreign).rejects.toMatchObject({ status: 403 });
    await drains(program);
    expect(await ada.log.closed()).toEqual([1001, '']);
  });

  it('dashboard.mjs sends everything once, and then what has changed', async () => {
    const { program, url } = await start('websocket/dashboard');
    const { client, log, messages } = await received(`${url}/updates`, 3);
    const [first, second, third] = messages.map((text) => JSON.parse(String(text)));
    expect(Object.keys(first.changed)).toHaveLength(12);
    expect([first.since, second.since, third.since]).toEqual([
      undefined,
      first.version,
      second.version,
    ]);
    client.send('all');
    await log.until(() => log.messages.filter((text) => !`${text}`.includes('since')).length === 2);
    await drains(program);
  });

  it('gateway.mjs leads to TCP and back', async () => {
    const { program, url } = await start('websocket/gateway');
    const log = new SocketLog();
    const client = await dialSocket<never>(`${url.replace('http', 'ws')}/tcp`, log.handlers);
    client.send('hello ');
    client.send(Buffer.from('there'));
    await log.until(() => Buffer.concat(log.messages as Buffer[]).length === 11);
    expect(Buffer.concat(log.messages as Buffer[]).toString()).toBe('HELLO THERE');
    client.close();
    await log.closed();
    await drains(program);
  });

  it('showcase.mjs answers on each of its ports', async () => {
    const program = spawnNode([join(examples, 'showcase.mjs')]);
    const ports: Record<string, number> = {};
    for (let line = await program.line(); !line.startsWith('Ctrl-C'); line = await program.line()) {
      const match = /^ {2}(TCP echo|RESP store|HTTP) +(?:http:\/\/)?127\.0\.0\.1:(\d+)/.exec(line);
      if (match) ports[match[1]!] = Number(match[2]);
    }
    const page = await fetch(`http://127.0.0.1:${ports.HTTP}/page`);
    expect(await page.text()).toBe('Hello from /page\n');
    const live = await received(`http://127.0.0.1:${ports.HTTP}/live`, 3, 'ping');
    expect(live.messages).toContain('pong');
    const report = JSON.parse(live.messages.find((text) => text !== 'pong') as string);
    expect(report).toMatchObject({ requests: 1, engine: expect.any(String) });
    expect(report.ways.length).toBeGreaterThan(0);
    live.client.close();
    await live.client.closed;
    const ask = async (port: number, request: string, answer: string): Promise<Peer> => {
      const peer = await connectPeer({ port });
      peer.send(request);
      expect(await peer.received(answer.length)).toBe(answer);
      return peer;
    };
    const peers = [
      await ask(ports['TCP echo']!, 'hello', 'hello'),
      await ask(ports['RESP store']!, 'SET a 1\r\nGET a\r\n', '+OK\r\n$1\r\n1\r\n'),
    ];
    program.child.kill('SIGINT');
    await Promise.all(peers.map((peer) => peer.untilEnd()));
    for (const peer of peers) peer.end();
    expect(await program.ending()).toMatchObject({ code: 0, signal: null, stderr: '' });
  });
});

describe('the examples of UDP', () => {
  async function startUdp(name: string): Promise<{ program: Program; port: number }> {
    const program = spawnNode([join(examples, 'udp', `${name}.mjs`), '0']);
    const [, port] = /^udp:\/\/127\.0\.0\.1:(\d+)\//.exec(await program.line()) ?? [];
    return { program, port: Number(port) };
  }

  it('answer to each datagram', async () => {
    const { program, port } = await startUdp('echo');
    const peer = await datagramPeer();
    peer.send('hello', port);
    expect((await peer.received(1)).map(String)).toEqual(['hello']);
    await drains(program);
  });

  it('count, and refuse what is no count', async () => {
    const { program, port } = await startUdp('statsd');
    const peer = await datagramPeer();
    peer.send('visits:1|c\nvisits:2|c', port);
    peer.send('nonsense', port);
    const sums: Record<string, number> = {};
    while (sums.visits !== 3 || sums.malformed !== 1) {
      for (const [name, value] of Object.entries<number>(JSON.parse(await program.line()))) {
        sums[name] = (sums[name] ?? 0) + value;
      }
    }
    await drains(program);
  });
});

describe('the example of threads', () => {
  it('answers, reloads on SIGHUP, and ends in order', async () => {
    const { program, url } = await start('threads/server', 'round-robin');
    const answer = await (await fetch(`${url}/path`)).text();
    expect(answer).toMatch(/^\/path from thread \d+\n$/);
    program.child.kill('SIGHUP');
    await (await fetch(`${url}/again`)).text();
    await drains(program);
  });

  it('gateway: sends requests on to its targets, and tells of them', async () => {
    const { serveNode } = await import('../support/client.js');
    const targets = await Promise.all(
      ['a', 'b'].map((name) =>
        serveNode((request, response) => {
          response.end(`${name} ${request.url}`);
        }),
      ),
    );
    const urls = targets.map((target) => target.url);
    const { program, url } = await start('gateway/gateway', ...urls);
    for (let i = 0; i < 20; i++) {
      const answer = await fetch(`${url}/any?${i}`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toMatch(new RegExp(`^[ab] /any\\?${i}$`));
    }
    const [, status] = await json(await fetch(`${url}/gateway/status`));
    const requests = status.targets.map((target: { requests: number }) => target.requests);
    expect(requests[0] + requests[1]).toBe(20);
    await drains(program);
  });
});
