// HTTPS with clients that others wrote: node:https, fetch, and openssl s_client.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAnswers } from '../support/http.js';
import { ask, dialHttps, echo, hello, keepingAgent, serveHttps } from '../support/https.js';
import { pattern } from '../support/serve.js';
import { fileWith } from '../support/temporary.js';
import { pair } from '../support/tls/certificate.js';

const MEGABYTE = 1024 * 1024;

describe('HTTPS, asked by node:https', () => {
  it('keeps a connection for many requests', async () => {
    const server = serveHttps({ handler: hello });
    const agent = keepingAgent();
    const answers = [];
    for (let i = 0; i < 20; i++) answers.push(await ask(server, `/${i}`, { agent }));
    expect(answers.map(({ body }) => String(body))).toEqual(Array(20).fill('hello'));
    expect(new Set(answers.map(({ from }) => from)).size).toBe(1);
  });

  it('says that a request came over TLS', async () => {
    const seen: unknown[] = [];
    const server = serveHttps({
      handler({ secure, url }, response) {
        seen.push(secure, url);
        response.end();
      },
    });
    await ask(server, '/a?b');
    expect(seen).toEqual([true, '/a?b']);
  });

  it('has the scheme https in the URL of a fetch handler', async () => {
    const server = serveHttps({ fetch: ({ url }) => new Response(url) });
    const { body } = await ask(server, '/a?b', { headers: { Host: 'example.org' } });
    expect(String(body)).toBe('https://example.org/a?b');
    const usual = await ask(server, '/', { headers: { Host: 'example.org:443' } });
    expect(String(usual.body)).toBe('https://example.org/');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('takes and gives megabytes by %s', async (version) => {
    const server = serveHttps({ handler: echo });
    const body = pattern(5 * MEGABYTE);
    const versions = { minVersion: version, maxVersion: version };
    const known = await ask(server, '/', { method: 'POST', body, ...versions });
    expect(known.body.equals(body)).toBe(true);
    const headers = { 'Transfer-Encoding': 'chunked' };
    const chunked = await ask(server, '/', { method: 'POST', body, headers, ...versions });
    expect(chunked.body.equals(body)).toBe(true);
  });

  it('sends files, and parts of them', async () => {
    const content = pattern(3 * MEGABYTE + 17);
    const file = fileWith(content);
    const server = serveHttps({ handler: (_request, response) => response.sendFile(file) });
    const whole = await ask(server, '/');
    expect(whole.body.equals(content)).toBe(true);
    const part = await ask(server, '/', { headers: { Range: 'bytes=1000000-2000000' } });
    expect(part.status).toBe(206);
    expect(part.body.equals(content.subarray(1_000_000, 2_000_001))).toBe(true);
  });

  it('writes a long answer no faster than it is read', async () => {
    const piece = pattern(256 * 1024);
    let written = 0;
    const server = serveHttps({
      async handler(_request, response) {
        for (let i = 0; i < 80; i++) {
          written += piece.length;
          if (!response.write(piece)) await response.drained();
        }
        response.end();
      },
    });
    const peer = await dialHttps(server);
    peer.socket.pause();
    peer.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    // Another client is served meanwhile, and the first one's answer has stopped.
    const quick = serveHttps({ handler: hello });
    for (let i = 0; i < 10; i++) await ask(quick, '/');
    expect(written).toBeLessThan(80 * piece.length);
    peer.socket.resume();
    await peer.untilEnd();
    const [answer] = parseAnswers(peer.text);
    expect(answer?.body.length).toBe(80 * piece.length);
  });
});

describe('HTTPS over one connection', () => {
  it('answers pipelined requests in their order', async () => {
    const server = serveHttps({ handler: ({ path }, response) => void response.end(path) });
    const peer = await dialHttps(server);
    const paths = Array.from({ length: 50 }, (_, i) => `/${i}`);
    peer.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    peer.end();
    await peer.untilEnd();
    expect(parseAnswers(peer.text).map(({ body }) => body)).toEqual(paths);
  });

  it('chooses http/1.1 of what the client speaks, and has no other', async () => {
    const server = serveHttps({ handler: hello });
    const peer = await dialHttps(server, { ALPNProtocols: ['h2', 'http/1.1'] });
    expect(peer.socket.alpnProtocol).toBe('http/1.1');
    await expect(dialHttps(server, { ALPNProtocols: ['h2'] })).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    });
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe('HTTPS, asked by programs of others', () => {
  it.for(['-tls1_2', '-tls1_3'])('openssl s_client %s', async (version, context) => {
    context.skip(!hasOpenssl, 'there is no program openssl');
    const server = serveHttps({ handler: hello });
    const at = ['s_client', '-quiet', '-verify_return_error', version];
    const trust = ['-CAfile', fileWith(pair.cert), '-servername', 'localhost'];
    const child = spawn('openssl', [...at, ...trust, '-connect', `127.0.0.1:${server.port}`]);
    onTestFinished(() => void child.kill());
    let text = '';
    child.stdout.setEncoding('latin1').on('data', (piece) => {
      text += piece;
    });
    child.stdin.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
    child.stdin.write('GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await once(child, 'close');
    expect(parseAnswers(text).map(({ status, body }) => [status, body])).toEqual([
      [200, 'hello'],
      [200, 'hello'],
    ]);
  });

  it('fetch', async () => {
    const server = serveHttps({ handler: echo });
    const program = `
      const answers = await Promise.all(Array.from({ length: 8 }, (_, i) =>
        fetch('https://localhost:${server.port}/', { method: 'POST', body: 'x'.repeat(i * 9999) })
          .then((response) => response.text())));
      console.log(answers.map(({ length }) => length).join());`;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: fileWith(pair.cert) };
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    expect(stdout.trim()).toBe([0, 1, 2, 3, 4, 5, 6, 7].map((i) => i * 9999).join());
  });
});
