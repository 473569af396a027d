// ringpoll/fs against node:fs/promises on the same inputs, errors included, all by libuv's pool.
import { describe, it } from 'vitest';
import { compare } from '../support/fs_both.js';
import { cases, prepare } from '../support/fs_cases.js';

process.env.RINGPOLL_FILES = 'pool';

describe('ringpoll/fs does what node:fs/promises does, with everything on the pool', () => {
  it.each(cases)('%s', async (_, run) => {
    await compare(run, prepare);
  });
});
