// `ringpoll serve`: the files of a folder over HTTP.
import { resolve } from 'node:path';
import { serve } from '../http/index.js';
import { type Command, EXIT, integerOption, PORT_RANGE, UsageError } from './command.js';
import { JSON_OPTION } from './help.js';
import { ended } from './signals.js';

const PORT_DEFAULT = 8080;
const STOP_MS_MAX = 3000;
const INDEX = 'index.html';

export const command: Command = {
  summary: 'serve the files of a folder over HTTP',
  usage: '[DIR]',
  details:
    'DIR is the present folder if left out. Names that begin with a dot are not served.\n' +
    'It ends at SIGINT or SIGTERM, when the connections have had three seconds to finish.',
  options: {
    host: { type: 'string', value: 'IP', help: 'where to listen (default 127.0.0.1)' },
    port: {
      ...{ type: 'string', short: 'p', value: 'N' },
      help: `0 lets the system choose (default ${PORT_DEFAULT})`,
    },
    json: JSON_OPTION,
  },
  async run(values, positionals, output) {
    if (positionals.length > 1) throw new UsageError('serve takes one folder');
    const root = resolve(positionals[0] ?? '.');
    const server = serve({
      host: String(values.host ?? '127.0.0.1'),
      port: integerOption(values, 'port', PORT_DEFAULT, PORT_RANGE),
      handler(request, response) {
        const { path } = request;
        return response.sendFile(path.endsWith('/') ? path + INDEX : path, { root });
      },
    });
    const { address, port } = server.address as { address: string; port: number };
    if (output.json) output.document({ address, port, root });
    else output.line(`${root} on http://${address}:${port}/`);
    await ended();
    await server.stop({ deadline: STOP_MS_MAX });
    return EXIT.ok;
  },
};
