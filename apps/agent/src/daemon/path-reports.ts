import type { NatReport, PathReport, PeerReport } from '@warren/proto';

/** Peers in one report; more are said in several. */
export const MAX_REPORTED_PEERS = 2_000;

/** All that there is to report at a moment. */
export interface PathReading {
  readonly peers: readonly PeerReport[];
  /** Node ids of those for which nobody has needed a path so far. */
  readonly unneeded: ReadonlySet<string>;
  readonly nat: NatReport;
  /** Of all peers together. */
  readonly rxBytes: number;
  readonly txBytes: number;
  /** Unix milliseconds. */
  readonly atMs: number;
}

/** A report, and what is to be remembered once it is on its way. */
export interface NextReport {
  readonly report: PathReport;
  /** To be called when the stream has taken the report: what comes next builds on it. */
  readonly commit: () => void;
}

/**
 * What the control plane of one stream has been told, and what is another now. Knows no time: when counters are due is said by
 * the caller.
 */
export class PathReports {
  readonly #told = new Map<string, PeerReport>();
  /** Peers whose counters went on in what was told last: that they stand still is told once more. */
  readonly #moving = new Set<string>();
  #nat: string | undefined;
  #isFirst = true;

  /** Another stream: nothing was told on it. */
  begin(): void {
    this.#told.clear();
    this.#moving.clear();
    this.#nat = undefined;
    this.#isFirst = true;
  }

  /**
   * What is to be told now, at most `MAX_REPORTED_PEERS` peers of it: ask again with the same reading after `commit`.
   * @param counters whether counters and round-trip times are due, too.
   * @returns undefined when there is nothing.
   */
  next(reading: PathReading, counters: boolean): NextReport | undefined {
    this.#forgetOthers(reading.peers);
    const peers = reading.peers.filter((peer) => this.#isNews(peer, reading, counters)).sort(byWeight);
    const nat = JSON.stringify(reading.nat);
    if (!this.#isFirst && peers.length === 0 && nat === this.#nat) return undefined;
    const { rxBytes, txBytes, atMs } = reading;
    const chosen = peers.slice(0, MAX_REPORTED_PEERS);
    const report: PathReport = {
      complete: this.#isFirst,
      peers: chosen,
      nat: nat === this.#nat ? undefined : reading.nat,
      ...{ rxBytes, txBytes, atMs },
    };
    return { report, commit: () => this.#commit(chosen, nat, counters) };
  }

  #commit(peers: readonly PeerReport[], nat: string, counters: boolean): void {
    for (const peer of peers) {
      const before = this.#told.get(peer.nodeId);
      if (counters && before && hasMoved(before, peer)) this.#moving.add(peer.nodeId);
      else this.#moving.delete(peer.nodeId);
      this.#told.set(peer.nodeId, peer);
    }
    this.#nat = nat;
    this.#isFirst = false;
  }

  #isNews(peer: PeerReport, { unneeded }: PathReading, counters: boolean): boolean {
    const told = this.#told.get(peer.nodeId);
    // Most pairs of a large network never need a path: of those nothing is said until they do.
    if (!told) return isReached(peer) || hasTraffic(peer) || !unneeded.has(peer.nodeId);
    if (told === peer) return false; // of this very reading
    if (pathOf(told) !== pathOf(peer)) return true;
    return counters && (hasMoved(told, peer) || this.#moving.has(peer.nodeId) || told.rttUs !== peer.rttUs);
  }

  /** A node that comes back is news. */
  #forgetOthers(peers: readonly PeerReport[]): void {
    if (this.#told.size === 0) return;
    const ids = new Set(peers.map(({ nodeId }) => nodeId));
    for (const id of this.#told.keys()) {
      if (ids.has(id)) continue;
      this.#told.delete(id);
      this.#moving.delete(id);
    }
  }
}

const isReached = ({ kind }: PeerReport): boolean => kind > 0;
const hasTraffic = ({ rxBytes, txBytes }: PeerReport): boolean => rxBytes + txBytes > 0;
const hasMoved = (before: PeerReport, now: PeerReport): boolean =>
  before.rxBytes !== now.rxBytes || before.txBytes !== now.txBytes || before.lastHandshakeMs !== now.lastHandshakeMs;

const pathOf = ({ kind, lan, tls, endpoint, via, reason }: PeerReport): string =>
  `${kind} ${lan} ${tls} ${endpoint} ${via} ${reason}`;

/** Those with a path or traffic first; the order is otherwise that of the reading. */
const byWeight = (a: PeerReport, b: PeerReport): number => weightOf(b) - weightOf(a);
const weightOf = (peer: PeerReport): number => Number(isReached(peer)) * 2 + Number(hasTraffic(peer));
