// `ringpoll dump`: what the file of a flight recorder says, after a crash or while it is written.
import { closeSync, openSync, readSync } from 'node:fs';
import {
  FLIGHT_BYTES_MAX,
  type Flight,
  type FlightTurn,
  readFlight,
} from '../admin/flight_file.js';
import { Histogram } from '../histogram.js';
import { type Command, EXIT, integerOption } from './command.js';
import { JSON_OPTION } from './help.js';
import { table } from './output.js';

const LIST_MAX = 10_000;
const LAST = 10;
const SLOWEST = 10;
const PIECE_BYTES = 1024 * 1024;
const NS_PER_MS = 1e6;

const PHASES: Record<Flight['phase'], string> = {
  host: 'in libuv and its callbacks: timers, promises, files',
  sending: 'sending',
  waiting: 'waiting for events',
  receiving: 'receiving',
  javascript: 'in JavaScript, in handlers of events',
};

/** No more than a recording may have, from a file that may be written or endless. */
function readFile(path: string): Buffer {
  const file = openSync(path, 'r');
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    while (bytes < FLIGHT_BYTES_MAX) {
      const piece = Buffer.alloc(PIECE_BYTES);
      const read = readSync(file, piece);
      if (read === 0) break;
      pieces.push(piece.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(file);
  }
  return Buffer.concat(pieces);
}

const ms = (value: number) => value.toFixed(3);
const time = (unixMs: number) => {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? '?' : date.toISOString();
};

function turnsTable(turns: readonly FlightTurn[]): string {
  const head = ['turn', 'began', 'ms', 'receiving', 'JavaScript', 'sending', 'waited', 'events'];
  const rows = turns.map((each) => [
    ...[String(each.turn), time(each.at), ms(each.ms), ms(each.receiving), ms(each.javascript)],
    ...[ms(each.sending), ms(each.waited), String(each.events)],
  ]);
  return table([head, ...rows], [0, 2, 3, 4, 5, 6, 7]);
}

export function flightText(flight: Flight, last: number, slowest: number): string {
  const { text, pid, thread, began, written, turns, damaged, phase, phaseSince } = flight;
  const durations = new Histogram();
  for (const turn of turns) durations.add(turn.ms * NS_PER_MS);
  const quantile = (share: number) => ms(durations.quantile(share) / NS_PER_MS);
  const lines = [
    `${text}; process ${pid}, thread ${thread}`,
    `recording since ${time(began)}: ${written} turns, of which ${turns.length} are kept`,
  ];
  if (damaged > 0) lines.push(`${damaged} rows were being written, or make no sense`);
  if (phaseSince > 0)
    lines.push(`since ${time(phaseSince)} the thread is, or was, ${PHASES[phase]}`);
  if (turns.length === 0) return lines.join('\n');
  lines.push(
    `a turn takes ${quantile(0.5)} ms (median), ${quantile(0.99)} ms (99 %), ` +
      `${quantile(1)} ms at most`,
  );
  const bySlowness = [...turns].sort((a, b) => b.ms - a.ms).slice(0, slowest);
  if (slowest > 0) lines.push('', 'the slowest turns, in ms:', turnsTable(bySlowness));
  if (last > 0) lines.push('', 'the last turns, in ms:', turnsTable(turns.slice(-last)));
  return lines.join('\n');
}

export const command: Command = {
  summary: 'show what a flight recorder has written, after a crash too',
  usage: 'FILE',
  operandsMin: 1,
  operandsMax: 1,
  details: 'FILE is that of flightRecorder() of ringpoll/admin. It may be written meanwhile.',
  examples: ['dump /var/tmp/server.flight', 'dump server.flight --last 100 --json'],
  options: {
    last: { type: 'string', value: 'N', help: `turns at the end that are shown (${LAST})` },
    slowest: { type: 'string', value: 'N', help: `slow turns that are shown (${SLOWEST})` },
    json: JSON_OPTION,
  },
  async run(values, [path], output) {
    const last = integerOption(values, 'last', LAST, [0, LIST_MAX]);
    const slowest = integerOption(values, 'slowest', SLOWEST, [0, LIST_MAX]);
    const flight = readFlight(readFile(path));
    const { turns, ...head } = flight;
    if (output.json) output.document({ ...head, turns: last === 0 ? [] : turns.slice(-last) });
    else output.line(flightText(flight, last, slowest));
    return EXIT.ok;
  },
};
