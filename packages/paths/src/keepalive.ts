import type { LocalNat } from './path-manager-api.js';

/** Least lifetime of a NAT's binding that is counted on (RFC 4787 §4.3 asks for two minutes; many keep thirty seconds). */
const KEEPALIVE_MS = 25_000;
/** A peer counts as in use for two minutes after traffic: a longer interval would never be reached. */
const MOST_MS = 110_000;
const LEAST_MS = 10_000;
/** Of a measured lifetime: one keepalive may be late; where the lifetime is short, one may be lost too. */
const SHARE = 0.8;
const SHORT_SHARE = 0.6;
const SHORT_BELOW_MS = 31_000;

/** As rare as the measured lifetime of our NAT's bindings allows; `KEEPALIVE_MS` where there is none, or no NAT. */
export function keepAliveMs(nat: LocalNat): number {
  const { bindingLifetimeMs: lifetime } = nat;
  if (lifetime === undefined || nat.mapping === 'none') return KEEPALIVE_MS;
  const share = lifetime < SHORT_BELOW_MS ? SHORT_SHARE : SHARE;
  return Math.min(Math.max(share * lifetime, LEAST_MS), MOST_MS);
}

/**
 * Idle for so long, a path is doubted before it is used. Our own measurement says nothing of the peer's NAT, whose way to us may be
 * another one: what is sent after a long keepalive's pause goes over the relay too, until an answer proves the path.
 */
export const staleAfterMs = (nat: LocalNat): number => Math.min(KEEPALIVE_MS, keepAliveMs(nat));

/** The interval towards a server: never rarer than it asked for, and what was not measured is left to it. */
export const registrationKeepAliveMs = (askedMs: number, nat: LocalNat | undefined): number =>
  nat?.bindingLifetimeMs === undefined ? askedMs : Math.min(askedMs, keepAliveMs(nat));
