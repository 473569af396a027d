// `ringpoll layers`: what each layer of a running server costs, in microseconds of a request; or of
// a program, beside the same on node:http.
import type { Layers } from '../admin/layers.js';
import { ask, placeOf, textOf } from './admin_place.js';
import { type Command, EXIT, integerOption, UsageError } from './command.js';
import { JSON_OPTION } from './help.js';
import { LAYER_ROWS } from './layer_rows.js';
import { compareLayers } from './layers_compare.js';
import { table } from './output.js';

const SECONDS_DEFAULT = 2;
const ROUNDS_DEFAULT = 3;
const CONNECTIONS_DEFAULT = 64;
const DEPTH_DEFAULT = 1;

export function layersText({ turns, requests, microseconds, layers, ...rest }: Layers): string {
  if (requests === 0) return 'No request was measured yet: one turn of the loop in 61 is.';
  const meanings = new Map<string, string>(LAYER_ROWS);
  const rows = layers.map(({ layer, microseconds: each, share, laps }) => [
    ...[layer, each.toFixed(3), `${(share * 100).toFixed(1)} %`, laps.toFixed(2)],
    meanings.get(layer) ?? '',
  ]);
  const head = ['layer', 'µs a request', 'share', 'times', ''];
  return [
    `${requests} requests in ${turns} turns of the loop`,
    '',
    table([head, ...rows, ['all', microseconds.toFixed(3), '100 %', '', '']], [1, 2, 3]),
    '',
    `Left out: ${rest.measuringMicroseconds.toFixed(3)} µs that measuring took in these turns.`,
    `The turns as a whole: ${rest.wholeMicroseconds.toFixed(3)} µs a request, by other clocks.`,
  ].join('\n');
}

export const command: Command = {
  summary: 'show what each layer of a server costs, also beside node:http',
  usage: '[URL | --compare APP [ARGUMENTS]]',
  operandsMax: Number.POSITIVE_INFINITY,
  details:
    'URL is that of admin() of ringpoll/admin, with its token, or a port on this machine\n' +
    '(default 6060). The token may also be in RINGPOLL_ADMIN_TOKEN.\n' +
    'With --compare APP it starts that program for node:http in a process of its own, as it is\n' +
    'and with ringpoll/register, in turns. It sends GET requests to its first HTTP server, and\n' +
    'prints what a request costs on both. What APP prints goes to standard error. Its own\n' +
    'options stand behind --.',
  examples: [
    "layers 'http://127.0.0.1:6060/?token=TOKEN'",
    'layers 6060 --json',
    'layers --compare app.js --path /users/7',
    'layers --compare app.js -- --port 8080',
  ],
  options: {
    token: { type: 'string', value: 'TOKEN', help: 'what admin() asks for' },
    compare: { type: 'string', value: 'APP', help: 'a program, beside the same on node:http' },
    path: { type: 'string', value: 'PATH', help: 'what is asked for (default /)' },
    connections: {
      type: 'string',
      value: 'N',
      help: `connections that ask (default ${CONNECTIONS_DEFAULT})`,
    },
    depth: {
      type: 'string',
      value: 'N',
      help: `requests at once on each (default ${DEPTH_DEFAULT})`,
    },
    rounds: { type: 'string', value: 'N', help: `runs on each side (default ${ROUNDS_DEFAULT})` },
    seconds: {
      type: 'string',
      value: 'N',
      help: `of each of two measurings of a run (default ${SECONDS_DEFAULT})`,
    },
    json: JSON_OPTION,
  },
  async run(values, operands, output) {
    const { token, compare, path = '/' } = values;
    if (typeof compare === 'string') {
      if (!String(path).startsWith('/') || /[\s\0]/.test(String(path))) {
        throw new UsageError(`--path takes a path, not '${path}'`);
      }
      const options = {
        path: String(path),
        seconds: integerOption(values, 'seconds', SECONDS_DEFAULT, [1, 3600]),
        rounds: integerOption(values, 'rounds', ROUNDS_DEFAULT, [1, 1000]),
        connections: integerOption(values, 'connections', CONNECTIONS_DEFAULT, [1, 10_000]),
        depth: integerOption(values, 'depth', DEPTH_DEFAULT, [1, 1000]),
      };
      return compareLayers([compare, ...operands], options, output);
    }
    if (operands.length > 1) {
      throw new UsageError(`it takes at most 1 beside its options, not '${operands[1]}'`);
    }
    const body = await ask(placeOf(operands[0], token), '/debug/layers');
    const layers = JSON.parse(await textOf(body)) as Layers;
    if (output.json) output.document(layers);
    else output.line(layersText(layers));
    return EXIT.ok;
  },
};
