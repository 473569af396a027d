// A gateway in a storm: one target of three gets slow, clients surge, a release is bad, a target is
// killed; and the quiet behind it. The guards and the upstream have to hold what they promise. The
// benchmark `storm` is the long one, with times.
import type { Server } from 'node:http';
import { guard } from 'ringpoll/guards';
import { serve } from 'ringpoll/http';
import { Canary, type ProxyOptions, proxy, Upstream } from 'ringpoll/upstream';
import { expect, it, onTestFinished } from 'vitest';
import { client, serveNode } from '../support/client.js';

const PHASE_MS = 700;

interface Target {
  url: string;
  server: Server;
  delayMs: number;
  status: number;
}

async function target(): Promise<Target> {
  const made = { delayMs: 1, status: 200 } as Target;
  const { url, server } = await serveNode((_, response) => {
    response.statusCode = made.status;
    setTimeout(() => response.end('x'), made.delayMs);
  });
  return Object.assign(made, { url, server });
}

it('a storm costs a gateway few answers, and is forgotten soon', { timeout: 60_000 }, async () => {
  const targets = [await target(), await target(), await target()] as const;
  const upstream = new Upstream({
    targets: targets.map(({ url }) => url),
    balance: 'p2c-ewma',
    outlier: { consecutive5xx: 3, ejection: 60_000 },
  });
  const bad = await target();
  bad.status = 500;
  const candidate = new Upstream({ targets: [bad.url] });
  const canary = new Canary({ candidate, steps: [{ share: 0.2, time: 60_000 }] });
  let options: ProxyOptions = { retry: { statuses: [500] } };
  const handle = guard((request, response) => proxy(request, response, upstream, options), {
    overload: false,
  });
  const server = serve({ host: '127.0.0.1', port: 0, handler: handle });
  onTestFinished(() => {
    server.destroy();
    upstream.destroy();
    candidate.destroy();
  });
  const url = `http://127.0.0.1:${server.port}/`;
  const one = client({ maxConnections: 256 });

  /** Closed loops for a time: how many answers were good, and how long half of them took. */
  const load = async (loops: number) => {
    const until = performance.now() + PHASE_MS;
    const times: number[] = [];
    let bad = 0;
    const loop = async () => {
      while (performance.now() < until) {
        const before = performance.now();
        const response = await one.request(url);
        await response.text();
        if (response.status === 200) times.push(performance.now() - before);
        else bad++;
      }
    };
    await Promise.all(Array.from({ length: loops }, loop));
    times.sort((a, b) => a - b);
    return { good: times.length, bad, median: times[times.length >> 1] as number };
  };
  const share = ({ good, bad }: { good: number; bad: number }) => good / (good + bad);

  const quiet = await load(8);
  expect(quiet.bad).toBe(0);

  targets[0].delayMs = 200;
  const before = upstream.targets[0]!.requests;
  const slow = await load(8);
  expect(slow.bad).toBe(0);
  // Two of three are as fast as before, and nearly all requests go there.
  expect(slow.good).toBeGreaterThan(quiet.good / 10);
  const toSlow = (upstream.targets[0]!.requests - before) / slow.good;
  expect(toSlow).toBeLessThan(0.3);

  const surge = await load(48);
  expect(share(surge)).toBeGreaterThan(0.999);

  options = { ...options, canary };
  const tried = await load(8);
  expect(tried.bad).toBe(0);
  expect(canary.report).toMatchObject({ phase: 'rolled-back', reason: '5 failures in a row' });

  targets[1].status = 500;
  const release = await load(8);
  expect(share(release)).toBeGreaterThan(0.999);
  expect(upstream.targets[1]!.ejected).toBe(true);

  targets[0].delayMs = 1;
  targets[2].server.close();
  targets[2].server.closeAllConnections();
  const killed = await load(8);
  expect(share(killed)).toBeGreaterThan(0.99);

  await load(8);
  const after = await load(8);
  expect(after.bad).toBe(0);
  expect(after.median).toBeLessThan(quiet.median * 5 + 20);
  expect(handle.counts.active).toBe(0);
  expect(upstream.targets.reduce((sum, { active }) => sum + active, 0)).toBe(0);
});
