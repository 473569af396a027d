// What is agreed on about permessage-deflate: RFC 7692, section 7.
import { describe, expect, it } from 'vitest';
import { acceptOffer, type Deflate, offerOf, readAgreement } from '../../lib/websocket/deflate.js';

const shared: Deflate = {
  threshold: 1024,
  level: 6,
  memLevel: 8,
  dedicated: false,
  maxWindowBits: 15,
};
const dedicated = { ...shared, dedicated: true };
const answer = (offers: string, deflate = dedicated) => acceptOffer(offers, deflate)?.answer;

describe('a server', () => {
  it('accepts a plain offer, and forgets between messages unless it is dedicated', () => {
    expect(answer('permessage-deflate')).toBe('permessage-deflate');
    expect(answer('permessage-deflate', shared)).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    );
  });

  it('does what the client asks of it', () => {
    expect(answer('permessage-deflate; server_no_context_takeover')).toBe(
      'permessage-deflate; server_no_context_takeover',
    );
    expect(answer('permessage-deflate; server_max_window_bits=10')).toBe(
      'permessage-deflate; server_max_window_bits=10',
    );
    expect(answer('permessage-deflate; server_max_window_bits=8')).toBe(
      'permessage-deflate; server_max_window_bits=8',
    );
    expect(answer('permessage-deflate; server_max_window_bits="12"')).toBe(
      'permessage-deflate; server_max_window_bits=12',
    );
  });

  it('tells its own smaller window although nobody asked', () => {
    const small = { ...dedicated, maxWindowBits: 11 };
    expect(answer('permessage-deflate', small)).toBe(
      'permessage-deflate; server_max_window_bits=11',
    );
  });

  it('takes the first offer that it can meet', () => {
    const offers = 'permessage-deflate; server_max_window_bits=16, permessage-deflate; unknown=1, ';
    expect(answer(`x-other, ${offers}permessage-deflate; client_no_context_takeover`)).toBe(
      'permessage-deflate; client_no_context_takeover',
    );
  });

  it.each([
    'x-webkit-deflate-frame',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; server_max_window_bits=7',
    'permessage-deflate; server_max_window_bits=08',
    'permessage-deflate; client_max_window_bits=16',
    'permessage-deflate; server_no_context_takeover=1',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'permessage-deflate; =1',
    '',
  ])('declines %j', (offer) => {
    expect(acceptOffer(offer, shared)).toBeUndefined();
  });

  it('keeps to the window that the client has', () => {
    const found = acceptOffer('permessage-deflate; client_max_window_bits=9', dedicated);
    expect(found?.agreed.clientMaxWindowBits).toBe(9);
    expect(found?.answer).toBe('permessage-deflate; client_max_window_bits=9');
  });
});

describe('a client', () => {
  it('offers what it has', () => {
    expect(offerOf(dedicated)).toBe('permessage-deflate; client_max_window_bits');
    expect(offerOf(shared)).toBe(
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; ' +
        'client_max_window_bits',
    );
  });

  it('keeps to what the server answers', () => {
    const read = readAgreement(
      'permessage-deflate; client_max_window_bits=10; server_max_window_bits=12',
      dedicated,
    );
    expect(read).toEqual({
      serverNoContextTakeover: false,
      clientNoContextTakeover: false,
      serverMaxWindowBits: 12,
      clientMaxWindowBits: 10,
    });
    expect(readAgreement('', shared)).toBeUndefined();
  });

  it.each([
    'permessage-deflate, permessage-deflate',
    'x-other',
    'permessage-deflate; unknown',
    'permessage-deflate; server_max_window_bits=16',
    // It was asked to forget, and does not.
    'permessage-deflate',
  ])('refuses the answer %j', (text) => {
    expect(() => readAgreement(text, shared)).toThrow(/answer/);
  });

  it('and a server of ours agree, whatever they prefer', () => {
    for (const server of [shared, dedicated]) {
      for (const client of [shared, dedicated]) {
        const found = acceptOffer(offerOf(client), server);
        const read = readAgreement(found!.answer, client);
        expect(read?.serverNoContextTakeover).toBe(found!.agreed.serverNoContextTakeover);
        expect(read?.serverMaxWindowBits).toBe(found!.agreed.serverMaxWindowBits);
        expect(read?.clientMaxWindowBits).toBeLessThanOrEqual(found!.agreed.clientMaxWindowBits);
      }
    }
  });
});
