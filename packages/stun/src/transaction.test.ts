import type { Instant } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { type RetransmitOptions, Transaction } from './transaction.js';

function timeline(options?: RetransmitOptions): { sent: number[]; failed: number } {
  const transaction = new Transaction(new Uint8Array(12), 0 as Instant, options);
  const sent: number[] = [];
  for (;;) {
    const now = transaction.deadline!;
    const due = transaction.poll(now);
    if (due === 'failed') return { sent, failed: now };
    if (due === 'send') sent.push(now);
    expect(transaction.poll(now)).toBe('wait');
  }
}

describe('a transaction', () => {
  it('goes out when RFC 8489 §6.2.1 says', () => {
    expect(timeline()).toEqual({ sent: [0, 500, 1500, 3500, 7500, 15_500, 31_500], failed: 39_500 });
  });

  it('goes out as often as it is told', () => {
    expect(timeline({ rto: 300, requests: 4, lastWait: 4 })).toEqual({ sent: [0, 300, 900, 2100], failed: 3300 });
  });

  it('stays failed, and sends once for a deadline that is missed by far', () => {
    const transaction = new Transaction(new Uint8Array(12), 0 as Instant, { rto: 10, requests: 2, lastWait: 1 });
    expect([0, 1000, 5000, 9000].map((now) => transaction.poll(now as Instant))).toEqual([
      'send',
      'send',
      'failed',
      'failed',
    ]);
    expect(transaction.deadline).toBeUndefined();
  });
});
