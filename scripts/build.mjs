// `npm run build[:native|:debug|:ts|:gyp]`: builds what changed and shows the compilers' output.
import { commandLine, refuse } from './command_line.mjs';
import { buildDebug, buildGyp, buildNative, buildTs, prepare } from './setup.mjs';
import { main } from './steps.mjs';

const options = { show: true };
const steps = {
  native: () => buildNative(options),
  debug: () => buildDebug(options),
  ts: () => buildTs(options),
  gyp: () => buildGyp(options),
};

const USAGE = 'usage: npm run build, build:native, build:debug, build:ts or build:gyp';
const { positionals: names } = commandLine(USAGE, { allowPositionals: true });
const unknown = names.find((name) => !(name in steps));
if (unknown) refuse(`No such build: ${unknown} (native, debug, ts or gyp)`, USAGE);

await main(async () => {
  const chosen = names.length > 0 ? names : ['native', 'ts'];
  await prepare(...chosen.map((name) => steps[name]));
});
