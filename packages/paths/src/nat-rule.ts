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

/**
 * Why two such NATs are not crossed, and what would help, by the rule above; for people. `predicts`: ports are guessed where
 * that can work.
 */
export function explainNats(
  ours: NatKind,
  theirs: NatKind,
  predicts: boolean,
): { readonly reason: string; readonly advice: string } {
  const help = (mapping: string): string =>
    `forward a UDP port to one of the two (port mapping on its router), give both IPv6, or set endpoint-independent mapping on ${mapping}`;
  if (isDependent(ours.mapping) && isDependent(theirs.mapping)) {
    const reason = 'both NATs give every destination another port, which the other side cannot know';
    return { reason, advice: help('both NATs') };
  }
  const [dependent, filtering] = isDependent(ours.mapping) ? ['our', "the peer's"] : ["the peer's", 'our'];
  const guess = predicts ? '; ports are guessed while there is traffic' : '';
  const reason = `${dependent} NAT gives every destination another port, and ${filtering} NAT lets in only the address and port that were sent to${guess}`;
  const advice = help(`${dependent} NAT`);
  return { reason, advice: predicts ? advice : `${advice}, or let ports be guessed, which is switched off here` };
}
