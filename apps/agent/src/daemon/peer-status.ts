import type { DataPlanePathReport, DataPlanePeerStats } from '@warren/dataplane';
import type { AcceptedPeer } from '../codec/domain.js';
import { type AgentPathFacts, agentPath, rounded } from './agent-path.js';
import type { PathStatus, PeerStatus } from './status-types.js';

/** A session older than this cannot carry a packet: WireGuard paper §6.1, REJECT_AFTER_TIME; milliseconds. */
export const SESSION_LIFE = 180_000;
/** How long an answered or unanswered ping says something about a node behind a bounce; milliseconds. */
const PING_LIFE = 60_000;

/** The last `agent ping` of a node; `rttMs` undefined: nothing came back. */
export interface PingRecord {
  readonly at: number;
  readonly rttMs: number | undefined;
}

/** What is known about a moment. */
export interface PeerFacts {
  readonly now: number;
  readonly stats: ReadonlyMap<string, DataPlanePeerStats>;
  /** Of agents, by public key. */
  readonly paths: ReadonlyMap<string, DataPlanePathReport>;
  /** Names of signal servers by id. */
  readonly serverNames: ReadonlyMap<string, string>;
  /** Whether any signal server answers us. */
  readonly registered: boolean;
  readonly pings: ReadonlyMap<string, PingRecord>;
}

/** Describes all peers; `since` is kept by `PathHistory` where the data plane does not know it. */
export function describePeers(peers: readonly AcceptedPeer[], facts: PeerFacts, history: PathHistory): PeerStatus[] {
  const byName = new Map(peers.map((peer) => [peer.name, peer]));
  return peers.map((peer) => {
    const bounce = peer.via === undefined ? undefined : byName.get(peer.via);
    const path = peer.via === undefined ? ownPath(peer, facts) : bouncePath(peer, bounce, facts);
    const stats = facts.stats.get(peer.publicKey);
    const since = history.since(peer.id, path, facts.now);
    const known = facts.paths.get(peer.publicKey)?.since;
    return {
      id: peer.id,
      name: peer.name,
      role: peer.role,
      publicKey: peer.publicKey,
      addresses: peer.addresses,
      online: path.kind !== 'none',
      path: { ...path, since: path.kind === 'none' ? since : (known ?? since) },
      lastHandshake: stats?.lastHandshake ?? null,
      rxBytes: stats?.rxBytes ?? 0,
      txBytes: stats?.txBytes ?? 0,
    };
  });
}

type Path = Omit<PathStatus, 'since'>;

const NO_PATH: Path = { kind: 'none', endpoint: null, via: null, transport: null, rttMs: null, reason: null };

/** Of a node with which we have a session of our own. */
function ownPath(peer: AcceptedPeer, facts: PeerFacts): Path {
  const report = facts.paths.get(peer.publicKey);
  return report ? agentPath(report, agentFacts(peer, facts)) : directPath(peer, facts);
}

function agentFacts(peer: AcceptedPeer, facts: PeerFacts): AgentPathFacts {
  const age = handshakeAge(peer, facts);
  return {
    serverNames: facts.serverNames,
    registered: facts.registered,
    sessionFresh: age !== undefined && age <= SESSION_LIFE,
    lastPingMs: rttOf(peer, facts),
  };
}

function handshakeAge(peer: AcceptedPeer, facts: PeerFacts): number | undefined {
  const last = facts.stats.get(peer.publicKey)?.lastHandshake;
  return last === undefined ? undefined : facts.now - Date.parse(last);
}

function directPath(peer: AcceptedPeer, facts: PeerFacts): Path {
  const age = handshakeAge(peer, facts);
  if (age === undefined) return { ...NO_PATH, reason: whyNoHandshake(peer) };
  if (age > SESSION_LIFE) return { ...NO_PATH, reason: 'no handshake for more than three minutes' };
  const { endpoint = null, handshakeRttMs } = facts.stats.get(peer.publicKey) ?? {};
  const rttMs = rttOf(peer, facts) ?? rounded(handshakeRttMs);
  return { kind: 'direct', endpoint, via: null, transport: 'udp', rttMs, reason: null };
}

const whyNoHandshake = (peer: AcceptedPeer): string =>
  peer.dataPlane?.endpoint ? 'no handshake yet' : 'no handshake yet: it has no public endpoint and comes to us';

/** Over a bounce we have no session with the node: it is taken as reachable while the bounce is, unless a ping says no. */
function bouncePath(peer: AcceptedPeer, bounce: AcceptedPeer | undefined, facts: PeerFacts): Path {
  const via = peer.via!;
  if (!bounce || ownPath(bounce, facts).kind === 'none') return { ...NO_PATH, reason: `bounce ${via} is not reached` };
  const ping = facts.pings.get(peer.id);
  const silent = ping && ping.rttMs === undefined && facts.now - ping.at < PING_LIFE;
  if (silent) return { ...NO_PATH, reason: `no answer by way of bounce ${via}` };
  const reason = 'it is a vanilla member without a public endpoint: packets go through its bounce';
  return { kind: 'bounce', endpoint: null, via, transport: 'udp', rttMs: rttOf(peer, facts), reason };
}

const rttOf = (peer: AcceptedPeer, facts: PeerFacts): number | null => {
  const ping = facts.pings.get(peer.id);
  return ping && facts.now - ping.at < PING_LIFE ? rounded(ping.rttMs) : null;
};

/** Remembers when each peer's path became what it is. */
export class PathHistory {
  readonly #known = new Map<string, { key: string; since: number }>();

  /** RFC 3339. */
  since(peer: string, path: Path, now: number): string {
    const key = `${path.kind} ${path.endpoint} ${path.via} ${path.transport}`;
    const known = this.#known.get(peer);
    const since = known?.key === key ? known.since : now;
    if (known?.key !== key) this.#known.set(peer, { key, since });
    return new Date(since).toISOString();
  }

  /** Forgets peers that are no longer there. */
  keepOnly(peers: readonly AcceptedPeer[]): void {
    const ids = new Set<string>(peers.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
  }
}
