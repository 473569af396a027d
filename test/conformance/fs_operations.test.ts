// ringpoll/fs against node:fs/promises on the same inputs, errors included, in the usual way.
import { describe, it } from 'vitest';
import { compare } from '../support/fs_both.js';
import { cases, prepare } from '../support/fs_cases.js';

process.env.RINGPOLL_FILES = 'auto';

describe('ringpoll/fs does what node:fs/promises does, in the usual way', () => {
  it.each(cases)('%s', async (_, run) => {
    await compare(run, prepare);
  });
});
