// Programs that others wrote, against the server. What is not installed is skipped, and says so.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { HttpServer } from 'ringpoll/http';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { serveHttp } from '../support/http.js';
import { pattern } from '../support/serve.js';

const RUN_MS_MAX = 8000;

function find(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function need(context: TestContext, name: string): string {
  const path = find(name);
  context.skip(path === undefined, `${name} is not installed`);
  return path as string;
}

function run(program: string, args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: RUN_MS_MAX,
      maxBuffer: 64 * 1024 * 1024,
      encoding: 'latin1',
    } as const;
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error) reject(new Error(`${program}: ${error.message}\n${stdout}${stderr}`));
      else resolve(`${stdout}${stderr}`);
    });
  });
}

function usual(): { server: HttpServer; url: string } {
  const server = serveHttp({
    upgrade: true,
    error() {},
    async handler(request, response) {
      if (request.path === '/echo') {
        response.header('X-Method', request.method).end(await request.body());
      } else if (request.path === '/stream') {
        for (let i = 0; i < 100; i += 1) response.write(`${i}\n`);
        response.end();
      } else {
        response.header('Content-Type', 'text/plain').end('Hello, World!');
      }
    },
  });
  return { server, url: `http://127.0.0.1:${server.port}` };
}

describe('curl', () => {
  it('gets, posts, streams, and continues', async (context) => {
    const curl = need(context, 'curl');
    const { url } = usual();
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'upload');
    writeFileSync(file, pattern(2_000_000));
    const get = (...args: string[]) => run(curl, ['-sS', '--max-time', '7', ...args]);
    expect(await get(`${url}/`, `${url}/`, `${url}/`)).toBe('Hello, World!'.repeat(3));
    expect(await get('-I', url)).toMatch(/^HTTP\/1\.1 200 OK\r\n.*Content-Length: 13\r\n/s);
    expect(await get('-d', 'a=b', `${url}/echo`)).toBe('a=b');
    const upload = await get('-T', file, `${url}/echo`); // with Expect: 100-continue
    expect(upload === pattern(2_000_000).toString('latin1')).toBe(true);
    const chunked = await get('-T', file, '-H', 'Transfer-Encoding: chunked', `${url}/echo`);
    expect(chunked.length).toBe(2_000_000);
    expect((await get(`${url}/stream`)).split('\n')).toHaveLength(101);
    expect(await get('--http1.0', `${url}/stream`)).toMatch(/^0\n1\n/);
    // An upgrade that is not taken is an ordinary answer.
    expect(await get('--http2', url)).toBe('Hello, World!');
  });

  it('hears that HTTP/2 without asking is not spoken', async (context) => {
    const curl = need(context, 'curl');
    const { url } = usual();
    const args = ['-sS', '--max-time', '7', '--http2-prior-knowledge', url];
    await expect(run(curl, args)).rejects.toThrow(/HTTP\/2|HTTP2|HTTP_1_1_REQUIRED/);
  });
});

describe('load generators', () => {
  it('wrk', async (context) => {
    const wrk = need(context, 'wrk');
    const output = await run(wrk, ['-t1', '-c20', '-d1s', usual().url]);
    expect(output).toMatch(/Requests\/sec/);
    expect(output).not.toMatch(/Non-2xx|Socket errors/);
  });

  it('h2load --h1', async (context) => {
    const h2load = need(context, 'h2load');
    const { url } = usual();
    const output = await run(h2load, ['--h1', '-n2000', '-c10', '-m16', `${url}/`]);
    expect(output).toMatch(/2000 succeeded, 0 failed, 0 errored/);
  });

  it('ab, with and without keep-alive', async (context) => {
    const ab = need(context, 'ab');
    for (const flags of [['-k'], []]) {
      const args = ['-q', '-n', '500', '-c', '10', ...flags, `${usual().url}/`];
      const output = await run(ab, args);
      expect(output).toMatch(/Complete requests:\s+500\n/);
      expect(output).toMatch(/Failed requests:\s+0\n/);
    }
  });
});

describe('nginx', () => {
  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise<void>((resolve) => server.close(() => resolve()));
    return port;
  }

  it('passes requests on', async (context) => {
    const nginx = need(context, 'nginx');
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
    const plain = usual().server;
    const port = await freePort();
    writeFileSync(
      join(folder, 'nginx.conf'),
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr crit;
       events { worker_connections 64; }
       http {
         access_log off;
         client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b;
         fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
         upstream ringpoll { server 127.0.0.1:${plain.port}; keepalive 4; }
         server {
           listen 127.0.0.1:${port};
           client_max_body_size 100m;
           location / {
             proxy_pass http://ringpoll;
             proxy_http_version 1.1;
             proxy_set_header Connection "";
           }
         }
       }`,
    );
    const child = spawn(nginx, ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr']);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true });
    });
    const url = `http://127.0.0.1:${port}`;
    const deadline = Date.now() + 5000;
    for (;;) {
      const answer = await fetch(url).catch(() => undefined);
      if (answer !== undefined) break;
      if (Date.now() > deadline) throw new Error('nginx did not start');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    for (let i = 0; i < 20; i += 1) {
      expect(await (await fetch(url)).text()).toBe('Hello, World!');
    }
    const body = pattern(1_000_000);
    const echoed = await fetch(`${url}/echo`, { method: 'POST', body: new Uint8Array(body) });
    expect(Buffer.from(await echoed.arrayBuffer()).equals(body)).toBe(true);
    expect((await (await fetch(`${url}/stream`)).text()).split('\n')).toHaveLength(101);
  });
});
