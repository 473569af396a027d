// Alarms of admin(): what raises them, how often they are told, and to whom.
import diagnostics from 'node:diagnostics_channel';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type AdminOptions, type Alarm, admin } from 'ringpoll/admin';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deferred, exchange, HttpClient, requestText, serveHttp } from '../support/http.js';
import { codeOf } from '../support/recorder.js';

const OFF = { schedulingDelay: 0, gcPause: 0, loopDelay: 0 };

/** An endpoint, and the first alarm that it tells. */
function alarmed(alarms: AdminOptions['alarms'], options: AdminOptions = {}) {
  const first = deferred<Alarm>();
  const told: Alarm[] = [];
  const endpoint = admin({
    ...{ port: 0, token: false, interval: 100, alarms },
    alarm: (alarm) => {
      told.push(alarm);
      first.resolve(alarm);
    },
    ...options,
  });
  onTestFinished(() => endpoint.stop());
  return { endpoint, first: first.promise, told };
}

const block = (ms: number) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

describe('an alarm', () => {
  it('is raised when a handler holds up the loop, and is told everywhere', async () => {
    const published: unknown[] = [];
    const hear = (alarm: unknown) => published.push(alarm);
    diagnostics.subscribe('ringpoll:alarm', hear);
    onTestFinished(() => void diagnostics.unsubscribe('ringpoll:alarm', hear));
    const { endpoint, first, told } = alarmed({ ...OFF, loopDelay: 40 });
    const server = serveHttp({
      handler: () => {
        block(60);
        return 'x';
      },
    });
    await exchange(server, requestText('GET', '/'));
    const alarm = await first;
    expect(alarm).toMatchObject({ alarm: 'loopDelay', limitMs: 40 });
    expect(alarm.ms).toBeGreaterThan(55);
    expect(alarm.time).toBeGreaterThan(Date.now() - 60_000);
    const client = await HttpClient.connect(endpoint as never);
    const host = { Host: `127.0.0.1:${endpoint.port}` };
    const listed = JSON.parse((await client.get('/debug/alarms', host)).body);
    expect(listed.last[0]).toEqual(alarm);
    expect(listed.counts.loopDelay).toBe(listed.last.length);
    const metrics = (await client.get('/metrics', host)).body;
    expect(metrics).toMatch(/^ringpoll_alarms_total\{alarm="loopDelay"\} [1-9]/m);
    expect(metrics).toMatch(/^ringpoll_alarms_total\{alarm="gcPause"\} 0$/m);
    client.peer.destroy();
    expect(published.slice(0, 1)).toEqual([told[0]]);
  });

  it('is raised by many events that wait, and by none where there are few', async () => {
    const { first, told } = alarmed({ ...OFF, schedulingDelay: 0.001 });
    const server = serveHttp({ handler: () => 'x' });
    const client = await HttpClient.connect(server);
    for (let i = 0; i < 5; i++) await client.get('/');
    expect(told).toEqual([]);
    let ms: number | undefined;
    void first.then((alarm) => {
      ms = alarm.ms;
    });
    while (ms === undefined) await exchange(server, requestText('GET', '/').repeat(200));
    expect(ms).toBeGreaterThan(0.001);
    client.peer.destroy();
  });

  it('is raised by a pause of the garbage collector', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { first } = alarmed({ ...OFF, gcPause: 0.001 });
    collect();
    expect(await first).toMatchObject({ alarm: 'gcPause', limitMs: 0.001 });
  });

  it('whose function throws becomes a warning', async () => {
    const warned = deferred<string>();
    const hear = ({ message }: Error) => warned.resolve(message);
    process.once('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    alarmed(
      { ...OFF, loopDelay: 0.001 },
      {
        alarm: () => {
          throw new Error('cannot hear');
        },
      },
    );
    const server = serveHttp({ handler: () => 'x' });
    await exchange(server, requestText('GET', '/'));
    expect(await warned.promise).toBe('cannot hear');
  });

  it('is not raised when alarms are off', async () => {
    const { endpoint, told } = alarmed(false);
    const client = await HttpClient.connect(endpoint as never);
    const host = { Host: `127.0.0.1:${endpoint.port}` };
    const answer = await client.get('/debug/alarms', host);
    expect(JSON.parse(answer.body)).toEqual({ counts: {}, last: [] });
    expect((await client.get('/metrics', host)).body).not.toContain('ringpoll_alarms_total');
    client.peer.destroy();
    expect(told).toEqual([]);
  });

  it.each<[object, string]>([
    [{ alarms: { loopDelay: -1 } }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ alarms: { loopDelay: Number.NaN } }, 'ERR_RINGPOLL_OUT_OF_RANGE'],
    [{ alarms: { loopDelay: '20' } }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ alarms: { gc: 20 } }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
    [{ alarms: null }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ alarms: 20 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ alarm: 'x' }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
  ])('refuses %o', (options, code) => {
    let thrown: unknown;
    try {
      void admin({ port: 0, ...options } as AdminOptions).stop();
    } catch (error) {
      thrown = error;
    }
    expect(codeOf(thrown)).toBe(code);
  });
});
