// `npm test`: builds what changed, then runs the lanes of test/run.mjs.
import { testArguments } from '../test/support/arguments.mjs';
import { prepare, setup } from './setup.mjs';
import { main } from './steps.mjs';

// Before the builds: what is not understood needs none, and neither does the list of lanes.
const { list } = testArguments();

await main(async () => {
  await (list ? prepare() : setup());
  await import('../test/run.mjs');
});
