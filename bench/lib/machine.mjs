// A description of the machine that says what matters to the numbers, and nothing that names it.
import { readFileSync } from 'node:fs';
import os from 'node:os';

export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: os.type(),
    // A build's own suffix may name where it was made.
    kernel: /^\d+(\.\d+)*/.exec(os.release())?.[0] ?? 'unknown',
    virtual: isVirtual(),
    architecture: os.arch(),
    node: process.version,
    date: new Date().toISOString(),
  };
}

function isVirtual() {
  try {
    return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return undefined;
  }
}
