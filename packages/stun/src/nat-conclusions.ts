import type { IpAddress } from '@warren/base';
import type { TransportAddress } from './attributes.js';
import type { NatBehaviour } from './nat-behaviour.js';

/** Where one socket of ours was seen from by one address of a server. */
export interface MappingObservation {
  readonly to: TransportAddress;
  readonly mapped: TransportAddress;
}

/** What came of one test: an answer, none though there should have been one, or nothing that would mean something. */
export type Finding = 'passed' | 'stopped' | 'unknown';

/** Who was let in to a socket that had sent to one address and port only. */
export interface FilteringFindings {
  /** From the same address, another port. */
  readonly otherPort: Finding;
  /** From another address. */
  readonly otherAddress: Finding;
}

export const sameEndpoint = (a: TransportAddress, b: TransportAddress): boolean =>
  a.address === b.address && a.port === b.port;

/**
 * RFC 4787 §4.1 from what was observed of one socket (RFC 5780 §4.3). `address-and-port-dependent` is also said when a
 * mapping differs between addresses and nobody answered at a second port of one: whoever reckons with it is not
 * disappointed.
 */
export function concludeMapping(
  observations: readonly MappingObservation[],
  localAddresses: ReadonlySet<IpAddress>,
): NatBehaviour {
  if (observations.length === 0) return 'unknown';
  if (observations.every(({ mapped }) => localAddresses.has(mapped.address))) return 'none';
  const across = pairs(observations).filter(([a, b]) => a.to.address !== b.to.address);
  const within = pairs(observations).filter(([a, b]) => a.to.address === b.to.address && a.to.port !== b.to.port);
  const differs = ([a, b]: readonly [MappingObservation, MappingObservation]): boolean =>
    !sameEndpoint(a.mapped, b.mapped);
  if (within.some(differs)) return 'address-and-port-dependent';
  if (across.length === 0) return 'unknown';
  if (!across.some(differs)) return 'endpoint-independent';
  return within.length > 0 ? 'address-dependent' : 'address-and-port-dependent';
}

const pairs = (all: readonly MappingObservation[]): (readonly [MappingObservation, MappingObservation])[] =>
  all.flatMap((a, index) => all.slice(index + 1).map((b) => [a, b] as const));

/** RFC 4787 §5 (RFC 5780 §4.4); `none`: neither translated nor filtered. */
export function concludeFiltering(findings: FilteringFindings, mapping: NatBehaviour): NatBehaviour {
  if (findings.otherAddress === 'passed') return mapping === 'none' ? 'none' : 'endpoint-independent';
  // Whoever stops another port of a known address stops another address too.
  if (findings.otherPort === 'stopped') return 'address-and-port-dependent';
  return findings.otherPort === 'passed' && findings.otherAddress === 'stopped' ? 'address-dependent' : 'unknown';
}
