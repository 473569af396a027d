// Guards around handlers that answer within the delivery of events that their requests came with.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { guard } from '../../lib/guards/http.js';
import { PERIOD_MS } from '../../lib/guards/rules.js';
import type { HttpRequest, HttpResponse } from '../../lib/http/index.js';
import { beginDelivery, endDelivery } from '../../lib/runtime/delivery_time.js';

describe('a guarded handler that answers within a delivery', () => {
  afterEach(() => {
    endDelivery();
    vi.restoreAllMocks();
  });

  const rule = { metric: 'slow-share', slow: 500, over: 0.5, periods: 1, action: 'open' } as const;
  const answer = (status = 200) => ({ ended: true, _status: status, header() {}, end() {} });
  function guarded() {
    const handle = guard(() => {}, {
      overload: false,
      rules: [{ name: 'Slow', ...rule }],
      fallback: (_request, _response, by) => by,
    });
    const request = { remoteAddress: '127.0.0.1' } as HttpRequest;
    const ask = (status?: number) => handle(request, answer(status) as unknown as HttpResponse);
    return { handle, ask };
  }

  it('reads the clock twice for all of them, and is done with each at once', () => {
    const read = vi.spyOn(performance, 'now');
    const { handle, ask } = guarded();
    read.mockClear();
    beginDelivery();
    for (let i = 0; i < 64; i++) ask();
    expect(handle.counts).toMatchObject({ admitted: 64, active: 0 });
    endDelivery();
    expect(read).toHaveBeenCalledTimes(2);
    // What fails, and what is asked outside of deliveries, has a time of its own.
    beginDelivery();
    for (let i = 0; i < 3; i++) ask(500);
    endDelivery();
    expect(read).toHaveBeenCalledTimes(2 + 1 + 3);
    ask();
    expect(read).toHaveBeenCalledTimes(6 + 2);
  });

  it('takes until its end, when the answers leave', () => {
    let nowMs = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    for (const [tookMs, then] of [
      [400, undefined],
      [1000, 'breaker'],
    ] as const) {
      const { handle, ask } = guarded();
      beginDelivery();
      for (let i = 0; i < 20; i++) ask();
      nowMs += tookMs;
      endDelivery();
      nowMs += PERIOD_MS;
      ask();
      expect([ask(), handle.counts.breaker]).toEqual([then, then ? 'open' : 'closed']);
    }
  });
});
