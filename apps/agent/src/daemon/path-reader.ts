import os from 'node:os';
import type { Prefix } from '@warren/base';
import type { DataPlanePeerStats, PathsReport } from '@warren/dataplane';
import { type NatReport, PathKind, type PeerReport } from '@warren/proto';
import type { AcceptedPeer } from '../codec/domain.js';
import { homesOf } from './explanation.js';
import { isLanPath, linkPrefixes } from './lan-path.js';
import type { NetworkRunner } from './network-runner.js';
import type { PathReading } from './path-reports.js';
import { describePeers, type PeerFacts } from './peer-status.js';
import { observe } from './status.js';
import type { NatStatus, PathStatus, PeerStatus } from './status-types.js';

const KINDS: Record<PathStatus['kind'], PathKind> = {
  none: PathKind.PATH_KIND_UNSPECIFIED,
  direct: PathKind.PATH_KIND_DIRECT,
  relay: PathKind.PATH_KIND_RELAY,
  bounce: PathKind.PATH_KIND_BOUNCE,
};
/** What fits a uint32. */
const MAX_RTT_US = 2 ** 32 - 1;

/** Reads what a running network has to report; keeps sums of what its peers counted. */
export class PathReader {
  readonly #totals = new TrafficTotals();

  constructor(private readonly runner: NetworkRunner) {}

  /** @returns undefined while there is no data plane. */
  async read(): Promise<PathReading | undefined> {
    const { stats, paths, nat, facts } = await observe(this.runner);
    if (!stats) return undefined;
    this.#totals.note(stats.peers);
    const peers = this.runner.view.peers();
    const links = linkPrefixes(os.networkInterfaces(), this.runner.addressing.tunnels);
    const reports = describePeers(peers, facts, this.runner.history).map((status) => peerReport(status, facts, links));
    const unneeded = new Set<string>(peers.filter((peer) => !isNeeded(peer, facts)).map(({ id }) => id));
    const { rxBytes, txBytes } = this.#totals;
    return { peers: reports, unneeded, nat: natReport(nat, paths), rxBytes, txBytes, atMs: facts.now };
  }
}

/** Whether somebody had something for it, or opens a way to it by themselves. */
function isNeeded(peer: AcceptedPeer, facts: PeerFacts): boolean {
  const report = facts.paths.get(peer.publicKey);
  if (report?.wanted || facts.stats.get(peer.publicKey)?.lastHandshake !== undefined) return true;
  const { endpoint, persistentKeepalive } = peer.dataPlane ?? {};
  return endpoint !== undefined && persistentKeepalive !== undefined;
}

function peerReport(status: PeerStatus, facts: PeerFacts, links: readonly Prefix[]): PeerReport {
  const { kind, endpoint, via, transport, rttMs, since, reason } = status.path;
  const lan = kind === 'direct' && isLanPath(endpoint, facts.paths.get(status.publicKey), links);
  return {
    nodeId: status.id,
    kind: KINDS[kind],
    lan,
    tls: transport === 'tls',
    endpoint: endpoint ?? '',
    via: via ?? '',
    rttUs: Math.min(Math.round((rttMs ?? 0) * 1_000), MAX_RTT_US),
    sinceMs: unixMillisOf(since),
    reason: reason ?? '',
    lastHandshakeMs: unixMillisOf(status.lastHandshake),
    rxBytes: status.rxBytes,
    txBytes: status.txBytes,
  };
}

/** 0: unknown. */
const unixMillisOf = (time: string | null): number => (time === null ? 0 : Date.parse(time));

function natReport(nat: NatStatus, paths: PathsReport | undefined): NatReport {
  const { mapping, filtering, udp, reflexive, portMapping } = nat;
  return {
    mapping,
    filtering,
    udp: udp === null ? '' : udp ? 'yes' : 'no',
    reflexive: [...reflexive],
    portMapping: portMapping?.protocol ?? '',
    homes: homesOf(paths),
  };
}

/** Sums over all peers that there ever were; peers that go, and counters that begin anew, take nothing away. */
class TrafficTotals {
  rxBytes = 0;
  txBytes = 0;
  #last: ReadonlyMap<string, DataPlanePeerStats> = new Map();

  note(peers: readonly DataPlanePeerStats[]): void {
    for (const peer of peers) {
      const before = this.#last.get(peer.publicKey);
      this.rxBytes += growth(before?.rxBytes, peer.rxBytes);
      this.txBytes += growth(before?.txBytes, peer.txBytes);
    }
    this.#last = new Map(peers.map((peer) => [peer.publicKey, peer]));
  }
}

const growth = (before: number | undefined, now: number): number =>
  before === undefined || now < before ? now : now - before;
