// `ringpoll doctor`: the limits of this machine, and what to do about them; with a program, who
// would serve it.
import { capacity } from './capacity.js';
import { type Command, EXIT, integerOption } from './command.js';
import { type Check, diagnose, type Status } from './diagnosis.js';
import { doctorProgram, SECONDS_DEFAULT } from './doctor_program.js';
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
  summary: 'check the limits of this machine, or who would serve a program',
  usage: '[APP [ARGUMENTS]]',
  operandsMax: Number.POSITIVE_INFINITY,
  details:
    'Without APP it checks the limits of this machine, and says what to do about them. The exit\n' +
    'code is 1 if a problem was found that stops a server from working.\n' +
    'With APP it runs that program with ringpoll/register until its servers listen, and stops\n' +
    'it. It tells which servers ringpoll serves, which ones Node does, and why. The program\n' +
    'does what it always does: it opens its ports, and connects to its database. What it prints\n' +
    'goes to standard error. The exit code is 1 if it fails. Its own options stand behind --.',
  examples: [
    'doctor',
    'doctor --connections 1000000',
    'doctor app.js',
    'doctor app.js -- --port 80',
  ],
  options: {
    connections: {
      type: 'string',
      value: 'N',
      help: 'check every limit for so many open connections, too',
    },
    seconds: {
      type: 'string',
      value: 'N',
      help: `time for APP to listen (default ${SECONDS_DEFAULT})`,
    },
    json: JSON_OPTION,
  },
  async run(values, operands, output) {
    const seconds = integerOption(values, 'seconds', SECONDS_DEFAULT, [1, 86_400]);
    if (operands.length > 0) return doctorProgram(operands, seconds, output);
    const wanted = integerOption(values, 'connections', 0, [1, CONNECTIONS_MAX]);
    const facts = readFacts();
    const checks = diagnose(facts);
    if (wanted > 0) checks.push(...capacity(facts, wanted));
    if (output.json) output.document({ checks, facts });
    else output.line(describe(checks));
    return checks.some(({ status }) => status === 'problem') ? EXIT.failure : EXIT.ok;
  },
};
