// Access logs: what a line says, and that no log holds a server up.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AccessLogOptions, HttpServer, ServeOptions } from 'ringpoll/http';
import { serve } from 'ringpoll/http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exchange, requestText, serveHttp } from '../support/http.js';
import { codeOf } from '../support/recorder.js';

const TIME = String.raw`\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\]`;

/** A server whose lines are gathered, and the lines when it has stopped. */
function logging(format: AccessLogOptions['format'], options: Partial<ServeOptions>) {
  let text = '';
  const server = serveHttp({
    error() {},
    ...options,
    accessLog: {
      format,
      interval: 1,
      to: (lines: string) => {
        text += lines;
      },
    },
  } as Partial<ServeOptions>);
  const lines = async () => {
    await server.stop();
    return text.split('\n').slice(0, -1);
  };
  return { server, lines };
}

describe('a line of an access log', () => {
  it('is that of Apache in the common format', async () => {
    const { server, lines } = logging('common', { handler: () => 'hello' });
    await exchange(server, requestText('GET', '/a?b=1') + requestText('HEAD', '/'));
    const [get, head] = await lines();
    expect(get).toMatch(
      new RegExp(`^127\\.0\\.0\\.1 - - ${TIME} "GET /a\\?b=1 HTTP/1\\.1" 200 5$`),
    );
    expect(head).toMatch(/"HEAD \/ HTTP\/1\.1" 200 -$/);
  });

  it('has the referer and the user agent in the combined format, made harmless', async () => {
    const { server, lines } = logging('combined', { handler: () => 'hello' });
    const agent = 'a "quoted\\ one\twith \xe9\x9b';
    await exchange(
      server,
      Buffer.from(requestText('GET', '/', { Referer: 'http://x/', 'User-Agent': agent }), 'latin1'),
    );
    await exchange(server, requestText('GET', '/'));
    const [first, second] = await lines();
    expect(first.endsWith(String.raw` "http://x/" "a \"quoted\\ one\x09with \xe9\x9b"`)).toBe(true);
    expect(second).toMatch(/ 200 5 "-" "-"$/);
  });

  it('has the route and the time in JSON, of answers at once, later and in pieces', async () => {
    const { server, lines } = logging('json', {
      routes: {
        '/now/:id': () => 'now',
        '/later': async () => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          return 'later';
        },
        '/pieces': (_, response) => {
          response.write('one');
          response.end('two');
        },
        '/empty': (_, response) => response.status(204).end(),
        '/fails': () => {
          throw new Error('no');
        },
      },
    });
    const paths = ['/now/1', '/later', '/pieces', '/empty', '/fails', '/none'];
    await exchange(server, paths.map((path) => requestText('GET', path)).join(''));
    const entries = (await lines()).map((line) => JSON.parse(line));
    expect(
      entries.map(({ target, route, status, bytes }) => [target, route, status, bytes]),
    ).toEqual([
      ['/now/1', '/now/:id', 200, 3],
      ['/later', '/later', 200, 5],
      ['/pieces', '/pieces', 200, 6],
      ['/empty', '/empty', 204, 0],
      ['/fails', '/fails', 500, 22],
      ['/none', '', 404, 10],
    ]);
    expect(entries[1].ms).toBeGreaterThan(19);
    expect(entries[0].ms).toBeGreaterThan(0);
    expect(entries[0]).toMatchObject({ remote: '127.0.0.1', method: 'GET', version: '1.1' });
    expect(new Date(entries[0].time).getTime()).toBeGreaterThan(Date.now() - 60_000);
  });
});

const metricsOf = (server: HttpServer) => server.metrics().accessLog;

describe('an access log', () => {
  it('is complete in its file when the server has stopped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-log-'));
    const file = join(folder, 'access.log');
    const to = openSync(file, 'a');
    onTestFinished(() => {
      closeSync(to);
      rmSync(folder, { recursive: true });
    });
    const server = serveHttp({ handler: () => 'hello', accessLog: { to, interval: 60_000 } });
    await exchange(server, requestText('GET', '/').repeat(500));
    await server.stop();
    expect(readFileSync(file, 'utf8').match(/ 200 5 /g)).toHaveLength(500);
    expect(metricsOf(server)).toEqual({ lines: 500, dropped: 0 });
  });

  it('keeps what has room and drops the rest, while its writer is stuck', async () => {
    let first = '';
    let free = () => {};
    const stuck = new Promise<void>((resolve) => {
      free = resolve;
    });
    const server = serveHttp({
      handler: () => 'hello',
      accessLog: {
        interval: 1,
        maxWaiting: 1024,
        to: (lines: string) => {
          first ||= lines;
          return stuck;
        },
      },
    });
    await exchange(server, requestText('GET', '/'));
    while (first === '') await new Promise((resolve) => setTimeout(resolve, 1));
    const answers = await exchange(server, requestText('GET', '/').repeat(1000));
    expect(answers.match(/hello/g)).toHaveLength(1000);
    expect(metricsOf(server)?.lines).toBe(0);
    expect(metricsOf(server)?.dropped).toBeGreaterThan(900);
    free();
    await server.stop();
    const { lines, dropped } = metricsOf(server)!;
    expect(lines + dropped).toBe(1001);
    expect(lines).toBeGreaterThan(1);
  });

  it('counts what its writer has refused, and goes on', async () => {
    let calls = 0;
    const server = serveHttp({
      handler: () => 'hello',
      accessLog: {
        interval: 1,
        to: () => {
          if (calls++ === 0) throw new Error('the disk is full');
        },
      },
    });
    await exchange(server, requestText('GET', '/').repeat(3));
    while (metricsOf(server)?.dropped !== 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await exchange(server, requestText('GET', '/'));
    await server.stop();
    expect(metricsOf(server)).toEqual({ lines: 1, dropped: 3 });
  });

  it.each<[unknown, string]>([
    ['combined', 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ form: 'json' }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
    [{ format: 'apache' }, 'ERR_RINGPOLL_INVALID_ARG_VALUE'],
    [{ to: 'access.log' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ to: -1 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ maxWaiting: 1 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ interval: 0 }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
  ])('refuses %o', (accessLog, code) => {
    let thrown: unknown;
    try {
      serve({ port: 0, handler: () => '', accessLog } as ServeOptions).destroy();
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe(code);
  });
});
