import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rendezvousOrder } from './rendezvous.js';

const servers = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });
const relayId = fc.uint8Array({ minLength: 8, maxLength: 8 });

describe('the rendezvous order', () => {
  it('is the same for every order of the list, and moves nobody else when a server goes', () => {
    fc.assert(
      fc.property(servers, relayId, fc.nat(), (ids, id, pick) => {
        const order = rendezvousOrder(ids, id);
        expect(rendezvousOrder([...ids].reverse(), id)).toEqual(order);
        const gone = ids[pick % ids.length]!;
        const rest = ids.filter((other) => other !== gone);
        expect(rendezvousOrder(rest, id)).toEqual(order.filter((other) => other !== gone));
      }),
    );
  });

  it('is that of docs/protocol/signalling.md', () => {
    const id = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    // By `printf 'a\\0\\1\\2\\3\\4\\5\\6\\7\\10' | sha256sum` and so on, descending.
    expect(rendezvousOrder(['a', 'b', 'c', 'd'], id)).toEqual(['c', 'b', 'd', 'a']);
  });
});
