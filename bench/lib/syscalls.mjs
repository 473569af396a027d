// System calls per message, counted by strace in a trial of its own: tracing slows a server so much
// that nothing else measured meanwhile is worth keeping.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startLoad } from './load.mjs';
import { BUILD } from './paths.mjs';
import { hasCommand, launch } from './process.mjs';
import { startServer } from './server.mjs';

const ATTACH_MS = 10_000;

export const canTrace = hasCommand('strace');

/** Calls and their breakdown per message; the opening of the connections is not among them. */
export async function traceSyscalls(competitor, mode, options, { serverCpu, loadCpu }) {
  const server = await startServer(competitor, { cpu: serverCpu });
  mkdirSync(BUILD, { recursive: true });
  const output = join(BUILD, `strace-${process.pid}.txt`);
  let load;
  let strace;
  try {
    const run = { ...options, port: server.port, seconds: 1, warmUp: 0, wait: true };
    load = await startLoad(mode, run, { cpu: loadCpu });
    await load.next(); // the connections are open
    strace = launch([
      'strace',
      '-c',
      '-f',
      '-U',
      'name,calls',
      '-o',
      output,
      '-p',
      `${server.pid}`,
    ]);
    const attached = () => (/attached/.test(strace.stderr) ? true : undefined);
    await strace.until(attached, ATTACH_MS, 'strace');
    const report = await load.ask('go');
    strace.signal('SIGINT'); // detaches and writes the summary
    await strace.exited;
    return perMessage(readFileSync(output, 'utf8'), report.all_messages);
  } finally {
    await strace?.stop();
    await load?.stop();
    await server.stop();
    rmSync(output, { force: true });
  }
}

function perMessage(summary, messages) {
  const calls = [];
  for (const line of summary.split('\n')) {
    const match = /^\s*(\w+)\s+(\d+)\s*$/.exec(line);
    if (match && match[1] !== 'total') calls.push([match[1], Number(match[2]) / messages]);
  }
  calls.sort((a, b) => b[1] - a[1]);
  const total = calls.reduce((sum, [, count]) => sum + count, 0);
  const rounded = calls.slice(0, 6).map(([name, count]) => [name, Number(count.toFixed(4))]);
  return { messages, total: Number(total.toFixed(4)), calls: Object.fromEntries(rounded) };
}
