// A user's program in a bundle: with ringpoll external it runs, with ringpoll inside it says what
// to do. Bundlers come from npm, into a folder of their own.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectOutput, printed, program } from './checks.mjs';
import { folder, step } from './consumer.mjs';

const VERSIONS = [
  'esbuild@0.25.12',
  'rolldown@1.0.0-beta.50',
  'webpack@5.103.0',
  '@vercel/ncc@0.38.4',
];
const INSTALL_MS_MAX = 180_000;
const ENTRIES = ['ringpoll', 'ringpoll/http'];
const SOURCE = `import { connect, listen } from 'ringpoll';
import { serve } from 'ringpoll/http';
if (typeof serve !== 'function') throw new Error('no serve()');
const server = listen({ host: '127.0.0.1', port: 0, open: (peer) => peer.end('hello') });
connect({ host: '127.0.0.1', port: server.port }).then(async (connection) => {
  for await (const chunk of connection) process.stdout.write(chunk.bytes.toString());
  await server.stop();
});
`;

// webpack's own command is a package more: this calls it. Arguments: true or false, the folder.
const WEBPACK = `import webpack from 'webpack';
const [external, path] = process.argv.slice(2);
const config = {
  ...{ context: path, target: 'node20', mode: 'development', devtool: false },
  ...{ entry: './program.mjs', experiments: { outputModule: true } },
  ...{ externalsType: 'module', externals: external === 'true' ? [/^ringpoll/] : [] },
  output: { path: path + '/out', filename: 'webpack-' + external + '.mjs', module: true },
};
webpack(config, (error, stats) => {
  const errors = error ? [error] : stats.compilation.errors;
  for (const { message } of errors) console.error(message);
  process.exitCode = errors.length > 0 ? 1 : 0;
});
`;

const ROLLDOWN = `import { rolldown } from 'rolldown';
const [external, path] = process.argv.slice(2);
const bundle = await rolldown({
  ...{ cwd: path, input: 'program.mjs', platform: 'node' },
  external: external === 'true' ? /^ringpoll/ : [],
});
await bundle.write({ file: path + '/out/rolldown-' + external + '.mjs', format: 'esm' });
`;

/** By bundler: its program below node_modules, its arguments, and what it makes. */
const BUNDLERS = {
  esbuild: (external) => [
    'esbuild/bin/esbuild',
    ['program.mjs', '--bundle', '--platform=node', '--format=esm', '--log-level=error']
      .concat(external ? ['--external:ringpoll'] : [])
      .concat(`--outfile=out/esbuild-${external}.mjs`),
    `out/esbuild-${external}.mjs`,
  ],
  'esbuild to CommonJS': (external) => [
    'esbuild/bin/esbuild',
    ['program.mjs', '--bundle', '--platform=node', '--format=cjs', '--log-level=error']
      .concat(external ? ['--external:ringpoll'] : [])
      .concat(`--outfile=out/esbuild-${external}.cjs`),
    `out/esbuild-${external}.cjs`,
  ],
  rolldown: (external, app) => [
    '../rolldown.mjs',
    [String(external), app],
    `out/rolldown-${external}.mjs`,
  ],
  webpack: (external, app) => [
    '../webpack.mjs',
    [String(external), app],
    `out/webpack-${external}.mjs`,
  ],
  ncc: (external) => [
    '@vercel/ncc/dist/ncc/cli.js',
    ['build', 'program.mjs', '--quiet', '--no-cache', '--out', `out/ncc-${external}`].concat(
      external ? ENTRIES.flatMap((name) => ['--external', name]) : [],
    ),
    `out/ncc-${external}/index.mjs`,
  ],
};

/** What a bundle prints on a machine that has not got the package: webpack keeps paths of ours. */
async function deployedAlone(app, out) {
  const [place, away] = [join(app, 'node_modules', 'ringpoll'), join(app, 'ringpoll-away')];
  renameSync(place, away);
  try {
    return (await program(app, process.execPath, [], out)).output;
  } finally {
    renameSync(away, place);
  }
}

export async function checkBundles(checks, app) {
  const tools = join(folder, 'bundlers');
  mkdirSync(join(app, 'out'), { recursive: true });
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), '{ "private": true }\n');
  writeFileSync(join(tools, 'webpack.mjs'), WEBPACK);
  writeFileSync(join(tools, 'rolldown.mjs'), ROLLDOWN);
  writeFileSync(join(app, 'program.mjs'), SOURCE);
  const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--no-save'];
  await checks.check('bundlers from npm', () =>
    step('npm install', 'npm', ['install', ...flags, ...VERSIONS], {
      cwd: tools,
      msMax: INSTALL_MS_MAX,
    }),
  );
  for (const [name, make] of Object.entries(BUNDLERS)) {
    for (const external of [true, false]) {
      const [script, args, out] = make(external, app);
      await checks.check(`${name}, ringpoll ${external ? 'external' : 'inside'}`, async () => {
        const path = join(tools, 'node_modules', script);
        // esbuild's is a program of the machine.
        const command = script.startsWith('esbuild') ? [path] : [process.execPath, path];
        await step(name, command[0], [...command.slice(1), ...args], { cwd: app });
        if (external) expectOutput(await printed(app, process.execPath, [], out), 'hello');
        else expectOutput(await deployedAlone(app, out), /_BUNDLED/);
      });
    }
  }
}
