// The time that the events of one delivery share.
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  afterDelivery,
  beginDelivery,
  deliveryTime,
  endDelivery,
} from '../../lib/runtime/delivery_time.js';

describe('the time of a delivery', () => {
  afterEach(() => {
    endDelivery();
    vi.restoreAllMocks();
  });

  it('is read once while events are told, and anew otherwise', () => {
    let nowMs = 1000;
    const read = vi.spyOn(performance, 'now').mockImplementation(() => nowMs++);
    expect([deliveryTime(), deliveryTime()]).toEqual([1000, 1001]);
    beginDelivery();
    expect(read).toHaveBeenCalledTimes(2);
    expect([deliveryTime(), deliveryTime(), deliveryTime()]).toEqual([1002, 1002, 1002]);
    endDelivery();
    expect(deliveryTime()).toBe(1003);
    beginDelivery();
    expect(deliveryTime()).toBe(1004);
  });

  it('ends for those that wait for its end, once', () => {
    const heard: string[] = [];
    expect(afterDelivery(() => heard.push('none'))).toBe(false);
    beginDelivery();
    expect(afterDelivery(() => heard.push('first'))).toBe(true);
    expect(afterDelivery(() => heard.push('second'))).toBe(true);
    expect(heard).toEqual([]);
    endDelivery();
    beginDelivery();
    endDelivery();
    expect(heard).toEqual(['first', 'second']);
  });
});
