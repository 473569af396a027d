// Which modules RINGPOLL_REGISTER names, and where RINGPOLL_ADMIN is.
import { describe, expect, it } from 'vitest';
import { wantedFaces } from '../../lib/register/wanted.js';
import { wantedAdmin } from '../../lib/register/wanted_admin.js';

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

describe('RINGPOLL_ADMIN', () => {
  it.each([
    ['6060', undefined, 6060],
    ['0', undefined, 0],
    ['65535', undefined, 65_535],
    ['localhost:6060', 'localhost', 6060],
    ['127.0.0.2:6060', '127.0.0.2', 6060],
    ['[::1]:6060', '::1', 6060],
  ])('%j', (text, host, port) => {
    expect(wantedAdmin({ RINGPOLL_ADMIN: text })).toEqual({ host, port, token: undefined });
  });

  it.each([undefined, ''])('%j is no wish', (text) => {
    const token = { RINGPOLL_ADMIN_TOKEN: 'for ringpoll top alone' };
    expect(wantedAdmin({ RINGPOLL_ADMIN: text, ...token })).toBe(undefined);
  });

  it.each([
    ...['yes', '65536', '-1', '6060 ', '0x10', ':6060', 'localhost', '127.0.0.1', '127.0.0.1:'],
    ...[
      'admin.internal:6060',
      '256.0.0.1:1',
      '[localhost]:1',
      '[127.0.0.1]:1',
      '::1:6060',
      '[::1]',
    ],
  ])('%j is refused', (text) => {
    const wrong = expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' });
    expect(() => wantedAdmin({ RINGPOLL_ADMIN: text })).toThrow(wrong);
  });

  it('goes with a token', () => {
    const env = { RINGPOLL_ADMIN: '1', RINGPOLL_ADMIN_TOKEN: 'sixteen-letters-or-more' };
    expect(wantedAdmin(env)?.token).toBe('sixteen-letters-or-more');
    expect(() => wantedAdmin({ ...env, RINGPOLL_ADMIN_TOKEN: 'a secret' })).toThrow(
      /^(?!.*a secret).*8 characters/,
    );
  });
});
