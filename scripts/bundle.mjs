// Bundles lib into few files, because every module costs its importer some time. Entry points
// share what they have in common in chunks of dist/shared: there is one copy of every class.
import { writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { inRoot } from './steps.mjs';

const ENTRIES = [
  'index',
  'http/index',
  'client/index',
  'upstream/index',
  'guards/index',
  'lifecycle/index',
  'queues/index',
  'config/index',
  'scheduler/index',
  'fs/index',
  'websocket/index',
  'crossws/index',
  'tls/index',
  'udp/index',
  'framing/index',
  'net/index',
  'dgram/index',
  'threads/index',
  'admin/index',
  'tracing/index',
  'node_http/index',
  'fastify/index',
  'register/index',
  // Loaded by register when they are wanted, and when a socket connects or a server listens.
  'net/install',
  'net/native_side',
  'node_http/classes',
  'node_http/native_side',
  // Loaded by the command doctor, in the program that it looks at.
  'register/observe',
  // Loaded by the command layers, in the program that it measures.
  'cli/layers_of_node',
  'cli/layers_of_ringpoll',
  // Not imported but run: the command, and the workers of the compute pool and
  // of groups of threads.
  'cli/main',
  'scheduler/compute/worker',
  'threads/worker',
];
// `node --require ringpoll/register`. A file of CommonJS in the package may require ES modules
// without a warning.
const REQUIRED = "'use strict';\nmodule.exports = require('./index.js');\n";
// All that `import 'ringpoll'` needs is one chunk; the others follow from who imports what.
const OF_OTHERS = '(scheduler/(clock|watch|deque)|http/(sink|header_fields))[.]ts';
const CORE = new RegExp(`/lib/([\\w]+\\.ts|(loop|runtime|tcp|tls)/|${OF_OTHERS})`);
// What register needs of it: with the rest it would wait for all of that.
const BASE_FILES =
  'brand|builtins|errors|faces|later|node_face|node_seams|token|http/header_fields';
const BASE = new RegExp(`/lib/(${BASE_FILES})[.]ts`);
const SOCKETS = /\/lib\/net\/(active|face|install|seams)\.ts/;
// What a program loads before it listens, and what its server needs then.
const FACE_FILES =
  'classes|fallback|fields|head_text|incoming|names|observers|outgoing|seams|server';
const FACE = new RegExp(`/lib/node_http/(${FACE_FILES})[.]ts`);
// The client reads heads as the server does: of each wing there is one file for whoever uses it.
const WINGS = ['http', 'client'];

/**
 * Writes the JavaScript of lib, with source maps, into `folder`, from where it is moved to
 * `destination`.
 */
export async function bundle(folder, destination) {
  // Imported late: this file is loaded before there are packages.
  const { rolldown } = await import('rolldown');
  const input = Object.fromEntries(ENTRIES.map((name) => [name, inRoot('lib', `${name}.ts`)]));
  const build = await rolldown({
    input,
    platform: 'node',
    external: /^node:/,
    tsconfig: inRoot('tsconfig.json'),
    logLevel: 'warn',
  });
  // In the maps, paths are relative to where they will lie.
  const sourcemapPathTransform = (source, map) => {
    const lies = resolve(destination, relative(folder, map));
    return relative(dirname(lies), resolve(dirname(map), source));
  };
  try {
    const { output } = await build.write({
      dir: folder,
      format: 'esm',
      chunkFileNames: 'shared/[name].js',
      codeSplitting: {
        groups: [
          { name: 'base', test: BASE },
          { name: 'sockets', test: SOCKETS },
          { name: 'core', test: CORE },
          { name: 'face', test: FACE },
          ...WINGS.map((name) => ({ name, test: new RegExp(`/lib/${name}/`) })),
        ],
      },
      // The declarations have them.
      comments: false,
      sourcemap: true,
      sourcemapPathTransform,
    });
    writeFileSync(join(folder, 'register', 'require.cjs'), REQUIRED);
    writeFileSync(join(folder, 'register', 'require.d.cts'), 'export {};\n');
    return output;
  } finally {
    await build.close();
  }
}
