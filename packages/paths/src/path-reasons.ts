import { canPunch, explainNats } from './nat-rule.js';
import type { NatKind } from './path-manager-api.js';
import type { PeerContext } from './peer-context.js';
import type { RemoteCandidates } from './remote-candidates.js';

interface Explanation {
  readonly reason: string;
  readonly advice: string | undefined;
}

/** Why a peer is not reached directly, and what would change that; for people, without full stops. */
export function explainRelay(
  context: PeerContext,
  remoteNat: NatKind | undefined,
  present: boolean,
  candidates: RemoteCandidates,
): Explanation {
  if (![...context.signalServers.links()].some((link) => link.transport)) {
    return {
      reason: 'no signal server answers',
      advice: 'check that this host reaches a signal server: agent netcheck',
    };
  }
  if (context.udpBlocked) {
    return { reason: 'UDP is blocked here: only streams get through', advice: 'allow outgoing UDP in this network' };
  }
  if (!present) return { reason: 'the peer has not answered yet; it may be offline', advice: undefined };
  const all = [...candidates];
  if (all.every(({ named }) => !named)) return { reason: 'the peer has named no addresses yet', advice: undefined };
  if (!all.some(({ family }) => context.hasFamily(family))) {
    return { reason: 'the two have no IP version in common', advice: 'give both IPv4 or both IPv6' };
  }
  if (remoteNat && !canPunch(context.nat, remoteNat)) return explainNats(context.nat, remoteNat);
  if (all.every(({ probes }) => probes === 0)) {
    return { reason: 'no direct path was tried yet: there was no traffic', advice: undefined };
  }
  return {
    reason: "none of the peer's addresses answers",
    advice: 'allow UDP between the two in their firewalls, or forward a UDP port to one of them',
  };
}
