// Old names: they do what the new ones do, and warn once.
import nodeFs from 'node:fs';
import { join } from 'node:path';
import { connect, listen } from 'ringpoll';
import * as fs from 'ringpoll/fs';
import { Dispatcher, HybridScheduler } from 'ringpoll/scheduler';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/fs_both.js';
import { deprecationsOf } from '../support/warnings.js';

describe("engine: 'poll' of a file", () => {
  it("means 'pool', and warns once", async () => {
    const path = join(temporaryFolder(), 'file');
    nodeFs.writeFileSync(path, 'content');
    const ringReads = () => fs.explain().operations.reduce((sum, { ring }) => sum + ring, 0);
    const before = ringReads();
    const read = async () => {
      expect(await fs.readFile(path, { encoding: 'utf8', engine: 'poll' })).toBe('content');
      const handle = await fs.open(path, 'r', undefined, { engine: 'poll' });
      expect(await handle.readFile('utf8')).toBe('content');
      await handle.close();
    };
    expect(await deprecationsOf(read)).toEqual(['RINGPOLL_DEP_FILE_POLL']);
    expect(await deprecationsOf(read)).toEqual([]);
    expect(ringReads()).toBe(before);
  });

  it("with 'pool' warns of nothing", async () => {
    const path = join(temporaryFolder(), 'file');
    nodeFs.writeFileSync(path, 'content');
    expect(await deprecationsOf(() => fs.readFile(path, { engine: 'pool' }))).toEqual([]);
  });
});

describe('deadline, where it is a duration', () => {
  const code = ['RINGPOLL_DEP_DEADLINE'];

  it('means timeout to stop(), to tasks, handlers and jobs, and warns once', async () => {
    const scheduler = new HybridScheduler();
    const over = expect.objectContaining({ code: 'ERR_RINGPOLL_DEADLINE' });
    const never = () => new Promise<never>(() => {});
    const use = async () => {
      await listen({ host: '127.0.0.1', port: 0 }).stop({ deadline: 0 });
      await expect(scheduler.run(never, { deadline: 1 })).rejects.toEqual(over);
      const lane = new Promise((_, reject) => {
        const dispatcher = new Dispatcher(scheduler).handle(1, never, { deadline: 1 });
        const replies = { reply: () => {}, fail: (_: unknown, error: unknown) => reject(error) };
        dispatcher.open('key', replies).submit({ reqId: 1, bizCode: 1, payload: undefined });
      });
      await expect(lane).rejects.toEqual(over);
      const endless = () => {
        for (;;);
      };
      await expect(scheduler.compute(endless, undefined, { deadline: 1 })).rejects.toEqual(over);
    };
    expect(await deprecationsOf(use)).toEqual(code);
    await scheduler.close();
  });

  it('is refused as timeout would be', () => {
    const listener = listen({ host: '127.0.0.1', port: 0 });
    expect(() => listener.stop({ deadline: -1 })).toThrow(/options.timeout must be/);
    return listener.stop();
  });
});

describe('of connections', () => {
  it('userData means connectionData, and timeout() setTimeout()', async () => {
    const listener = listen({ host: '127.0.0.1', port: 0, connectionData: 0, data() {} });
    const { port } = listener;
    const use = async () => {
      const connection = await connect({ port, userData: { own: 1 } });
      expect(connection.data).toEqual({ own: 1 });
      expect(connection.timeout(1000)).toBe(connection);
      connection.destroy();
    };
    const codes = ['RINGPOLL_DEP_USER_DATA', 'RINGPOLL_DEP_CONNECTION_TIMEOUT'];
    expect(await deprecationsOf(use)).toEqual(codes);
    expect(await deprecationsOf(use)).toEqual([]);
    listener.destroy();
  });
});
