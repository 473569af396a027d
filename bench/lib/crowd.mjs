// A server with few connections open, and then with as many as the machine allows: what one costs
// in memory, what all cost while they are silent, and what the others feel of them.
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { runLoad, startLoad } from './load.mjs';
import { readMemory } from './memory.mjs';
import { startServer } from './server.mjs';

const FEW = 10;
const CLIENTS = 3; // processes that hold the connections
const SOURCES = 8; // addresses of 127.0.0.0/8 that each connects from
const HOLD_S_MAX = 300;
const BESIDE = 16; // connections that talk meanwhile
const SETTLE_MS = 500;

/** Kernel memory, in bytes: slabs, and what TCP holds in its buffers. */
function readKernel() {
  const slab = /^Slab:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  const pages = /^TCP: .* mem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'utf8'));
  return Number(slab[1]) * 1024 + Number(pages[1]) * 4096;
}

/** How many descriptors a server may have, or undefined. */
export function openFilesMax() {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const [, hard] = /^Max open files\s+\d+\s+(\d+)/m.exec(limits) ?? [];
  return hard === undefined ? undefined : Number(hard);
}

async function openCrowd(item, count, server, settings) {
  const options = {
    ...item.load,
    port: server.port,
    serverPid: server.pid,
    sources: SOURCES,
    seconds: HOLD_S_MAX,
  };
  const loads = [];
  const started = process.hrtime.bigint();
  try {
    for (let left = CLIENTS, open = 0; left > 0; left--) {
      const connections = Math.round((count - open) / left);
      open += connections;
      if (connections === 0) continue;
      const load = await startLoad(item.idleMode, { ...options, connections }, settings.where);
      loads.push(load);
      await load.next();
    }
    return { loads, seconds: Number(process.hrtime.bigint() - started) / 1e9 };
  } catch (error) {
    for (const load of loads) await load.stop();
    throw error;
  }
}

/** Beside `loads`: the latency of messages, and what opening and closing one costs the server. */
async function beside(item, server, settings) {
  const { seconds, warmUp, where } = settings;
  const common = { port: server.port, serverPid: server.pid, seconds, warmUp };
  const talk = { ...common, ...item.talk, connections: BESIDE };
  const messages = await runLoad(item.talkMode, talk, where);
  const short = { ...common, ...item.short, connections: BESIDE, sources: 4 * SOURCES };
  const closes = item.shortMode && (await runLoad(item.shortMode, short, where));
  return {
    p50Us: messages.p50_us,
    p99Us: messages.p99_us,
    openCloseUs: closes && closes.server_cpu.total_ns / 1000 / closes.messages,
  };
}

const cpuNs = async (load) => (await load.ask('cpu')).server_cpu.total_ns;

/** Numbers of one trial; those with Few in their names are with 10 connections open. */
export async function crowdTrial(competitor, item, settings) {
  const run = { ...settings, where: { cpu: settings.loadCpu } };
  const server = await startServer(competitor, { cpu: settings.serverCpu });
  let loads = [];
  try {
    ({ loads } = await openCrowd(item, FEW, server, run));
    const few = await beside(item, server, run);
    await delay(SETTLE_MS);
    const [before, kernelBefore] = [readMemory(server.pid), readKernel()];
    const crowd = await openCrowd(item, item.connections, server, run);
    loads.push(...crowd.loads);
    await delay(SETTLE_MS);
    const [after, kernelAfter] = [readMemory(server.pid), readKernel()];
    const from = await cpuNs(loads[0]);
    const started = process.hrtime.bigint();
    await delay(item.silentSeconds * 1000);
    const silentNs = (await cpuNs(loads[0])) - from;
    const elapsedNs = Number(process.hrtime.bigint() - started);
    const many = await beside(item, server, run);
    const closing = await cpuNs(loads[0]);
    for (const load of crowd.loads) await load.stop();
    await delay(SETTLE_MS);
    const closedNs = (await cpuNs(loads[0])) - closing;
    return {
      connections: item.connections,
      userBytes: (after.rss - before.rss) / item.connections,
      pairKernelBytes: (kernelAfter - kernelBefore) / item.connections,
      silentCpuShare: silentNs / elapsedNs,
      openSeconds: crowd.seconds,
      closeAllUs: closedNs / 1000 / item.connections,
      p50Us: many.p50Us,
      p99Us: many.p99Us,
      p99FewUs: few.p99Us,
      openCloseUs: many.openCloseUs,
      openCloseFewUs: few.openCloseUs,
    };
  } finally {
    for (const load of loads) await load.stop();
    await server.stop();
  }
}

export function briefCrowd(outcome) {
  const { userBytes, pairKernelBytes, connections } = outcome;
  return `${connections} × ${userBytes.toFixed(0)} bytes, kernel ${pairKernelBytes.toFixed(0)}`;
}
