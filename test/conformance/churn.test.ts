import { connect, Loop } from 'ringpoll';
import { describe, expect, it } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { addressOf, serve } from '../support/serve.js';

const CONNECTIONS = 10_000;
const AT_A_TIME = 50;
const CHURN_MS_MAX = 60_000;

/** How a connection ends, in turn: from either side, in order or by reset. */
type Ending = 'client end' | 'client reset' | 'server end' | 'server reset' | 'both';
const endings: Ending[] = ['client end', 'client reset', 'server end', 'server reset', 'both'];

describe('ten thousand connections', () => {
  it(
    'that say something and close leave nothing behind',
    async () => {
      const counts = { open: 0, close: 0, bytes: 0, clientClose: 0 };
      const listener = serve({
        open() {
          counts.open += 1;
        },
        data(connection, chunk) {
          const ending = endings[chunk.bytes[0]! - 0x30]!;
          counts.bytes += chunk.length;
          connection.write('k');
          if (ending === 'server reset') connection.reset();
          else if (ending === 'server end') connection.end();
          else if (ending === 'both') connection.close();
        },
        close() {
          counts.close += 1;
        },
        error() {},
      });
      const address = addressOf(listener);
      const one = (index: number) =>
        new Promise<void>((resolve, reject) => {
          const kind = index % endings.length;
          connect({
            host: '127.0.0.1',
            ...address,
            open: (connection) => void connection.write(`${kind}`),
            data(connection) {
              if (endings[kind] === 'client reset') connection.reset();
              else if (endings[kind] === 'both') connection.close();
              else if (endings[kind] === 'client end') connection.end();
            },
            close() {
              counts.clientClose += 1;
              resolve();
            },
            error() {},
          }).catch(reject);
        });
      let next = 0;
      const worker = async () => {
        while (next < CONNECTIONS) {
          next += 1;
          await one(next);
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, worker));
      await listener.stop();
      expect(counts).toEqual({
        open: CONNECTIONS,
        close: CONNECTIONS,
        bytes: CONNECTIONS,
        clientClose: CONNECTIONS,
      });
      expect(listener.connections).toBe(0);
    },
    CHURN_MS_MAX,
  );

  it(
    'from outside are each served and each closed once',
    async () => {
      const before = Loop.current().metrics();
      let closes = 0;
      const listener = serve({
        data: (connection, chunk) => void connection.write(chunk),
        close() {
          closes += 1;
        },
        error() {},
      });
      const address = addressOf(listener);
      const total = 2000;
      let next = 0;
      const worker = async () => {
        while (next < total) {
          next += 1;
          const number = next;
          const peer = await connectPeer(address);
          peer.send('x');
          expect(await peer.received(1)).toBe('x');
          if (number % 2 === 0) peer.reset();
          else peer.end();
          await peer.untilClosed();
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, worker));
      await listener.stop();
      expect(closes).toBe(total);
      const after = Loop.current().metrics();
      expect(after.accepted! - before.accepted!).toBe(total);
      expect(after.closed! - before.closed!).toBe(total);
    },
    CHURN_MS_MAX,
  );
});
