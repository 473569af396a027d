// What explain() returns, as tables for people.
import type { Explanation, NetReport, RouteCost } from './explain.js';
import { table } from './text_table.js';

type Cost = Pick<RouteCost, 'bytesMax' | 'microseconds' | 'samples'>;

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

const size = ({ bytesMax }: Cost) =>
  bytesMax === Number.POSITIVE_INFINITY ? 'larger' : `up to ${bytesMax} B`;

const costRow = (what: string, cost: Cost): string[] => [
  what,
  size(cost),
  cost.microseconds.toFixed(2),
  String(cost.samples),
];

function connectionTable({ routes }: Explanation['receive']): string {
  const rows = [['receive by', 'connections', 'began here', 'came over', 'receives', 'bytes']];
  for (const [name, route] of Object.entries(routes)) {
    const { connections, chosen, migrations, receives, bytes } = route;
    const counts = [connections, chosen, migrations, receives, bytes].map(String);
    rows.push(route.available ? [name, ...counts] : [name, 'not available']);
  }
  return table(rows, [1, 2, 3, 4, 5]);
}

function costTable({ receive, send, file }: Explanation): string {
  const rows = [['cost of', 'size', 'µs', 'samples']];
  const add = (what: string, costs: readonly Cost[]) =>
    rows.push(...costs.map((cost) => costRow(what, cost)));
  for (const [name, { costs }] of Object.entries(receive.routes)) add(`receive, ${name}`, costs);
  for (const [way, costs] of Object.entries(send.costs)) add(`send, ${way}`, costs);
  for (const { operation, costs } of file.operations) {
    for (const [way, list] of Object.entries(costs)) add(`${operation}, ${way}`, list);
  }
  if (rows.length === 1) return 'cost: nothing measured yet';
  return table(rows, [2, 3]);
}

function kindTable(explanation: Explanation): string {
  const rows = (['open', 'send', 'file'] as const).map((kind) => {
    const { total, ways, why } = explanation[kind];
    const parts = Object.entries(ways).map(([way, count]) => `${count} ${way}`);
    return [kind, String(total), parts.join(', '), why];
  });
  return table([['kind', 'total', 'where', 'why'], ...rows], [1]);
}

function refusalLines({ receive, file }: Explanation): string[] {
  const ofFiles = file.operations.filter(({ refusals }) => refusals > 0);
  return [
    ...receive.refused.map(({ asked, count, why }) => `refused: ${asked}, ${count} times: ${why}`),
    ...ofFiles.map(
      ({ operation, refusals, reason }) =>
        `refused: uring for ${operation}, ${refusals} times: ${reason}`,
    ),
  ];
}

function faceLines({ faces }: Explanation): string[] {
  return [
    ...Object.entries(faces.modules).map(([name, by]) => `${name}: ${by}`),
    ...faces.servers.map(({ why, count }) => `${plural(count, 'server')} of Node's: ${why}`),
  ];
}

function netLine({ active, everywhere, reason }: NetReport): string {
  if (!active) return `node:net: Node's own: ${reason}`;
  return `node:net: served here, ${everywhere ? 'everywhere' : 'where ringpoll/net is imported'}`;
}

/** The same as text: where each kind went, how many, why, what it cost, what was refused. */
export function formatExplanation(explanation: Explanation): string {
  const { engine, receive, net } = explanation;
  return [
    `engine: ${engine}`,
    ...(net === undefined ? [] : [netLine(net)]),
    `receive: ${receive.preferred}: ${receive.why}; ${plural(receive.refusals, 'hint')} refused`,
    '',
    connectionTable(receive),
    '',
    kindTable(explanation),
    '',
    costTable(explanation),
    ...refusalLines(explanation),
    ...faceLines(explanation),
  ].join('\n');
}
