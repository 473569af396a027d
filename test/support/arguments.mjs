// What `npm test` and test/run.mjs understand.
import { commandLine } from '../../scripts/command_line.mjs';

const USAGE = `usage: npm test [-- --only LANE,...] [-- --list]
  --only LANE,...  these lanes alone; the others are left out
  --list           print the lanes, and run none`;

/** { only, list }: `only` has the names of lanes, or is undefined. */
export function testArguments() {
  const options = { only: { type: 'string' }, list: { type: 'boolean', default: false } };
  const { only, list } = commandLine(USAGE, { options }).values;
  return { list, only: only?.split(',').filter((name) => name !== '') };
}
