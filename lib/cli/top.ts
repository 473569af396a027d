// `ringpoll top`: what a running server does, in the terminal.
import type { Report } from '../admin/sampler.js';
import { type Command, EXIT, Failure, UsageError } from './command.js';
import { JSON_OPTION } from './help.js';
import type { Output } from './output.js';
import { reportText } from './top_text.js';

const CLEAR = '\x1b[H\x1b[2J';
const PORT_DEFAULT = 6060;

interface Place {
  url: URL;
  token: string | undefined;
}

/** A URL, as admin() has printed it, or the port on this machine. */
function placeOf(given: string, option: unknown): Place {
  const text = /^\d+$/.test(given) ? `http://127.0.0.1:${given}/` : given;
  if (!URL.canParse(text)) throw new UsageError(`'${given}' is neither a URL nor a port`);
  const url = new URL(text);
  if (url.protocol !== 'http:') throw new UsageError(`'${given}' is no URL of http`);
  const token = option ?? url.searchParams.get('token') ?? process.env.RINGPOLL_ADMIN_TOKEN;
  url.search = '';
  url.pathname = '/debug/live';
  return { url, token: token === undefined ? undefined : String(token) };
}

async function open({ url, token }: Place): Promise<ReadableStream<Uint8Array>> {
  const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(url, headers === undefined ? {} : { headers });
  } catch (error) {
    const { cause } = error as { cause?: Error };
    throw new Failure(`${url.host} does not answer: ${cause?.message || error}`);
  }
  if (response.ok && response.body !== null) return response.body;
  throw new Failure(`${url.host} answers ${response.status}: ${(await response.text()).trim()}`);
}

/** The data of events without a name, one after the other. */
async function* reportsOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Report> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream as unknown as AsyncIterable<Uint8Array>) {
    const events = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      if (event.startsWith('data: ')) yield JSON.parse(event.slice('data: '.length)) as Report;
    }
  }
}

async function show(place: Place, once: boolean, output: Output): Promise<void> {
  const isTerminal = process.stdout.isTTY === true && !once;
  for await (const report of reportsOf(await open(place))) {
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
    `(default ${PORT_DEFAULT}). The token may also be in RINGPOLL_ADMIN_TOKEN. Ctrl-C ends it. With\n` +
    '--json it prints one report and ends.',
  examples: ["top 'http://127.0.0.1:6060/?token=TOKEN'", 'top 6060 --once'],
  options: {
    token: { type: 'string', value: 'TOKEN', help: 'what admin() asks for' },
    once: { type: 'boolean', help: 'print one report and end' },
    json: JSON_OPTION,
  },
  async run({ token, once }, [given = String(PORT_DEFAULT)], output) {
    await show(placeOf(given, token), once === true, output);
    return EXIT.ok;
  },
};
