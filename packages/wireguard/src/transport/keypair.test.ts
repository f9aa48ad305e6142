import { instant } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { REJECT_AFTER_MESSAGES, REJECT_AFTER_TIME } from '../constants.js';
import { IndexTable } from './index-table.js';
import { Keypair, KeypairSlots } from './keypair.js';

let indices = 0;
const keypair = (role: 'initiator' | 'responder'): Keypair =>
  new Keypair(role, ++indices, 7, new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), instant(0));

function slots(): { slots: KeypairSlots; released: Keypair[] } {
  const released: Keypair[] = [];
  return { slots: new KeypairSlots((each) => released.push(each)), released };
}

describe('keypair slots', () => {
  it('give the initiator its new session at once and keep the one before', () => {
    const { slots: mine, released } = slots();
    const [first, second, third] = [keypair('initiator'), keypair('initiator'), keypair('initiator')];
    for (const each of [first, second, third]) mine.addInitiated(each);
    expect([mine.previous, mine.current, mine.next]).toEqual([second, third, undefined]);
    expect(released).toEqual([first]);
  });

  it('let the responder’s new session wait until it is confirmed', () => {
    const { slots: mine, released } = slots();
    const [old, fresh] = [keypair('initiator'), keypair('responder')];
    mine.addInitiated(old);
    mine.addResponded(fresh);
    expect(mine.current).toBe(old);
    expect(mine.confirm(old)).toBe(false);
    expect(mine.confirm(fresh)).toBe(true);
    expect(mine.confirm(fresh)).toBe(false);
    expect([mine.previous, mine.current, mine.next]).toEqual([old, fresh, undefined]);
    expect(released).toEqual([]);
  });

  it('replace a session that was never confirmed', () => {
    const { slots: mine, released } = slots();
    const [first, second] = [keypair('responder'), keypair('responder')];
    mine.addResponded(first);
    mine.addResponded(second);
    expect(mine.next).toBe(second);
    expect(released).toEqual([first]);
  });

  it('keep the other side’s unconfirmed session when both initiated at once', () => {
    const { slots: mine, released } = slots();
    const [old, theirs, ours] = [keypair('initiator'), keypair('responder'), keypair('initiator')];
    mine.addInitiated(old);
    mine.addResponded(theirs);
    mine.addInitiated(ours);
    expect([mine.previous, mine.current, mine.next]).toEqual([theirs, ours, undefined]);
    expect(released).toEqual([old]);
  });

  it('release each session once, whatever comes', () => {
    const { slots: mine, released } = slots();
    const all: Keypair[] = [];
    for (let i = 0; i < 200; i++) {
      const role = (i * 7) % 3 ? 'initiator' : 'responder';
      const each = keypair(role);
      all.push(each);
      if (role === 'initiator') mine.addInitiated(each);
      else mine.addResponded(each);
      if (i % 5 === 0 && mine.next) mine.confirm(mine.next);
    }
    mine.clear();
    expect(released).toHaveLength(all.length);
    expect(new Set(released)).toEqual(new Set(all));
  });
});

describe('keypair', () => {
  it('gives each counter once and none from REJECT_AFTER_MESSAGES on', () => {
    const each = keypair('initiator');
    expect([each.takeCounter(), each.takeCounter()]).toEqual([0, 1]);
    expect(() => each.skipCounters(1)).toThrow('never go back');
    each.skipCounters(REJECT_AFTER_MESSAGES - 1);
    expect(each.takeCounter()).toBe(REJECT_AFTER_MESSAGES - 1);
    expect(each.canSeal(instant(0))).toBe(false);
    expect(() => each.takeCounter()).toThrow('REJECT_AFTER_MESSAGES');
  });

  it('expires at REJECT_AFTER_TIME', () => {
    const each = keypair('initiator');
    expect(each.canSeal(instant(REJECT_AFTER_TIME - 1))).toBe(true);
    expect(each.canSeal(instant(REJECT_AFTER_TIME))).toBe(false);
  });
});

describe('index table', () => {
  it('never gives an index twice, and gives up on randomness that only repeats', () => {
    let draws = 0;
    const table = new IndexTable<string>(() => Uint8Array.of(0, 0, 0, Math.min(3, draws++ >> 1)));
    const given = [table.allocate('a'), table.allocate('b'), table.allocate('c'), table.allocate('d')];
    expect(given).toEqual([0, 1, 2, 3]);
    expect(table.allocate('e')).toBeUndefined();
    table.release(3);
    expect(table.allocate('f')).toBe(3);
    expect(table.get(3)).toBe('f');
    expect(table.size).toBe(4);
  });
});
