// `npm run build[:native|:ts|:gyp]`: builds what changed and shows the compilers' own output.
import { buildGyp, buildNative, buildTs, prepare } from './setup.mjs';
import { main, StepError } from './steps.mjs';

const options = { show: true };
const steps = {
  native: () => buildNative(options),
  ts: () => buildTs(options),
  gyp: () => buildGyp(options),
};

await main(async () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !(name in steps));
  if (unknown) throw new StepError(`No such build: ${unknown} (native, ts or gyp)`);
  const chosen = names.length > 0 ? names : ['native', 'ts'];
  await prepare(...chosen.map((name) => steps[name]));
});
