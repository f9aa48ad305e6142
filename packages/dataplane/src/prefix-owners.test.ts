import type { Prefix, PublicKey } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { PrefixOwners } from './prefix-owners.js';

const [a, b] = ['a', 'b'] as PublicKey[] as [PublicKey, PublicKey];
const p = (...prefixes: string[]) => prefixes as Prefix[];

describe('prefix owners', () => {
  it('gives a prefix to the peer that got it last', () => {
    const owners = new PrefixOwners();
    owners.assign(a, p('10.0.0.0/8', '10.1.0.0/16'));
    owners.assign(b, p('10.1.0.0/16'));
    expect(owners.of(a)).toEqual(['10.0.0.0/8']);
    expect(owners.of(b)).toEqual(['10.1.0.0/16']);
    owners.remove(b);
    expect([...owners.all()]).toEqual(['10.0.0.0/8']);
  });

  it('replaces the whole set of a peer', () => {
    const owners = new PrefixOwners();
    owners.assign(a, p('10.0.0.1/32', '10.0.0.2/32'));
    owners.assign(a, p('10.0.0.2/32', '10.0.0.3/32', '10.0.0.3/32'));
    expect([...owners.all()]).toEqual(['10.0.0.2/32', '10.0.0.3/32']);
    owners.remove(a);
    owners.remove(a);
    expect([...owners.all()]).toEqual([]);
    expect(owners.of(a)).toEqual([]);
  });
});
