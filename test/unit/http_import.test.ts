// What importing ringpoll/http leaves alone, and that ours are instances of the platform's all the
// same from the first one on.
import { execFile } from 'node:child_process';
import { STATUS_CODES } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { statusText } from '../../lib/http/status_texts.js';

const entry = fileURLToPath(new URL('../../dist/http/index.js', import.meta.url));
// Starting Node on a busy machine takes its time.
const TEST_MS_MAX = 30_000;

const main = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

const WATCHED = `
const touched = [];
for (const name of ['fetch', 'FormData', 'Headers', 'Request', 'Response']) {
  const { get, value } = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      touched.push(name);
      return get === undefined ? value : get.call(globalThis);
    },
  });
}
const platformsFetch = () => process.moduleLoadList.some((name) => name.includes('deps/undici'));
const http = await import(${JSON.stringify(entry)});
`;

async function printedBy(program: string, ...flags: string[]): Promise<unknown> {
  const args = [...flags, '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TEST_MS_MAX });
  return JSON.parse(stdout);
}

describe('an import of ringpoll/http', { timeout: TEST_MS_MAX }, () => {
  it('does not load the fetch of the platform, nor does a server without fetch', async () => {
    const program = `${WATCHED}
      const server = http.serve({ port: 0, handler: (request, response) => response.end('hello') });
      await server.stop();
      console.log(JSON.stringify([touched, platformsFetch()]));`;
    expect(await printedBy(program)).toEqual([[], false]);
  });

  it('does not load node:http, node:net or streams, nor does a server that answers', async () => {
    const program = `
      const before = new Set(process.moduleLoadList);
      const { serve } = await import(${JSON.stringify(entry)});
      const server = serve({ port: 0, handler: (request, response) => response.end('hello') });
      await server.stop();
      const loaded = process.moduleLoadList.filter((name) => !before.has(name));
      const costly = /^NativeModule (http|net|stream|readline|internal.fs.streams)$/;
      console.log(JSON.stringify(loaded.filter((name) => costly.test(name))));`;
    expect(await printedBy(program)).toEqual([]);
  });

  it('knows the reason phrases that node:http knows', () => {
    for (let status = 100; status < 600; status++) {
      expect(statusText(status), String(status)).toBe(STATUS_CODES[status] ?? '');
    }
  });

  it.each([
    ['Headers', 'new http.Headers() instanceof Headers'],
    ['Response', 'new http.Response() instanceof Response'],
    ['Response.json()', 'http.Response.json(1) instanceof Response'],
    ['headers of a response', 'new http.Response().headers instanceof Headers'],
  ])('makes %s an instance of the platform, the first one too', async (_what, expression) => {
    const program = `${WATCHED} console.log(JSON.stringify(${expression}));`;
    expect(await printedBy(program)).toBe(true);
  });

  it('makes the first request of a fetch handler one, and its headers', async () => {
    const program = `${WATCHED}
      const { connect } = await import('node:net');
      const server = http.serve({
        ...{ host: '127.0.0.1', port: 0 },
        fetch(request) {
          const ours = [request instanceof Request, request.headers instanceof Headers];
          console.log(JSON.stringify(ours));
          return new http.Response();
        },
      });
      const socket = connect(server.port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\\r\\nHost: here\\r\\nConnection: close\\r\\n\\r\\n');
      socket.resume().once('close', () => server.stop());`;
    expect(await printedBy(program)).toEqual([true, true]);
  });

  it('works where Node was told to have no fetch', async (context) => {
    const program = `
      const http = await import(${JSON.stringify(entry)});
      const { status } = new http.Response('x', { status: 201 });
      console.log(JSON.stringify([typeof Response, status]));`;
    const flag = '--no-experimental-fetch';
    const known = process.allowedNodeEnvironmentFlags.has(flag);
    context.skip(!known, 'this Node cannot be told so');
    expect(await printedBy(program, flag)).toEqual(['undefined', 201]);
  });
});

describe('another runtime', { timeout: TEST_MS_MAX }, () => {
  it.each([
    ['bun', 'Bun'],
    ['deno', 'Deno'],
  ])('%s is named, and the addon is not loaded', async (name, title) => {
    const program = `
      Object.defineProperty(process.versions, '${name}', { value: '9.8.7' });
      const loaded = [];
      process.dlopen = (module, path) => loaded.push(path);
      const { listen } = await import(${JSON.stringify(main)});
      try {
        listen({ port: 0 });
      } catch ({ code, message }) {
        console.log(JSON.stringify([code, message, loaded]));
      }`;
    expect(await printedBy(program)).toEqual([
      'ERR_RINGPOLL_ENGINE_UNAVAILABLE',
      expect.stringMatching(`needs Node\\.js, and this is ${title} 9\\.8\\.7`),
      [],
    ]);
  });
});
