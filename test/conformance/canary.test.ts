// Canaries and shadow runs of proxy(), against real targets.
import { type HttpServer, serve } from 'ringpoll/http';
import {
  Canary,
  type CanaryReport,
  type Difference,
  type ProxyOptions,
  proxy,
  Upstream,
} from 'ringpoll/upstream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { client, serveNode } from '../support/client.js';

function upstreamOf(...targets: string[]): Upstream {
  const upstream = new Upstream({ targets, outlier: { consecutive5xx: 0 } });
  onTestFinished(() => upstream.destroy());
  return upstream;
}

function gateway(upstream: Upstream, options: ProxyOptions): { server: HttpServer; url: string } {
  const server = serve({
    host: '127.0.0.1',
    port: 0,
    handler: (request, response) => proxy(request, response, upstream, options),
  });
  onTestFinished(() => server.destroy());
  return { server, url: `http://127.0.0.1:${server.port}/` };
}

async function targetOf(status: number, body: string) {
  const bodies: string[] = [];
  const { url } = await serveNode(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    bodies.push(text);
    response.statusCode = status;
    response.end(body);
  });
  return { url, bodies };
}

/** Half of the requests, in turn. */
const everySecond = () => {
  let turn = 0;
  return () => (turn++ % 2 === 0 ? 0 : 0.999);
};

async function ask(url: string, count: number): Promise<string[]> {
  const answers: string[] = [];
  for (let i = 0; i < count; i++) {
    const response = await client().request(url);
    answers.push(`${response.status} ${await response.text()}`);
  }
  return answers;
}

describe('a canary', () => {
  it('that is good gets its share, and then all', async () => {
    const [usual, release] = [await targetOf(200, 'old'), await targetOf(200, 'new')];
    let nowMs = 0;
    const reports: CanaryReport[] = [];
    const canary = new Canary({
      candidate: upstreamOf(release.url),
      steps: [{ share: 0.5, time: 1000 }],
      minAnswers: 5,
      // What this machine makes of a few milliseconds decides nothing.
      maxSlower: 1e6,
      random: everySecond(),
      now: () => nowMs,
      changed: (report) => reports.push(report),
    });
    const { url } = gateway(upstreamOf(usual.url), { canary });
    const first = await ask(url, 20);
    expect(first.filter((answer) => answer === '200 new')).toHaveLength(10);
    expect(first.filter((answer) => answer === '200 old')).toHaveLength(10);
    nowMs = 1000;
    expect(new Set(await ask(url, 5))).toEqual(new Set(['200 new']));
    expect(reports.map(({ phase, share }) => [phase, share])).toEqual([['done', 1]]);
  });

  it('that fails goes back, and no client notices', async () => {
    const [usual, release] = [await targetOf(200, 'old'), await targetOf(500, 'broken')];
    const canary = new Canary({
      candidate: upstreamOf(release.url),
      steps: [{ share: 0.5, time: 60_000 }],
      random: everySecond(),
    });
    const { url } = gateway(upstreamOf(usual.url), { canary });
    expect(new Set(await ask(url, 40))).toEqual(new Set(['200 old']));
    expect(release.bodies).toHaveLength(5);
    expect(canary.report).toMatchObject({ phase: 'rolled-back', reason: '5 failures in a row' });
  });

  it('that is not there goes back too', async () => {
    const usual = await targetOf(200, 'old');
    const gone = await serveNode((_, response) => response.end());
    gone.server.close();
    const canary = new Canary({
      candidate: upstreamOf(gone.url),
      steps: [{ share: 1, time: 60_000 }],
    });
    const { url } = gateway(upstreamOf(usual.url), { canary });
    expect(new Set(await ask(url, 10))).toEqual(new Set(['200 old']));
    expect(canary.report.phase).toBe('rolled-back');
  });

  it('that breaks off its answers goes back too', async () => {
    const usual = await targetOf(200, 'old');
    const broken = await serveNode((_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('part', () => response.destroy());
    });
    const canary = new Canary({
      candidate: upstreamOf(broken.url),
      steps: [{ share: 1, time: 60_000 }],
      minAnswers: 4,
    });
    const { url } = gateway(upstreamOf(usual.url), { canary });
    let failures = 0;
    while (canary.report.phase === 'stepping' && failures < 20) {
      await ask(url, 1).catch(() => failures++);
    }
    expect(canary.report.phase).toBe('rolled-back');
    expect(failures).toBeLessThan(6);
    expect(await ask(url, 2)).toEqual(['200 old', '200 old']);
  });

  it('sends nothing twice that may not be sent twice', async () => {
    const [usual, release] = [await targetOf(200, 'old'), await targetOf(500, 'broken')];
    const canary = new Canary({
      candidate: upstreamOf(release.url),
      steps: [{ share: 1, time: 60_000 }],
      consecutive: 3,
    });
    const { url } = gateway(upstreamOf(usual.url), { canary });
    const answers: number[] = [];
    for (let i = 0; i < 5; i++) {
      const response = await client().request(url, { method: 'POST', body: `order ${i}` });
      answers.push(response.status);
      await response.text();
    }
    expect(answers).toEqual([500, 500, 500, 200, 200]);
    expect([...release.bodies, ...usual.bodies]).toEqual([0, 1, 2, 3, 4].map((i) => `order ${i}`));
  });
});

describe('a shadow run', () => {
  /** All differences that were told, once each request has been answered twice. */
  async function compare(usualBody: string, shadowBody: string, shadowStatus = 200) {
    const isSame = usualBody === shadowBody && shadowStatus === 200;
    const [usual, shadow] = [
      await targetOf(200, usualBody),
      await targetOf(shadowStatus, shadowBody),
    ];
    const told: Difference[] = [];
    const upstream = upstreamOf(shadow.url);
    const differs = (difference: Difference) => void told.push(difference);
    const { url } = gateway(upstreamOf(usual.url), { mirror: { upstream, differs } });
    expect(await ask(`${url}path?query`, 3)).toEqual(Array(3).fill(`200 ${usualBody}`));
    // The mirror's answers come when they like.
    const deadline = performance.now() + 5000;
    const isOver = () =>
      upstream.targets[0]?.requests === 3 &&
      upstream.targets[0].active === 0 &&
      (isSame || told.length === 3);
    while (!isOver()) {
      expect(performance.now()).toBeLessThan(deadline);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await ask(url, 1);
    return told;
  }

  it('says nothing of answers that are the same, however long', async () => {
    expect(await compare('same', 'same')).toEqual([]);
    expect(await compare('x'.repeat(300_000), 'x'.repeat(300_000))).toEqual([]);
  });

  it('tells of another body, and of another status', async () => {
    const [first] = await compare('one', 'two!');
    expect(first).toMatchObject({
      ...{ method: 'GET', url: '/path?query' },
      usual: { status: 200, bytes: 3 },
      shadow: { status: 200, bytes: 4 },
    });
    expect(first?.usual.hash).not.toBe(first?.shadow.hash);
    const [second] = await compare('same', 'same', 404);
    expect(second?.shadow.status).toBe(404);
    expect(second?.usual.hash).toBe(second?.shadow.hash);
  });
});
