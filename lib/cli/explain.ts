// `ringpoll explain`: which engines run here, why the others do not, and what goes where.
import { formatExplanation, Loop } from '../index.js';
import { type Command, EXIT } from './command.js';
import { JSON_OPTION } from './help.js';
import { table } from './output.js';

export const command: Command = {
  summary: 'show which engines run here, and why others do not',
  details: 'RINGPOLL_ENGINE=hybrid|uring|poll asks for one of them, as it does for a server.',
  options: { json: JSON_OPTION },
  async run(_values, _positionals, output) {
    const loop = Loop.current();
    const { engines } = loop.capabilities;
    const asked = process.env.RINGPOLL_ENGINE || 'hybrid';
    if (output.json) {
      output.document({ asked, engine: loop.engine, engines, routing: loop.explain() });
      return EXIT.ok;
    }
    output.line(`asked for: ${asked}`);
    output.line(`running:   ${loop.engine}`);
    output.line();
    const rows = engines.map(({ name, available, reason }) => [
      name,
      available ? 'available' : 'not available',
      reason ?? '',
    ]);
    output.line(table(rows));
    output.line();
    output.line(formatExplanation(loop.explain()));
    return EXIT.ok;
  },
};
