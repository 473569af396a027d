// One trial of a client program: what it costs its own process, which reports it.
import { run } from './process.mjs';
import { number, thousands } from './table.mjs';

/** `command` is given what comes after it: seconds, and seconds of warm-up. */
export async function clientTrial(command, settings) {
  const times = [settings.seconds, Math.max(settings.warmUp, 1)];
  const report = JSON.parse(
    await run([...command, ...times].map(String), { cpu: settings.loadCpu }),
  );
  const cpu = report.userUs + report.systemUs;
  return {
    messages: report.requests,
    seconds: report.seconds,
    messagesPerSecond: report.requests / report.seconds,
    bytes: report.bytes,
    cpuUs: cpu / report.requests,
    cpuShare: cpu / 1e6 / report.seconds,
    userTicks: report.userUs,
    systemTicks: report.systemUs,
  };
}

export function briefClient({ cpuUs, messagesPerSecond }) {
  return `${thousands(messagesPerSecond)}/s, ${number(cpuUs)} µs CPU`;
}
