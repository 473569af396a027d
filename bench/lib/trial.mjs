// One trial: a fresh server, one load against it, and what the load reports.
import { cpuPerMessage } from './cpu.mjs';
import { runLoad } from './load.mjs';
import { startServer } from './server.mjs';
import { number, thousands } from './table.mjs';

/** Runs a load mode against a fresh server; gives the numbers of one trial. */
export async function messageTrial(competitor, mode, options, settings) {
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  try {
    const run = { ...options, port: server.port, serverPid: server.pid };
    run.seconds ??= settings.seconds;
    run.warmUp ??= settings.warmUp;
    const report = await runLoad(mode, run, { cpu: settings.loadCpu });
    return {
      messages: report.messages,
      seconds: report.seconds,
      messagesPerSecond: report.messages / report.seconds,
      bytes: report.bytes,
      ...cpuPerMessage(report.server_cpu, report.messages, report.seconds, report.split),
      p50Us: report.p50_us,
      p99Us: report.p99_us,
      p999Us: report.p999_us,
    };
  } finally {
    await server.stop();
  }
}

export function briefMessages(outcome) {
  return `${thousands(outcome.messagesPerSecond)}/s, ${number(outcome.cpuUs)} µs CPU`;
}
