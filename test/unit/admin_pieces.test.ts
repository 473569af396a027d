import { afterEach, describe, expect, it, vi } from 'vitest';
import { Pieces } from '../../lib/admin/pieces.js';

afterEach(() => void vi.restoreAllMocks());

describe('work in pieces', () => {
  it('is late after half a millisecond, and not in the next piece', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
    const pieces = new Pieces();
    now.mockReturnValue(1000.4);
    expect(pieces.late).toBe(false);
    now.mockReturnValue(1000.6);
    expect(pieces.late).toBe(true);
    await pieces.pause();
    expect(pieces.late).toBe(false);
    now.mockReturnValue(1000.8);
    pieces.end();
    expect(pieces.count).toBe(2);
    expect(pieces.ms).toBeCloseTo(0.8);
    expect(pieces.longestMs).toBeCloseTo(0.6);
  });
});
