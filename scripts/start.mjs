// `npm start`: from a clean clone to a running server.
import { spawn } from 'node:child_process';
// Before the builds: a command line that is not understood needs none.
import '../examples/showcase_options.mjs';
import { setup } from './setup.mjs';
import { inRoot, main } from './steps.mjs';

await main(async () => {
  await setup();
  const showcase = inRoot('examples', 'showcase.mjs');
  const child = spawn(process.execPath, [showcase, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal signals the whole group; others signal only this process.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => process.stdin.isTTY || child.kill(signal));
  }
  child.once('exit', (code, signal) => {
    process.exitCode = signal ? 1 : code;
  });
});
