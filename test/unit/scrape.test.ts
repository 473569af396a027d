// Scrapes of many routes and connections: what was written before is not written again, and others
// have their turn within.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { census } from '../../lib/admin/connections.js';
import { Metrics } from '../../lib/admin/families.js';
import { Observer } from '../../lib/admin/observer.js';
import { checkAdminOptions } from '../../lib/admin/options.js';
import { Pieces } from '../../lib/admin/pieces.js';
import { type HttpServer, serve } from '../../lib/http/index.js';
import { dialHttp, exchange, requestText } from '../support/http.js';

const ROUTES = 200;
const paths = Array.from({ length: ROUTES }, (_, index) => `/route-${index}`);
const routes = Object.fromEntries(paths.map((path) => [path, () => 'hello']));

function listening(): HttpServer {
  const server = serve({ host: '127.0.0.1', port: 0, routes });
  onTestFinished(() => server.destroy());
  return server;
}

/** A server with routes, and who scrapes it. */
function scraped(): { server: HttpServer; metrics: Metrics } {
  const own = listening();
  const observer = new Observer(checkAdminOptions({ port: 0, token: false }), own);
  onTestFinished(() => observer.stop());
  return { server: listening(), metrics: new Metrics(observer) };
}

const ask = (server: HttpServer, some: readonly string[]) =>
  exchange(server, some.map((path) => requestText('GET', path)).join(''));

const countOf = (text: string, path: string) =>
  Number(new RegExp(`^http_request_duration_seconds_count.*"${path}"} (.*)$`, 'm').exec(text)?.[1]);

describe('a scrape', () => {
  it('writes only those histograms anew that have new values', async () => {
    const { server, metrics } = scraped();
    await ask(server, paths);
    await metrics.scrape();
    expect(metrics.histogramsWritten).toBeGreaterThanOrEqual(ROUTES);
    await metrics.scrape();
    const others = metrics.histogramsWritten;
    expect(others).toBeLessThan(10);
    await ask(server, [paths[7], paths[9], paths[7]]);
    const text = Buffer.from(await metrics.scrape()).toString();
    expect(metrics.histogramsWritten).toBeLessThan(others + 10);
    expect([7, 8, 9].map((index) => countOf(text, paths[index]))).toEqual([3, 1, 2]);
    for (const path of paths) {
      expect(text).toContain(`,route="${path}",method="GET",code="200"} `);
    }
  });

  it('encodes the lines of a histogram at once', async () => {
    const { server, metrics } = scraped();
    await ask(server, paths);
    const writes = vi.spyOn(Buffer.prototype, 'write');
    const copies = vi.spyOn(Buffer, 'from');
    onTestFinished(() => void vi.restoreAllMocks());
    await metrics.scrape();
    expect(metrics.histogramsWritten).toBeGreaterThanOrEqual(ROUTES);
    expect(writes.mock.calls.length + copies.mock.calls.length).toBeLessThan(2 * ROUTES);
  });

  it('lets others have their turn, as often as there is much to write', async () => {
    const { server, metrics } = scraped();
    await ask(server, paths);
    // Each look at the clock is a tenth of a millisecond later, on a fast and on a busy machine.
    let nowMs = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => {
      nowMs += 0.1;
      return nowMs;
    });
    onTestFinished(() => void vi.restoreAllMocks());
    let turns = 0;
    let over = false;
    const turn = () => {
      turns++;
      if (!over) setImmediate(turn);
    };
    setImmediate(turn);
    await metrics.scrape();
    over = true;
    expect(metrics.pieces.count).toBeGreaterThanOrEqual(ROUTES / 6);
    expect(metrics.pieces.longestMs).toBeLessThan(0.8);
    expect(turns).toBeGreaterThanOrEqual(metrics.pieces.count - 1);
  });

  it('is made once for all who ask at the same time', async () => {
    const { metrics } = scraped();
    const [one, other] = [metrics.scrape(), metrics.scrape()];
    expect(one).toBe(other);
    expect(metrics.scrape()).toBe(one);
    await one;
    const later = metrics.scrape();
    expect(later).not.toBe(one);
    await later;
  });

  it('says what the one before took', async () => {
    const { metrics } = scraped();
    await metrics.scrape();
    const { ms, longestMs } = metrics.pieces;
    const text = Buffer.from(await metrics.scrape()).toString();
    expect(text).toContain(`\nringpoll_scrape_seconds ${ms / 1000}\n`);
    expect(text).toContain(`\nringpoll_scrape_longest_piece_seconds ${longestMs / 1000}\n`);
  });
});

describe('a census', () => {
  it('counts the same in pieces', async () => {
    const server = listening();
    const peers = await Promise.all(Array.from({ length: 40 }, () => dialHttp(server)));
    // Each is known to the server when it has been answered.
    for (const peer of peers) peer.send(requestText('GET', paths[0]));
    await Promise.all(peers.map((peer) => peer.received(1)));
    const pieces = new Pieces();
    const whole = await census(new Pieces());
    expect(await census(pieces, 7)).toEqual(whole);
    expect(whole.idle + whole.active).toBeGreaterThanOrEqual(40);
    expect(pieces.count).toBeGreaterThanOrEqual(Math.floor(40 / 7));
  });
});
