// Memory of a process, in bytes. Rss is every resident page; Anonymous leaves out mapped files, so
// that code which is paged in during a trial does not count as memory of a connection.
import { readFileSync } from 'node:fs';

export function readMemory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name) => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text);
    if (!match) throw new Error(`smaps_rollup has no ${name}`);
    return Number(match[1]) * 1024;
  };
  return { rss: field('Rss'), anonymous: field('Anonymous') };
}
