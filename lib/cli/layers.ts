// `ringpoll layers`: what each layer of a running server costs, in microseconds of a request.
import type { Layers } from '../admin/layers.js';
import { ask, placeOf, textOf } from './admin_place.js';
import { type Command, EXIT } from './command.js';
import { JSON_OPTION } from './help.js';
import { table } from './output.js';

const MEANINGS: Record<string, string> = {
  loop: 'which connections are ready; the turn itself',
  accept: 'accept4',
  read: 'recv',
  tls: 'handshakes and records, and what is parsed behind them',
  parse: 'requests out of bytes',
  dispatch: 'JavaScript, from events to handlers and back',
  handler: 'your handlers, until they return',
  serialise: 'commands, and the heads of answers',
  write: 'send',
  host: 'libuv and its callbacks, timers and promises',
};

export function layersText({ turns, requests, microseconds, layers, ...rest }: Layers): string {
  if (requests === 0) return 'No request was measured yet: one turn of the loop in 61 is.';
  const rows = layers.map(({ layer, microseconds: each, share, laps }) => [
    ...[layer, each.toFixed(3), `${(share * 100).toFixed(1)} %`, laps.toFixed(2)],
    MEANINGS[layer],
  ]);
  const head = ['layer', 'µs a request', 'share', 'times', ''];
  return [
    `${requests} requests in ${turns} turns of the loop`,
    '',
    table([head, ...rows, ['all', microseconds.toFixed(3), '100 %', '', '']], [1, 2, 3]),
    '',
    `Left out: ${rest.measuringMicroseconds.toFixed(3)} µs that measuring took in these turns.`,
  ].join('\n');
}

export const command: Command = {
  summary: 'show what each layer of a running server costs',
  usage: 'URL',
  operandsMax: 1,
  details:
    'URL is that of admin() of ringpoll/admin, with its token, or a port on this machine\n' +
    '(default 6060). The token may also be in RINGPOLL_ADMIN_TOKEN.',
  examples: ["layers 'http://127.0.0.1:6060/?token=TOKEN'", 'layers 6060 --json'],
  options: {
    token: { type: 'string', value: 'TOKEN', help: 'what admin() asks for' },
    json: JSON_OPTION,
  },
  async run({ token }, [given], output) {
    const body = await ask(placeOf(given, token), '/debug/layers');
    const layers = JSON.parse(await textOf(body)) as Layers;
    if (output.json) output.document(layers);
    else output.line(layersText(layers));
    return EXIT.ok;
  },
};
