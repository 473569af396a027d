import { describe, expect, it } from 'vitest';
import type { NativeContext } from '../../lib/runtime/native_tls.js';
import {
  keepSession,
  SESSION_PEERS_MAX,
  SESSIONS_OF_PEER_MAX,
  takeSession,
} from '../../lib/tcp/tls_sessions.js';

const context = () => ({}) as NativeContext;
const session = (name: string | number) => Buffer.from(String(name));

describe('sessions that are kept', () => {
  it('are given once, the newest first, to the same context and peer alone', () => {
    const one = context();
    keepSession(one, 'a', session('first'));
    keepSession(one, 'a', session('second'));
    expect(takeSession(context(), 'a')).toBeUndefined();
    expect(takeSession(one, 'b')).toBeUndefined();
    expect(takeSession(one, 'a')?.toString()).toBe('second');
    expect(takeSession(one, 'a')?.toString()).toBe('first');
    expect(takeSession(one, 'a')).toBeUndefined();
  });

  it('are few for each peer, and of a bounded number of peers', () => {
    const one = context();
    for (let i = 0; i <= SESSIONS_OF_PEER_MAX; i += 1) keepSession(one, 'a', session(i));
    for (let i = SESSIONS_OF_PEER_MAX; i > 0; i -= 1) {
      expect(takeSession(one, 'a')?.toString()).toBe(String(i));
    }
    expect(takeSession(one, 'a')).toBeUndefined();
    for (let i = 0; i <= SESSION_PEERS_MAX; i += 1) keepSession(one, `peer ${i}`, session(i));
    expect(takeSession(one, 'peer 0')).toBeUndefined();
    expect(takeSession(one, 'peer 1')?.toString()).toBe('1');
  });
});
