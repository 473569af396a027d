// `npm start`: from a clean clone to a running server.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setup } from './setup.mjs';
import { inRoot, main, StepError } from './steps.mjs';

await main(async () => {
  await setup();
  const showcase = inRoot('examples', 'showcase.mjs');
  if (!existsSync(showcase)) {
    throw new StepError('Everything is built, but examples/showcase.mjs is not there to be run.');
  }
  const child = spawn(process.execPath, [showcase, ...process.argv.slice(2)], { stdio: 'inherit' });
  // The terminal signals the whole group; others signal only this process.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => process.stdin.isTTY || child.kill(signal));
  }
  child.once('exit', (code, signal) => {
    process.exitCode = signal ? 1 : code;
  });
});
