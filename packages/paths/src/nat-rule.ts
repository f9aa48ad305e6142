import type { NatBehaviour } from '@warren/stun';
import type { NatKind } from './path-manager-api.js';

const isDependent = (behaviour: NatBehaviour): boolean =>
  behaviour === 'address-dependent' || behaviour === 'address-and-port-dependent';
const letsAllIn = ({ filtering }: NatKind): boolean => filtering === 'endpoint-independent' || filtering === 'none';

/**
 * Whether two NATs can be crossed by plain simultaneous opening: always, if either filtering is endpoint-independent. Otherwise it fails
 * exactly if both mappings are dependent (on address, or address and port), or if one is and the other side's filtering is
 * address-and-port-dependent. What is unknown is taken to be the best: trying costs little.
 */
export function canPunch(a: NatKind, b: NatKind): boolean {
  if (letsAllIn(a) || letsAllIn(b)) return true;
  if (isDependent(a.mapping) && isDependent(b.mapping)) return false;
  return !(
    (isDependent(a.mapping) && b.filtering === 'address-and-port-dependent') ||
    (isDependent(b.mapping) && a.filtering === 'address-and-port-dependent')
  );
}

/**
 * Whether guessing ports can open a pair that `canPunch` denies: one side's mapping depends on its destination, and the other side
 * keeps one port for all, to which many ports can be aimed. With both dependent both sides would have to guess.
 */
export function canPredict(a: NatKind, b: NatKind): boolean {
  if (canPunch(a, b)) return false;
  return isDependent(a.mapping) !== isDependent(b.mapping);
}

/** Which of the two opens many sockets: the one whose NAT gives each destination another port. */
export const opensManySockets = (ours: NatKind): boolean => isDependent(ours.mapping);

/** Why two such NATs are not crossed, and what would help; for people. */
export function explainNats(ours: NatKind, theirs: NatKind): { readonly reason: string; readonly advice: string } {
  const advice =
    'forward a UDP port to one of the two (port mapping on its router), use IPv6, or set endpoint-independent mapping on one NAT';
  if (isDependent(ours.mapping) && isDependent(theirs.mapping)) {
    return { reason: 'both NATs give every destination another port, which the other side cannot know', advice };
  }
  const [dependent, filtering] = isDependent(ours.mapping) ? ['our', "the peer's"] : ["the peer's", 'our'];
  return {
    reason: `${dependent} NAT gives every destination another port, and ${filtering} NAT lets in only the address and port that were sent to`,
    advice,
  };
}
