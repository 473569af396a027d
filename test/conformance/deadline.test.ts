// The time that a client still waits: for handlers, and for the targets of proxy().
import type { IncomingHttpHeaders } from 'node:http';
import {
  type Deadline,
  type DeadlineHandler,
  type DeadlineOptions,
  deadlineOf,
  serve,
  withDeadline,
} from 'ringpoll/http';
import { proxy, Upstream } from 'ringpoll/upstream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { client, failure, serveNode, serveRaw } from '../support/client.js';
import { within } from '../support/recorder.js';

function server(handler: DeadlineHandler, options?: DeadlineOptions) {
  const errors: Error[] = [];
  const handle = withDeadline(handler, options);
  const made = serve({
    ...{ host: '127.0.0.1', port: 0, handler: handle },
    error: (error) => errors.push(error),
  });
  onTestFinished(() => made.destroy());
  return { url: `http://127.0.0.1:${made.port}`, errors };
}

async function ask(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await client().request(url, { headers });
  return `${response.status} ${await response.text()}`;
}

const never = () => new Promise<never>(() => {});
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });

describe('a handler with a deadline', () => {
  it.each([
    ['x-timeout-ms', '5000', 5000],
    ['x-request-timeout', '5000', 5000],
    ['grpc-timeout', '2S', 2000],
    ['grpc-timeout', '1M', 60_000],
    ['grpc-timeout', '90000000n', 90],
    ['x-timeout-ms', '999999999', 100_000],
    ['x-timeout-ms', '-5', 7000],
    ['x-timeout-ms', '1e3', 7000],
    ['grpc-timeout', '123456789m', 7000],
    ['grpc-timeout', '5', 7000],
    ['accept', '*/*', 7000],
  ])('has what %s: %s says', async (name, value, ms) => {
    let left = -1;
    const { url } = server(
      (request, response, deadline) => {
        left = deadline?.remaining ?? -1;
        expect(deadlineOf(request)).toBe(deadline);
        response.end('ok');
      },
      { timeout: 7000, max: 100_000 },
    );
    expect(await ask(url, { [name]: value })).toBe('200 ok');
    expect(left).toBeLessThanOrEqual(ms);
    // A machine that is busy takes some of it away.
    expect(left).toBeGreaterThan(ms < 1000 ? 0 : ms - 1000);
  });

  it('has the least of what is said, and none when nothing is', async () => {
    const seen: (Deadline | undefined)[] = [];
    const { url } = server((_, response, deadline) => {
      seen.push(deadline);
      response.end('ok');
    });
    await ask(url, { 'x-timeout-ms': '9000', 'grpc-timeout': '3S' });
    await ask(url);
    expect(seen[0]?.remaining).toBeLessThanOrEqual(3000);
    expect(seen[1]).toBeUndefined();
  });

  it('is answered by 504 when it passes, and its signal aborts', async () => {
    let reason: unknown;
    const { url, errors } = server(async (_request, _response, deadline) => {
      await untilAborted(deadline!.signal).catch((error) => {
        reason = error;
        throw error;
      });
    });
    expect(await ask(url, { 'x-timeout-ms': '30' })).toBe('504 Gateway Timeout\n');
    expect(reason).toMatchObject({ code: 'ERR_RINGPOLL_DEADLINE' });
    expect(await ask(url, { 'x-timeout-ms': '0' })).toBe('504 Gateway Timeout\n');
    expect(errors).toEqual([]);
  });

  it('still has its errors told before that', async () => {
    const { url, errors } = server(async () => {
      throw new Error('broken');
    });
    expect(await ask(url, { 'x-timeout-ms': '9000' })).toMatch(/^500/);
    expect(errors).toMatchObject([{ message: 'broken' }]);
  });

  it('breaks off a body that has begun', async () => {
    const { url } = server((_, response) => {
      response.write('a');
      return never();
    });
    const response = await client().request(url, { headers: { 'x-timeout-ms': '30' } });
    expect(response.status).toBe(200);
    expect(await failure(response.text())).toBeInstanceOf(Error);
  });

  it.each([
    ['nothing', false],
    ['a part', true],
  ])('may answer when it is over, after %s, and that goes nowhere', async (_, begins) => {
    let late: () => void = () => {};
    const over = new Promise<void>((resolve) => {
      late = resolve;
    });
    const { url, errors } = server((_request, response, deadline) => {
      if (begins) response.header('Content-Length', 10).write('part');
      deadline?.signal.addEventListener('abort', () => {
        setImmediate(() => {
          response
            .status(200)
            .header('X-Late', 'yes')
            .appendHeader('X-Late', '2')
            .trailer('X', 'y');
          response.informational(103);
          expect(response.write('late')).toBe(false);
          response.flushHead();
          response.json({ late: true });
          response.end('late');
          expect(response.ended || begins).toBe(true);
          late();
        });
      });
    });
    const headers = { 'x-timeout-ms': '20' };
    if (begins) expect(await failure(ask(url, headers))).not.toBe(undefined);
    else expect(await ask(url, headers)).toBe('504 Gateway Timeout\n');
    await within(over, () => 'the late answer');
    // The connection carries on.
    if (!begins) expect(await ask(url, headers)).toBe('504 Gateway Timeout\n');
    expect(errors).toEqual([]);
  });

  it('is aborted when the client leaves', async () => {
    let aborted = (_: unknown) => {};
    const reason = new Promise((resolve) => {
      aborted = resolve;
    });
    const control = new AbortController();
    const { url } = server(async (_request, _response, deadline) => {
      const waiting = untilAborted(deadline!.signal).catch(aborted);
      control.abort(new Error('left'));
      await waiting;
    });
    const headers = { 'x-timeout-ms': '60000' };
    await failure(client().request(url, { headers, signal: control.signal }));
    const seen = await within(reason, () => 'the abort');
    expect(seen).toMatchObject({ code: 'ERR_RINGPOLL_HTTP_ABORTED' });
  });

  it('refuses options that it does not know', () => {
    const given = (options: object) => () => withDeadline(() => {}, options as never);
    expect(given({ deadline: 5 })).toThrow(/unknown/);
    expect(given({ timeout: -1 })).toThrow(RangeError);
    expect(() => withDeadline(5 as never)).toThrow(TypeError);
  });
});

describe('proxy()', () => {
  function gateway(targets: string[], options?: DeadlineOptions, consecutive5xx = 0) {
    const upstream = new Upstream({ targets, outlier: { consecutive5xx } });
    onTestFinished(() => upstream.destroy());
    let spend = 0;
    const { url } = server(async (request, response) => {
      const until = performance.now() + spend;
      while (performance.now() < until) await new Promise(setImmediate);
      proxy(request, response, upstream);
    }, options);
    const spending = (ms: number) => {
      spend = ms;
    };
    return { url, upstream, spending };
  }

  it('tells targets what is left, by the name that the client has used', async () => {
    let seen: IncomingHttpHeaders = {};
    const target = await serveNode((request, response) => {
      seen = request.headers;
      response.end('ok');
    });
    const { url, spending } = gateway([target.url]);
    spending(50);
    expect(await ask(url, { 'X-Timeout-Ms': '50000', 'x-other': 'stays' })).toBe('200 ok');
    expect(Number(seen['x-timeout-ms'])).toBeLessThanOrEqual(49_950);
    expect(Number(seen['x-timeout-ms'])).toBeGreaterThan(40_000);
    expect(seen['x-other']).toBe('stays');
    await ask(url, { 'grpc-timeout': '50S' });
    expect(seen['grpc-timeout']).toMatch(/^4\d{4}m$/);
    expect(seen['x-timeout-ms']).toBeUndefined();
    await ask(url);
    expect(seen['x-timeout-ms']).toBeUndefined();
  });

  it('tells them of the time that the server sets', async () => {
    let said: string | undefined;
    const target = await serveNode((request, response) => {
      said = request.headers['x-timeout-ms'] as string;
      response.end('ok');
    });
    const { url } = gateway([target.url], { timeout: 30_000 });
    await ask(url);
    expect(Number(said)).toBeLessThanOrEqual(30_000);
    expect(Number(said)).toBeGreaterThan(20_000);
  });

  it('asks no target when the time is over', async () => {
    let asked = 0;
    const target = await serveNode((_, response) => {
      asked++;
      response.end('ok');
    });
    const { url, spending } = gateway([target.url]);
    spending(60);
    expect(await ask(url, { 'x-timeout-ms': '20' })).toMatch(/^504/);
    expect(asked).toBe(0);
  });

  it('lets no client in a hurry have targets ejected', async () => {
    const raw = await serveRaw((socket, _, request) => {
      if (request.startsWith('GET /honest')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      }
    });
    const { url, upstream } = gateway([raw.url], {}, 1);
    for (let i = 0; i < 5; i++) {
      expect(await ask(`${url}/late`, { 'x-timeout-ms': '15' })).toMatch(/^504/);
    }
    await until(() => upstream.targets.every(({ active }) => active === 0));
    expect(upstream.targets).toMatchObject([{ requests: 5, failures: 0, ejected: false }]);
    expect(await ask(`${url}/honest`)).toBe('200 ok');
  });
});

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise(setImmediate);
}
