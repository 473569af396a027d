// ringpoll/fs against node:fs/promises on the same inputs, errors included, by the ring wherever it
// has the operation.
import { describe, it } from 'vitest';
import { compare } from '../support/fs_both.js';
import { cases, prepare } from '../support/fs_cases.js';

process.env.RINGPOLL_FILES = 'ring';

describe('ringpoll/fs does what node:fs/promises does, by the ring where it can', () => {
  it.each(cases)('%s', async (_, run) => {
    await compare(run, prepare);
  });
});
