// `npm run clean`: removes what the builds made; packages stay.
import { rmSync } from 'node:fs';
import { commandLine } from './command_line.mjs';
import { inRoot } from './steps.mjs';

commandLine('usage: npm run clean');
for (const folder of ['build', 'dist', 'coverage']) {
  rmSync(inRoot(folder), { recursive: true, force: true });
}
