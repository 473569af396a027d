// Which modules RINGPOLL_REGISTER names.
import { describe, expect, it } from 'vitest';
import { wantedFaces } from '../../lib/register/wanted.js';

describe('RINGPOLL_REGISTER', () => {
  it.each([
    [undefined, ['net', 'http'], []],
    ['', ['net', 'http'], []],
    ['http', ['http'], []],
    [' net , http ', ['net', 'http'], []],
    ['off', [], []],
    ['http,off', [], []],
    ['https', [], ['https']],
    ['http,x', ['http'], ['x']],
    ['dgram', ['dgram'], []],
  ])('%j', (text, faces, unknown) => {
    const wanted = wantedFaces(text);
    expect([...wanted.faces]).toEqual(faces);
    expect(wanted.unknown).toEqual(unknown);
  });
});
