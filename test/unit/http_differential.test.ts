// The same bytes to our parser and to a real node:http server with its default settings. Whatever
// we take Node takes too, with the same method, target, headers, body and trailers. The other way
// round we may be stricter. What is left is listed here with its reason.
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  BUILD_MS_MAX,
  buildDriver,
  Flag,
  type Message,
  runDriver,
  summarise,
} from '../http/driver.js';
import { nearlyValid, randomFrom } from '../http/mutations.js';
import { type NodeMessage, type NodeOutcome, NodeServer } from '../http/node_server.js';

const SEED = Number(process.env.RINGPOLL_HTTP_SEED ?? 20_260_101);
const CONNECTIONS = Number(process.env.RINGPOLL_HTTP_CONNECTIONS ?? 5_000);
const AT_ONCE = 16;
const SENDING_MS_MAX = Number(process.env.RINGPOLL_HTTP_SENDING_MS ?? 8_000);
const TEST_MS_MAX = SENDING_MS_MAX + 30_000;

type Ours = ReturnType<typeof summarise>;

interface Difference {
  reason: string;
  applies(ours: Ours, node: NodeOutcome): boolean;
}

const DIFFERENCES: Difference[] = [
  {
    reason:
      'An HTTP/1.0 request with both keep-alive and close: RFC 9112 section 9.3 lets close win, ' +
      'and what follows is not read. llhttp looks at keep-alive alone and goes on.',
    applies(ours, node) {
      const last = ours.messages.at(-1);
      return (
        ours.state === 'closed' &&
        last !== undefined &&
        (last.flags & Flag.version11) === 0 &&
        /keep-alive/i.test(connectionOf(last)) &&
        agree(ours, node.messages.slice(0, ours.messages.length))
      );
    },
  },
];

function connectionOf({ rawHeaders }: Message): string {
  const isConnection = (_: string, index: number) =>
    index % 2 === 1 && rawHeaders[index - 1].toLowerCase() === 'connection';
  return rawHeaders.filter(isConnection).join(',');
}

let server: NodeServer;

beforeAll(async () => {
  buildDriver();
  server = await NodeServer.start();
}, BUILD_MS_MAX);

afterAll(() => server.stop());

/** What the two must have in common. Of a request that was cut short, only the head. */
function comparable(message: Message | NodeMessage) {
  const { method, target, rawHeaders, complete } = message;
  const { body, rawTrailers } = complete ? message : { body: '', rawTrailers: [] };
  return JSON.stringify({ method, target, rawHeaders, complete, body, rawTrailers });
}

function agree(ours: Ours, theirs: NodeMessage[]): boolean {
  for (const [index, message] of ours.messages.entries()) {
    const twin = theirs[index];
    if (!twin) return false;
    // An error behind a request may keep Node from reading it to its end.
    if (
      comparable(message) !== comparable({ ...twin, complete: message.complete && twin.complete })
    )
      return false;
  }
  // Requests that we did not see, though we had nothing to object to.
  return ours.error !== undefined || theirs.length === ours.messages.length;
}

async function sendAll(inputs: string[]): Promise<NodeOutcome[]> {
  const outcomes: NodeOutcome[] = [];
  const until = Date.now() + SENDING_MS_MAX;
  let next = 0;
  const work = async () => {
    while (next < inputs.length && Date.now() < until) {
      const index = next++;
      outcomes[index] = await server.send(inputs[index]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

it(
  'node:http takes what we take, and understands the same',
  async () => {
    const random = randomFrom(SEED);
    const all = Array.from({ length: CONNECTIONS }, () => nearlyValid(random));
    const outcomes = await sendAll(all);
    const inputs = all.slice(0, outcomes.length);
    const parsed = runDriver(inputs, ['--verify']).map(summarise);
    const accepted = parsed.filter(({ error }) => error === undefined).length;
    expect(accepted).toBeGreaterThan(inputs.length / 20);
    expect(accepted).toBeLessThan(inputs.length);

    const unexplained = inputs.flatMap((input, index) => {
      const [ours, node] = [parsed[index], outcomes[index]];
      if (agree(ours, node.messages)) return [];
      const listed = DIFFERENCES.some((difference) => difference.applies(ours, node));
      return listed ? [] : [{ input, ours, node }];
    });
    expect(unexplained).toEqual([]);
  },
  TEST_MS_MAX,
);
