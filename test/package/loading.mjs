// What importing the package costs, in what can be counted: files, and modules of Node. The time
// itself is in `npm run bench -- echo`.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readJson } from './consumer.mjs';

// Files that an entry may consist of, itself included.
const FILES_MAX = {
  '.': 3,
  './http': 6,
  './scheduler': 5,
  './fs': 4,
  './websocket': 4,
  './crossws': 4,
  './tls': 3,
  './udp': 4,
  './framing': 3,
  './net': 5,
  './dgram': 4,
  './client': 5,
  './upstream': 5,
  './guards': 3,
  './lifecycle': 3,
  './queues': 4,
  './config': 3,
  './threads': 4,
  './admin': 7,
  './tracing': 6,
  './node-http': 7,
  './fastify': 7,
  './register': 2,
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
