// `ringpoll doctor`: the limits of this machine, and what to do about them.
import { capacity } from './capacity.js';
import { type Command, EXIT, integerOption } from './command.js';
import { type Check, diagnose, type Status } from './diagnosis.js';
import { JSON_OPTION } from './help.js';
import { readFacts } from './machine_facts.js';
import { table } from './output.js';

/** Of one loop: native code's kChannelsMax. */
const CONNECTIONS_MAX = 2 ** 24;

const SIGNS: Record<Status, string> = { ok: 'ok', advice: 'note', problem: 'PROBLEM' };

function describe(checks: Check[]): string {
  const rows = checks.map(({ name, value, status }) => [SIGNS[status], name, value]);
  const advice = checks
    .filter(({ advice }) => advice !== undefined)
    .map(({ name, advice }) => `${name}: ${advice}`);
  return [table(rows), ...(advice.length > 0 ? [''] : []), ...advice].join('\n');
}

export const command: Command = {
  summary: 'check the limits of this machine, and say what to do about them',
  details: 'The exit code is 1 if a problem was found that stops a server from working.',
  examples: ['doctor', 'doctor --connections 1000000'],
  options: {
    connections: {
      type: 'string',
      value: 'N',
      help: 'check every limit for so many open connections, too',
    },
    json: JSON_OPTION,
  },
  async run(values, _operands, output) {
    const wanted = integerOption(values, 'connections', 0, [1, CONNECTIONS_MAX]);
    const facts = readFacts();
    const checks = diagnose(facts);
    if (wanted > 0) checks.push(...capacity(facts, wanted));
    if (output.json) output.document({ checks, facts });
    else output.line(describe(checks));
    return checks.some(({ status }) => status === 'problem') ? EXIT.failure : EXIT.ok;
  },
};
