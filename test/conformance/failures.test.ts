// What throws where it should not, or more often than once.
import type { Connection } from 'ringpoll';
import { connect } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { connectPeer, PeerServer } from '../support/peer.js';
import { runProgram } from '../support/program.js';
import { Recorder, within } from '../support/recorder.js';
import { addressOf, pair, serve } from '../support/serve.js';
import { roundTrips } from '../support/turns.js';

const mine = new Error('mine');
const throwIt = () => {
  throw mine;
};

describe('a throw in the walk over the events of a turn', () => {
  it('that is nobody’s loses no event of others, and is uncaught', async () => {
    const { code, stdout, stderr } = await runProgram('throw_in_walk');
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'heard 20\nclosed true\niterator true\nuncaught true\n',
      stderr: '',
    });
  });
});

describe('the error handler', () => {
  it.each<[string, () => unknown]>([
    ['throws', throwIt],
    ['rejects', () => Promise.reject(mine)],
  ])('gets what close %s, after the close', async (_way, close) => {
    const { peer, server } = await pair({ close });
    peer.end();
    await server.until('error');
    expect(server.order).toEqual(['open', 'end', 'close', 'error']);
    expect(server.error).toBe(mine);
    expect(server.count('error')).toBe(1);
  });

  it.each(['open', 'data', 'end', 'close'])(
    'gets once what a thenable of %s rejects with, although it throws too',
    async (event) => {
      const careless = {
        // biome-ignore lint/suspicious/noThenProperty: that is what it is about
        then(_resolve: unknown, reject: (error: Error) => void) {
          reject(mine);
          reject(new Error('again'));
          throw new Error('and thrown');
        },
      };
      const { peer, server } = await pair({ [event]: () => careless });
      peer.send('x');
      peer.end();
      await server.until('close');
      await server.until('error');
      await roundTrips();
      expect(server.count('error')).toBe(1);
      expect(server.error).toBe(mine);
    },
  );

  it('gets what a then() that cannot be read throws', async () => {
    const unreadable = Object.defineProperty({}, 'then', { get: throwIt });
    const { peer, server } = await pair({ data: () => unreadable });
    peer.send('x');
    await server.until('close');
    expect(server.error).toBe(mine);
    expect(server.count('error')).toBe(1);
  });
});

describe('connect() whose open handler throws', () => {
  it.each([true, false])('rejects with that error; error handler: %s', async (listens) => {
    const server = await PeerServer.listen();
    const client = new Recorder({ open: throwIt });
    const { error, ...others } = client.recording;
    const handlers = listens ? { ...others, error } : others;
    const connecting = connect({ host: '127.0.0.1', port: server.port, ...handlers });
    await expect(within(connecting, () => 'connect')).rejects.toBe(mine);
    await client.until('close');
    expect(client.closeError).toBe(mine);
    expect(client.order).toEqual(listens ? ['open', 'error', 'close'] : ['open', 'close']);
    await (await server.next()).untilOver();
  });

  it('tries no other address', async () => {
    const opened: Connection[] = [];
    const listener = serve({ data() {}, open: (connection) => opened.push(connection) });
    const connecting = connect({ ...addressOf(listener), host: 'localhost', open: throwIt });
    await expect(within(connecting, () => 'connect')).rejects.toBe(mine);
    await connectPeer(addressOf(listener));
    await roundTrips();
    expect(opened.length).toBe(2);
  });
});
