// `npm test`: builds what changed, then runs the lanes of test/run.mjs.
import { setup } from './setup.mjs';
import { main } from './steps.mjs';

await main(async () => {
  await setup();
  await import('../test/run.mjs');
});
