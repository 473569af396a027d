// Topics that several servers share by a backplane, and the one over Redis with a client that does
// what a test wants. The lane `redis` has a real one.
import type { WebSocketServerOptions } from 'ringpoll/http';
import { serve } from 'ringpoll/http';
import { type Backplane, type RedisClient, redisTopics } from 'ringpoll/websocket';
import { describe, expect, it } from 'vitest';
import { serveHttp } from '../support/http.js';
import { dialSocket, SocketLog, serveSockets } from '../support/websocket.js';

type Deliver = (topic: string, message: Uint8Array) => void;

/** Backplanes of one process: each gives to all others. */
class Bus {
  readonly delivers = new Set<Deliver>();
  ends = 0;

  side(): Backplane {
    let own: Deliver | undefined;
    return {
      publish: (topic, message) => {
        for (const each of this.delivers) if (each !== own) each(topic, message);
      },
      onMessage: async (deliver) => {
        own = deliver;
        this.delivers.add(deliver);
        return () => {
          this.delivers.delete(deliver);
          this.ends++;
        };
      },
    };
  }
}

async function subscriber(url: string, topic = 't') {
  const log = new SocketLog();
  const client = await dialSocket<never>(`${url}/?${topic}`, log.handlers);
  return { log, client };
}

const options: WebSocketServerOptions<string> = {
  upgrade: ({ query }) => ({ data: query }),
  open: (socket) => socket.subscribe(socket.data),
  message: (socket, message) => socket.publish(socket.data, message),
};

describe('servers that share topics', () => {
  it('hear each message once; the one that publishes it by itself', async () => {
    const bus = new Bus();
    const one = serveSockets({ ...options, topics: bus.side() });
    const two = serveSockets({ ...options, topics: bus.side() });
    const alone = serveSockets(options);
    const [a, b, c] = await Promise.all([one, two, alone].map(({ url }) => subscriber(url)));
    const other = await subscriber(two.url, 'other');
    a!.client.send('text');
    expect(await b!.log.received(1)).toEqual(['text']);
    expect(one.server.publish('t', Buffer.from([1, 2]))).toBe(1);
    expect(await b!.log.received(2)).toEqual(['text', Buffer.from([1, 2])]);
    two.server.publish('t', 'back');
    expect(await a!.log.received(2)).toEqual([Buffer.from([1, 2]), 'back']);
    expect([c!.log.messages, other.log.messages]).toEqual([[], []]);
    await one.server.stop();
    expect([bus.delivers.size, bus.ends]).toEqual([1, 1]);
    two.server.publish('t', 'after');
    expect(await b!.log.received(4)).toHaveLength(4);
  });

  it('share them by all routes, and once when several have the same backplane', async () => {
    const bus = new Bus();
    const topics = bus.side();
    const server = serveHttp({
      routes: { '/a': { websocket: { ...options, topics } }, '/b': { websocket: options } },
      websocket: { ...options, topics },
    } as never);
    expect(bus.delivers.size).toBe(1);
    const got: string[] = [];
    await bus.side().onMessage((topic, message) => got.push(`${topic} ${message.length}`));
    server.publish('t', 'four');
    expect(got).toEqual(['t 5']);
  });

  it('leave out what is no message', async () => {
    const bus = new Bus();
    const { url } = serveSockets({ ...options, topics: bus.side() });
    const { log } = await subscriber(url);
    const bytes = (...all: number[]) => Uint8Array.from(all);
    const sender = bus.side();
    for (const wrong of [bytes(), bytes(0, 1), bytes(8, 3), bytes(255, 1), 'text', undefined]) {
      sender.publish('t', wrong as Uint8Array);
    }
    sender.publish('t', bytes(1, 0xff, 0x61));
    sender.publish('t', bytes(2));
    expect(await log.received(2)).toEqual(['\ufffda', Buffer.alloc(0)]);
  });

  it('go on when the backplane fails, and warn once', async () => {
    const warnings: string[] = [];
    const listener = ({ message }: Error) => warnings.push(message);
    process.on('warning', listener);
    const topics: Backplane = {
      publish(topic) {
        if (topic === 't') throw new Error('thrown');
        return Promise.reject(new Error('rejected'));
      },
      onMessage() {},
    };
    const { server, url } = serveSockets({ ...options, topics });
    const { log } = await subscriber(url);
    for (const topic of ['t', 't', 'u']) server.publish(topic, 'x');
    expect(await log.received(2)).toEqual(['x', 'x']);
    await new Promise(setImmediate);
    process.off('warning', listener);
    expect(warnings).toEqual(['thrown']);
  });

  it.each([
    [{ publish() {} }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [null, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
  ])('are given a backplane: not %j', (topics, code) => {
    const open = () => serve({ port: 0, handler: () => '', websocket: { topics } } as never);
    expect(open).toThrowError(expect.objectContaining({ code }));
  });

  it('have one backplane each', () => {
    const topics = new Bus().side();
    serveSockets({ topics });
    const again = () => serveSockets({ topics });
    expect(again).toThrowError(expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }));
  });
});

/** A client of Redis that answers when it is told to. */
class FakeRedis implements RedisClient {
  isReady = true;
  readonly published: Buffer[] = [];
  readonly answers: ((error?: Error) => void)[] = [];
  listener: ((message: Buffer) => void) | undefined;
  destroyed = 0;

  publish(_: string, message: Buffer): Promise<unknown> {
    this.published.push(message);
    return new Promise<void>((resolve, reject) => {
      this.answers.push((error) => (error ? reject(error) : resolve()));
    });
  }

  duplicate() {
    return {
      on: () => undefined,
      connect: async () => undefined,
      subscribe: async (_: string, listener: (message: Buffer) => void) => {
        this.listener = listener;
      },
      destroy: () => this.destroyed++,
    };
  }
}

describe('redisTopics()', () => {
  it('takes the messages of others, and neither its own nor what is none', async () => {
    const [mine, theirs] = [new FakeRedis(), new FakeRedis()];
    const topics = redisTopics(mine);
    const got: unknown[] = [];
    const stop = await topics.onMessage((topic, message) => got.push([topic, [...message]]));
    await new Promise(setImmediate);
    redisTopics(theirs).publish('tä', Uint8Array.from([1, 2]));
    topics.publish('own', Uint8Array.from([3]));
    const [message] = theirs.published as [Buffer];
    for (const bytes of [mine.published[0]!, message.subarray(0, 17), Buffer.alloc(0), message]) {
      mine.listener?.(bytes);
    }
    mine.listener?.(message.subarray(0, message.length - 2));
    expect(got).toEqual([['tä', [1, 2]]]);
    (stop as () => void)();
    expect(mine.destroyed).toBe(1);
  });

  it('keeps nothing for a Redis that is away, and at most 16 MB for one that is slow', async () => {
    const redis = new FakeRedis();
    const errors: string[] = [];
    const topics = redisTopics(redis, { error: ({ message }) => errors.push(message) });
    const MB = new Uint8Array(1024 * 1024);
    for (let i = 0; i < 20; i++) topics.publish('t', MB);
    expect(redis.published).toHaveLength(15);
    expect(errors).toEqual(Array(5).fill('Redis is slow: a message was not given to it'));
    for (const answer of redis.answers.splice(0)) answer();
    await new Promise(setImmediate);
    topics.publish('t', MB);
    expect(redis.published).toHaveLength(16);
    redis.isReady = false;
    topics.publish('t', MB);
    expect(redis.published).toHaveLength(16);
    expect(errors.at(-1)).toBe('Redis is away: a message was not given to it');
  });

  it.each([
    [undefined, {}, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [{ publish() {} }, {}, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [new FakeRedis(), { chanel: 'x' }, 'ERR_RINGPOLL_UNKNOWN_OPTION'],
    [new FakeRedis(), { channel: 1 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
    [new FakeRedis(), { error: 1 }, 'ERR_RINGPOLL_INVALID_ARG_TYPE'],
  ])('checks what it is given: %j, %j', (client, given, code) => {
    const make = () => redisTopics(client as never, given as never);
    expect(make).toThrowError(expect.objectContaining({ code }));
  });
});
