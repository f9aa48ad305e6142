import { canPunch, explainNats } from './nat-rule.js';
import type { NatKind } from './path-manager-api.js';
import type { PeerContext } from './peer-context.js';
import type { RemoteCandidates } from './remote-candidates.js';

interface Explanation {
  readonly reason: string;
  readonly advice: string | undefined;
}

const NOT_TRIED = {
  reason: 'no direct path was tried yet: there was no traffic',
  advice: 'send it something, for instance by agent ping',
};

/** What there was between us and a peer. */
interface Contact {
  /** We had packets for it. */
  readonly traffic: boolean;
  /** We had packets for it, or wanted to know whether it is there. */
  readonly asked: boolean;
  /** It was heard, and no server has denied it since. */
  readonly present: boolean;
}

/** Why a peer is not reached directly, and what would change that; for people, without full stops. */
export function explainRelay(
  context: PeerContext,
  remoteNat: NatKind | undefined,
  { traffic, asked, present }: Contact,
  candidates: RemoteCandidates,
): Explanation {
  if (![...context.signalServers.links()].some((link) => link.transport)) {
    return {
      reason: 'no signal server answers',
      advice: 'check that this host reaches a signal server: agent netcheck',
    };
  }
  if (!present && !asked) {
    return { reason: 'nothing was sent to it yet: a path is looked for with the first packet', advice: undefined };
  }
  if (!present) return { reason: 'the peer has not answered yet; it may be offline', advice: undefined };
  if (context.udpBlocked) {
    return { reason: 'UDP is blocked here: only streams get through', advice: 'allow outgoing UDP in this network' };
  }
  const all = [...candidates];
  if (all.every(({ named }) => !named)) {
    return traffic ? { reason: 'the peer has named no addresses yet', advice: undefined } : NOT_TRIED;
  }
  if (!all.some(({ family }) => context.hasFamily(family))) {
    return { reason: 'the two have no IP version in common', advice: 'give both IPv4 or both IPv6' };
  }
  if (remoteNat && !canPunch(context.nat, remoteNat)) {
    return explainNats(context.nat, remoteNat, context.options.predictPorts);
  }
  if (all.every(({ probes }) => probes === 0)) {
    return NOT_TRIED;
  }
  if (remoteNat?.mapping === 'unknown' && all.every(({ kind, named }) => !named || kind === 'host')) {
    return {
      reason: 'the peer has named no address outside its own network: no server sees it over UDP',
      advice: "allow outgoing UDP in the peer's network; agent netcheck there says more",
    };
  }
  return {
    reason: "none of the peer's addresses answers",
    advice: 'allow UDP between the two in their firewalls, or forward a UDP port to one of them',
  };
}
