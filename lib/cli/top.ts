// `ringpoll top`: what a running server does, in the terminal.
import type { Report } from '../admin/sampler.js';
import { type AdminPlace, ask, type Body, placeOf } from './admin_place.js';
import { type Command, EXIT, Failure } from './command.js';
import { JSON_OPTION } from './help.js';
import type { Output } from './output.js';
import { reportText } from './top_text.js';

const CLEAR = '\x1b[H\x1b[2J';
/** The data of events without a name, one after the other. */
async function* reportsOf(stream: Body): AsyncGenerator<Report> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream) {
    const events = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      if (event.startsWith('data: ')) yield JSON.parse(event.slice('data: '.length)) as Report;
    }
  }
}

async function show(place: AdminPlace, once: boolean, output: Output): Promise<void> {
  const isTerminal = process.stdout.isTTY === true && !once;
  for await (const report of reportsOf(await ask(place, '/debug/live'))) {
    if (output.json) {
      output.document(report);
    } else {
      const text = reportText(report, process.stdout.columns ?? 100, process.stdout.rows ?? 50);
      output.line(isTerminal ? `${CLEAR}${text}` : text);
    }
    if (once || output.json) return;
  }
  throw new Failure(`${place.url.host} has ended the connection`);
}

export const command: Command = {
  summary: 'show what a running server does, in the terminal',
  usage: 'URL',
  operandsMax: 1,
  details:
    'URL is that of admin() of ringpoll/admin, with its token, or a port on this machine\n' +
    '(default 6060). The token may also be in RINGPOLL_ADMIN_TOKEN. Ctrl-C ends it. With\n' +
    '--json it prints one report and ends.',
  examples: ["top 'http://127.0.0.1:6060/?token=TOKEN'", 'top 6060 --once'],
  options: {
    token: { type: 'string', value: 'TOKEN', help: 'what admin() asks for' },
    once: { type: 'boolean', help: 'print one report and end' },
    json: JSON_OPTION,
  },
  async run({ token, once }, [given], output) {
    await show(placeOf(given, token), once === true, output);
    return EXIT.ok;
  },
};
