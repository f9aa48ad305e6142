import type { NatBehaviour } from '@warren/stun';
import { describe, expect, it } from 'vitest';
import { type Circumstances, judgeDirectPaths } from './direct-paths.js';

const base: Circumstances = {
  ...{ udp: true, mapping: 'endpoint-independent', filtering: 'address-dependent' },
  ...{ overTls: true, ipv6: false, portMapped: false },
};
const KINDS = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;
type Nat = { readonly mapping: NatBehaviour; readonly filtering: NatBehaviour };
const ALL: Nat[] = KINDS.flatMap((mapping) => KINDS.map((filtering) => ({ mapping, filtering })));

/** When plain simultaneous opening cannot work. */
function fails(a: Nat, b: Nat): boolean {
  if (a.filtering === 'endpoint-independent' || b.filtering === 'endpoint-independent') return false;
  const dependent = ({ mapping }: Nat): boolean => mapping !== 'endpoint-independent';
  const narrow = ({ filtering }: Nat): boolean => filtering === 'address-and-port-dependent';
  return (dependent(a) && dependent(b)) || (dependent(a) && narrow(b)) || (dependent(b) && narrow(a));
}

describe('what a NAT means for direct paths', () => {
  it.each(ALL)('is the rule: mapping $mapping, filtering $filtering', (nat) => {
    const { reach } = judgeDirectPaths({ ...base, ...nat });
    const failing = ALL.filter((other) => fails(nat, other));
    // The common home router tells “most” from “some”.
    const home = fails(nat, { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' });
    expect(reach).toBe(failing.length === 0 ? 'all' : home ? 'some' : 'most');
  });

  it('is everything for a public host and behind a forwarded port', () => {
    expect(judgeDirectPaths({ ...base, mapping: 'none', filtering: 'none' }).reach).toBe('all');
    const worst = { mapping: KINDS[2], filtering: KINDS[2] };
    expect(judgeDirectPaths({ ...base, ...worst, portMapped: true }).reach).toBe('all');
    expect(judgeDirectPaths({ ...base, ...worst, ipv6: true }).meaning.at(-1)).toContain('IPv6');
  });

  it('is nothing without UDP, and says whether relays work', () => {
    const blocked = judgeDirectPaths({ ...base, udp: false });
    expect(blocked.reach).toBe('none');
    expect(blocked.meaning[0]).toContain('relay over TLS');
    expect(judgeDirectPaths({ ...base, udp: false, overTls: false }).meaning[0]).toContain('nor over TLS');
    expect(judgeDirectPaths({ ...base, udp: null }).reach).toBe('unknown');
  });

  it('is unknown where something was not found out', () => {
    expect(judgeDirectPaths({ ...base, mapping: 'unknown' }).reach).toBe('unknown');
    expect(judgeDirectPaths({ ...base, filtering: 'unknown' }).meaning[0]).toContain('two signal servers');
  });
});
