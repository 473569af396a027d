// What importing the package costs, in what can be counted: files, and modules of Node. The time
// itself is in `npm run bench -- echo`.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readJson } from './consumer.mjs';

// Files that an entry may consist of, itself included.
const FILES_MAX = {
  '.': 2,
  './http': 6,
  './scheduler': 3,
  './fs': 3,
  './websocket': 4,
  './crossws': 4,
  './tls': 2,
  './udp': 3,
  './framing': 2,
  './net': 3,
  './dgram': 3,
  './client': 4,
  './upstream': 4,
  './guards': 2,
  './lifecycle': 2,
  './queues': 3,
  './config': 2,
  './threads': 3,
  './admin': 7,
  './tracing': 5,
  './node-http': 6,
  './fastify': 6,
  './register': 4,
};
// Modules of Node that load many others, and that few users of the main entry need.
const HEAVY = /^NativeModule (net|http|stream|dns|readline|child_process|internal\/streams\/.*)$/;

const IMPORT = /^(?:import|export)\b[^;]*?["'](\.[^"']+)["'];/gm;

function filesOf(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    filesOf(join(dirname(file), path), seen);
  }
  return seen;
}

/** Entries that have become more files than they may, a line each. */
export function fileComplaints(top) {
  const { exports } = readJson(join(top, 'package.json'));
  const entries = Object.entries(exports).filter(([, target]) => typeof target === 'object');
  return entries.flatMap(([name, target]) => {
    const files = [...filesOf(join(top, target.default))];
    const most = FILES_MAX[name] ?? 0;
    return files.length <= most ? [] : [`${name}: ${files.length} files, at most ${most}`];
  });
}

/** Complaints about what loads.mjs printed. */
export function heavyComplaints(output) {
  const lines = output.trim().split('\n');
  return lines.filter((line) => HEAVY.test(line)).map((line) => `loaded by the import: ${line}`);
}
