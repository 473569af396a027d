// `npm run clean`: removes what the builds made; packages stay.
import { rmSync } from 'node:fs';
import { inRoot } from './steps.mjs';

for (const folder of ['build', 'dist', 'coverage']) {
  rmSync(inRoot(folder), { recursive: true, force: true });
}
