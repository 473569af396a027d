// `npm run docs`: writes the table of counters in docs/metrics.md from the sources, and builds the
// documentation site with the API reference from the comments in lib.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLine } from './command_line.mjs';
import { buildSite } from './site.mjs';
import { inRoot, isMain, main, run } from './steps.mjs';

const BEGIN = '<!-- counters: from native/core/base/metrics.h by npm run docs -->';
const END = '<!-- end of counters -->';

export function counters() {
  const source = readFileSync(inRoot('native', 'core', 'base', 'metrics.h'), 'utf8');
  return [...source.matchAll(/X\((\w+),\s*"([^"]+)"\)/g)].map(([, name, meaning]) => ({
    name,
    meaning,
  }));
}

/** The page with its table of counters as the header has them now. */
export function metricsPage() {
  const page = readFileSync(inRoot('docs', 'metrics.md'), 'utf8');
  const rows = counters().map(({ name, meaning }) => `| \`${name}\` | ${meaning} |`);
  const table = ['| counter | meaning |', '|---|---|', ...rows].join('\n');
  const [before] = page.split(BEGIN);
  const [, after] = page.split(END);
  return `${before}${BEGIN}\n${table}\n${END}${after}`;
}

// Types of the inside that public declarations mention; users need not name them.
const INTERNAL = [
  ...['AnyData', 'Answered', 'Attached', 'BodyReader', 'ContextOptions', 'Decided', 'FileEngine'],
  ...[
    'Now',
    'OwnCloseEvent',
    'Pairs',
    'ROUTES',
    'SyncStage',
    'TRIGGERS',
    'View',
    'WAIT_STRATEGIES',
  ],
  ...['CAUSES', 'CONNECTION_STATES', 'LAYERS', 'PHASES', 'Handler', 'Bytes', 'PiecesWriter'],
];

async function writeReference(folder) {
  const program = inRoot('node_modules', 'typedoc', 'bin', 'typedoc');
  const wings = [
    ...['http', 'client', 'upstream', 'guards', 'lifecycle', 'config', 'scheduler', 'fs'],
    // What net, dgram and node_http export is documented by Node.
    ...['websocket', 'crossws', 'tls', 'udp', 'framing', 'threads', 'admin', 'tracing'],
    ...['queues', 'fastify'],
  ];
  const entries = ['index.ts', ...wings.map((wing) => join(wing, 'index.ts'))];
  const args = [
    ...entries.flatMap((entry) => ['--entryPoints', join('lib', entry)]),
    ...['--plugin', 'typedoc-plugin-markdown', '--out', folder],
    ...['--readme', 'none', '--excludeInternal', '--excludePrivate', '--excludeExternals'],
    '--disableSources',
    // Everything else that users can come across is in the reference.
    ...INTERNAL.flatMap((name) => ['--intentionallyNotExported', name]),
    '--treatWarningsAsErrors',
    ...['--hidePageHeader', 'true', '--hideBreadcrumbs', 'true', '--name', 'ringpoll'],
  ];
  await run('typedoc', process.execPath, [program, ...args]);
}

if (isMain(import.meta.url)) {
  commandLine('usage: npm run docs');
  await main(async () => {
    writeFileSync(inRoot('docs', 'metrics.md'), metricsPage());
    await buildSite(writeReference);
  });
}
