import type { IpAddress, Prefix, PublicKey } from '@warren/base';
import { nodeId } from '@warren/base';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AcceptedPeer } from '../codec/domain.js';
import { type AddressView, FormerAddresses } from './former-addresses.js';

let now: number;
let former: FormerAddresses;
beforeEach(() => {
  now = 1_000;
  former = new FormerAddresses(() => now);
});

function peer(name: string, address: string, via?: string): AcceptedPeer {
  const publicKey = `${name}-key` as PublicKey;
  const allowedIps = [`${address}/32` as Prefix];
  const common = { id: nodeId(name), name, role: 'client' as const, publicKey, pathKey: undefined };
  const addresses = [address as IpAddress];
  return { ...common, addresses, via, dataPlane: via ? undefined : { publicKey, allowedIps } };
}
const view = (own: string, peers: AcceptedPeer[], forward: string[] = []): AddressView => ({
  own: [own as IpAddress],
  peers,
  forward,
});
const allowed = (at: AddressView) =>
  former.plan(at).peers.map(({ name, dataPlane }) => [name, ...(dataPlane?.allowedIps ?? [])]);

const BEFORE = view('10.44.0.1', [peer('hub', '10.44.0.2'), peer('phone', '10.44.0.3', 'hub')], ['10.44.0.0/16']);
const AFTER = view('10.77.0.1', [peer('hub', '10.77.0.2'), peer('phone', '10.77.0.3', 'hub')], ['10.77.0.0/16']);

describe('addresses of before', () => {
  it('are accepted beside the new ones, behind the bounce that leads to their node', () => {
    former.note(BEFORE, AFTER);
    expect(allowed(AFTER)).toEqual([['hub', '10.77.0.2/32', '10.44.0.2/32', '10.44.0.3/32'], ['phone']]);
    expect(former.plan(AFTER).forward).toEqual(['10.77.0.0/16', '10.44.0.0/16']);
  });

  it('are what new connections use until all have heard, then not, then gone', () => {
    former.note(BEFORE, AFTER);
    expect(former.plan(AFTER).own).toEqual(['10.44.0.1', '10.77.0.1']);
    now += former.plan(AFTER).nextChange!;
    expect(former.plan(AFTER).own).toEqual(['10.77.0.1', '10.44.0.1']);
    now += former.plan(AFTER).nextChange!;
    expect(former.plan(AFTER).own).toEqual(['10.77.0.1']);
    expect(former.plan(AFTER).peers).toBe(AFTER.peers);
    expect(former.plan(AFTER).forward).toEqual(AFTER.forward);
    expect(former.plan(AFTER).nextChange).toBeUndefined();
  });

  it('go although the clock passes their end while one plan is made, and although a timer ends early', () => {
    let reading = 0;
    // Each reading is later than the one before.
    const ticking = new FormerAddresses(() => (reading += 0.1));
    ticking.note(BEFORE, AFTER);
    for (let plans = 0, next: number | undefined = 0; next !== undefined; plans += 1) {
      expect(plans).toBeLessThan(1_000);
      // A timer counts whole milliseconds: it may end a part of one before it should.
      reading += Math.max(1, Math.trunc(next)) - 0.3;
      ({ nextChange: next } = ticking.plan(AFTER));
      if (next !== undefined) expect(next).toBeGreaterThan(0);
    }
    expect(ticking.plan(AFTER).own).toEqual(['10.77.0.1']);
  });

  it('are nobody else’s as soon as somebody has them', () => {
    const swapped = view('10.44.0.2', [peer('hub', '10.44.0.1')]);
    former.note(view('10.44.0.1', [peer('hub', '10.44.0.2')]), swapped);
    expect(former.plan(swapped).own).toEqual(['10.44.0.2']);
    expect(allowed(swapped)).toEqual([['hub', '10.44.0.1/32']]);
  });

  it('go with a node that goes', () => {
    former.note(BEFORE, AFTER);
    const without = view('10.77.0.1', [peer('hub', '10.77.0.2')]);
    former.note(AFTER, without);
    expect(allowed(without)).toEqual([['hub', '10.77.0.2/32', '10.44.0.2/32']]);
    const alone = view('10.77.0.1', []);
    former.note(without, alone);
    expect(former.plan(alone).peers).toEqual([]);
  });

  it('are none where nothing changed', () => {
    former.note(BEFORE, BEFORE);
    expect(former.plan(BEFORE).nextChange).toBeUndefined();
    expect(former.plan(BEFORE).peers).toBe(BEFORE.peers);
    expect(former.plan(BEFORE).own).toEqual(BEFORE.own);
  });
});
