// `ringpoll echo`: a server that sends back what it receives.
import { listen } from '../index.js';
import { type Command, EXIT, integerOption, PORT_RANGE } from './command.js';
import { JSON_OPTION } from './help.js';
import { ended } from './signals.js';

const PORT_DEFAULT = 7007;
const STOP_MS_MAX = 3000;

export const command: Command = {
  summary: 'run a TCP server that sends back what it receives',
  details: 'It ends at SIGINT or SIGTERM, when the connections have had three seconds to finish.',
  options: {
    host: { type: 'string', value: 'IP', help: 'where to listen (default 127.0.0.1)' },
    port: {
      ...{ type: 'string', short: 'p', value: 'N' },
      help: `0 lets the system choose (default ${PORT_DEFAULT})`,
    },
    json: JSON_OPTION,
  },
  async run(values, _positionals, output) {
    const listener = listen({
      host: String(values.host ?? '127.0.0.1'),
      port: integerOption(values, 'port', PORT_DEFAULT, PORT_RANGE),
      data: (connection, chunk) => {
        if (!connection.write(chunk)) connection.pause();
      },
      drain: (connection) => connection.resume(),
      error: () => {},
    });
    const { address, port } = listener.address as { address: string; port: number };
    if (output.json) output.document({ address, port });
    else output.line(`echo server on ${address}:${port}`);
    await ended();
    await listener.stop({ deadline: STOP_MS_MAX });
    return EXIT.ok;
  },
};
