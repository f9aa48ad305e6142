import type { NatBehaviour } from '@warren/stun';
import { describe, expect, it } from 'vitest';
import { canPredict, canPunch, explainNats } from './nat-rule.js';
import type { NatKind } from './path-manager-api.js';

const EI = 'endpoint-independent';
const AD = 'address-dependent';
const APD = 'address-and-port-dependent';
const behaviours: readonly NatBehaviour[] = ['none', EI, AD, APD];
const kinds: readonly NatKind[] = behaviours.flatMap((mapping) =>
  behaviours.map((filtering) => ({ mapping, filtering })),
);
const kind = (mapping: NatBehaviour, filtering: NatBehaviour): NatKind => ({ mapping, filtering });

/**
 * What really happens: both send to the address that a server saw the other at, and then to wherever a datagram came from. A NAT
 * that lets one in that was not asked for by exactly this endpoint needs to have sent there.
 */
function opens(a: NatKind, b: NatKind): boolean {
  const keeps = (nat: NatKind): boolean => nat.mapping === 'none' || nat.mapping === EI;
  const letsIn = (receiver: NatKind, sender: NatKind): boolean => {
    if (receiver.filtering === 'none' || receiver.filtering === EI) return true;
    // The receiver has sent to the port that the server saw; the sender comes from there only if its NAT keeps it.
    return receiver.filtering === AD || keeps(sender);
  };
  // Where a datagram to the address that the server saw arrives at all: a dependent mapping lets nothing in there that did not come
  // from the server, unless it does not filter.
  const atServerPort = (receiver: NatKind, sender: NatKind): boolean =>
    receiver.filtering === 'none' || receiver.filtering === EI || (keeps(receiver) && letsIn(receiver, sender));
  return atServerPort(a, b) || atServerPort(b, a);
}

describe('the rule of simultaneous opening', () => {
  it('is what happens when both send to where the other was seen, for all pairs', () => {
    for (const a of kinds) {
      for (const b of kinds) expect(canPunch(a, b), JSON.stringify([a, b])).toBe(opens(a, b));
    }
  });

  it('does not depend on the order', () => {
    for (const a of kinds) for (const b of kinds) expect(canPunch(a, b)).toBe(canPunch(b, a));
  });

  it.each([
    [kind(EI, APD), kind(EI, APD), true],
    [kind(AD, AD), kind(EI, AD), true],
    [kind(APD, APD), kind(EI, AD), true],
    [kind(APD, APD), kind(EI, APD), false],
    [kind(AD, AD), kind(APD, APD), false],
    [kind(APD, APD), kind(EI, EI), true],
  ])('%o × %o: %s', (a, b, expected) => {
    expect(canPunch(a, b)).toBe(expected);
  });
});

describe('port prediction', () => {
  it('is for pairs that punching cannot open, one of which keeps its port', () => {
    for (const a of kinds) {
      for (const b of kinds) {
        const keeps = [a, b].filter(({ mapping }) => mapping === EI || mapping === 'none').length;
        expect(canPredict(a, b), JSON.stringify([a, b])).toBe(!canPunch(a, b) && keeps === 1);
      }
    }
  });

  it('tells people which side is in the way', () => {
    const reason = (a: NatKind, b: NatKind): string => explainNats(a, b, false).reason;
    expect(reason(kind(APD, APD), kind(AD, AD))).toMatch(/^both NATs give every destination another port/);
    expect(reason(kind(APD, APD), kind(EI, APD))).toMatch(/^our NAT/);
    expect(reason(kind(EI, APD), kind(APD, APD))).toMatch(/^the peer's NAT/);
  });

  it('says that ports are guessed where they are, and else how to begin', () => {
    const guessed = explainNats(kind(EI, APD), kind(APD, APD), true);
    expect(guessed.reason).toMatch(/ports are guessed/);
    expect(guessed.advice).not.toMatch(/switched off here/);
    expect(explainNats(kind(EI, APD), kind(APD, APD), false).advice).toMatch(/switched off here/);
    expect(explainNats(kind(AD, AD), kind(APD, APD), true).reason).not.toMatch(/guessed/);
  });

  it('advises about mapping what makes punching work', () => {
    const fixed = (nat: NatKind): NatKind => kind(EI, nat.filtering);
    for (const a of kinds) {
      for (const b of kinds) {
        if (canPunch(a, b)) continue;
        const { advice } = explainNats(a, b, true);
        const ours = /mapping on (both NATs|our NAT)/.test(advice) ? fixed(a) : a;
        const theirs = /mapping on (both NATs|the peer's NAT)/.test(advice) ? fixed(b) : b;
        expect(canPunch(ours, theirs), advice).toBe(true);
      }
    }
  });
});
