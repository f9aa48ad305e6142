import type { NodeId } from '@warren/base';
import type { PathReport, PeerReport } from '@warren/proto';
import type { Session } from '../hub/session.js';
import { Changes } from './changes.js';
import { Link, LinkEnd, type PathClaim } from './link.js';
import { connectionOf, mayReport, NodeState } from './node-state.js';
import { isSamePath, type Members, MOST_PEERS, natView, pathClaim, SharedTexts } from './path-claims.js';

/** Why an entry of a report is not taken. */
export type DropReason = 'too-many' | 'too-often' | 'unknown-node' | 'malformed' | 'full';

/** What all networks share. */
export interface TelemetryParts {
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly onDrop: (reason: DropReason, count: number) => void;
  /** Ends of links that one network may have; those beyond it are dropped. */
  readonly mostEnds?: number;
}

/** Enough for 10,000 nodes with twenty peers each, twice. */
const MOST_ENDS = 400_000;

/** What the agents of one network report. Who is no member is not in it. */
export class NetworkTelemetry {
  readonly nodes = new Map<NodeId, NodeState>();
  readonly changes = new Changes();
  #members: Members = new Map();
  readonly #texts = new SharedTexts();
  #ends = 0;
  #links = 0;
  /** Counts what may be seen to change. */
  #serial = 0;

  constructor(private readonly parts: TelemetryParts) {}

  get size(): { readonly links: number; readonly ends: number } {
    return { links: this.#links, ends: this.#ends };
  }
  /** Another number: something is another than before. */
  get serial(): number {
    return this.#serial;
  }
  get isEmpty(): boolean {
    return this.nodes.size === 0;
  }

  /** Who is a member now. What is known of all others is forgotten. */
  setMembers(members: Members): void {
    this.#members = members;
    for (const node of [...this.nodes.values()]) {
      if (members.has(node.id)) continue;
      for (const link of [...node.links.values()]) this.#remove(link);
      if (node.connection) this.nodes.set(node.id, this.#renewed(node));
      else this.nodes.delete(node.id);
    }
  }

  connect(session: Session, about: { address: string | null; version: string | null; interval: number }): void {
    const { now, monotonic } = this.parts;
    const node = this.#node(session.nodeId, 'agent');
    this.#silence(node);
    node.connection = connectionOf(session, about.address, about.interval, { unix: now(), monotonic: monotonic() });
    node.version = about.version;
    node.lastSeen = now();
    this.#changed(node);
  }

  /** Forgets what the agent said of its paths. @returns the node, unless another stream of it has begun since. */
  disconnect(session: Session): NodeState | undefined {
    const node = this.nodes.get(session.nodeId);
    if (node?.connection?.session !== session) return undefined;
    this.#silence(node);
    node.connection = undefined;
    node.lastSeen = this.parts.now();
    node.meter.stop();
    node.nat = null;
    this.#changed(node);
    if (!this.#members.has(node.id)) this.nodes.delete(node.id);
    return node;
  }

  /** Takes what is right of a report, and counts the rest. */
  report(session: Session, report: PathReport): void {
    const node = this.nodes.get(session.nodeId);
    const connection = node?.connection;
    if (!node || connection?.session !== session) return;
    const monotonic = this.parts.monotonic();
    if (!mayReport(connection, report.peers.length, monotonic)) {
      this.#drop('too-often', report.peers.length + 1);
      return;
    }
    connection.hasReported = true;
    if (!this.#members.has(node.id)) return; // Waits for approval: it has no peers.
    const unix = this.parts.now();
    node.lastSeen = unix;
    if (report.peers.length > MOST_PEERS) this.#drop('too-many', report.peers.length - MOST_PEERS);
    const said = new Set<Link>();
    const when = { unix, monotonic, interval: connection.interval };
    for (const peer of report.peers.slice(0, MOST_PEERS)) {
      const link = this.#take(node, peer, when);
      if (link) said.add(link);
    }
    if (report.complete) this.#forgetEnds(node, said);
    if (report.nat) {
      const { nat, dropped } = natView(report.nat);
      node.nat = nat;
      if (dropped > 0) this.#drop('malformed', dropped);
    }
    const counted = node.meter.note(report.rxBytes, report.txBytes, monotonic, connection.interval);
    if (counted) node.addTraffic(unix - (monotonic - counted.from), unix, counted.rx, counted.tx);
    this.#changed(node);
  }

  #take(node: NodeState, report: PeerReport, when: When): Link | undefined {
    const member = this.#members.get(report.nodeId as NodeId);
    if (!member || member.id === node.id) return this.#drop('unknown-node', 1);
    const known = node.links.get(member.id);
    const end = known?.end(node.id);
    const claim = pathClaim(report, { now: when.unix, texts: this.#texts }, end?.claim);
    if (claim === 'malformed') return this.#drop('malformed', 1);
    if (!end && this.#ends >= (this.parts.mostEnds ?? MOST_ENDS)) return this.#drop('full', 1);
    const peer = this.#node(member.id, member.kind);
    const link = known ?? this.#add(node, peer);
    this.#note(link, node, claim, when.monotonic);
    const taken = link.end(node.id)!;
    const counted = taken.meter.note(report.rxBytes, report.txBytes, when.monotonic, when.interval);
    if (member.kind === 'vanilla') this.#seeVanilla(peer, claim, when, counted);
    this.changes.link(link);
    return link;
  }

  #note(link: Link, node: NodeState, claim: PathClaim, now: number): void {
    const end = link.end(node.id);
    if (!end) {
      link.setEnd(node.id, new LinkEnd(claim, now));
      this.#ends += 1;
      this.#settle(link);
    } else {
      const isNews = !isSamePath(end.claim, claim);
      end.claim = claim;
      // Who repeats itself is no newer than the other end's news.
      if (isNews) end.at = now;
      if (isNews) this.#settle(link);
    }
  }

  /** It has no agent: its peers say when it was there and what it sent. */
  #seeVanilla(
    peer: NodeState,
    { lastHandshakeMs, endpoint }: PathClaim,
    { unix, monotonic }: When,
    counted: { rx: number; tx: number; from: number } | undefined,
  ): void {
    if (lastHandshakeMs > peer.lastSeen) peer.lastSeen = lastHandshakeMs;
    if (endpoint !== null && lastHandshakeMs === peer.lastSeen) peer.address = endpoint;
    if (counted) peer.addTraffic(unix - (monotonic - counted.from), unix, counted.tx, counted.rx);
    this.#changed(peer);
  }

  /** Keeps the counts of both nodes in step with the link's kind. */
  #settle(link: Link): void {
    const before = link.settle();
    if (before === link.kind) return;
    for (const id of [link.a, link.b]) {
      const node = this.nodes.get(id)!;
      node.paths[before] -= 1;
      node.paths[link.kind] += 1;
      this.#changed(node);
    }
  }

  #add(one: NodeState, two: NodeState): Link {
    const [a, b] = one.id < two.id ? [one, two] : [two, one];
    const link = new Link(a.id, b.id);
    a.links.set(b.id, link);
    b.links.set(a.id, link);
    for (const node of [a, b]) node.paths[link.kind] += 1;
    this.#links += 1;
    return link;
  }

  #remove(link: Link): void {
    this.#ends -= Number(link.fromA !== undefined) + Number(link.fromB !== undefined);
    this.#links -= 1;
    for (const id of [link.a, link.b]) {
      const node = this.nodes.get(id)!;
      node.links.delete(link.other(id));
      node.paths[link.kind] -= 1;
      this.#changed(node);
    }
    this.changes.gone(link);
  }

  /** All that the node said of its links; those that nobody else speaks of go. */
  #silence(node: NodeState): void {
    this.#forgetEnds(node, new Set());
  }

  #forgetEnds(node: NodeState, but: ReadonlySet<Link>): void {
    for (const link of [...node.links.values()]) {
      if (but.has(link) || !link.end(node.id)) continue;
      if (!link.end(link.other(node.id))) {
        this.#remove(link);
        continue;
      }
      link.setEnd(node.id, undefined);
      this.#ends -= 1;
      this.#settle(link);
      this.changes.link(link);
    }
  }

  #node(id: NodeId, kind: NodeState['kind']): NodeState {
    const known = this.nodes.get(id);
    if (known) return known;
    const made = new NodeState(id, kind);
    this.nodes.set(id, made);
    return made;
  }

  /** Its agent is connected and waits: nothing else is known of it. */
  #renewed({ id, kind, connection, version, lastSeen }: NodeState): NodeState {
    return Object.assign(new NodeState(id, kind), { connection, version, lastSeen });
  }

  #changed(node: NodeState): void {
    this.#serial += 1;
    this.changes.node(node);
  }

  #drop(reason: DropReason, count: number): undefined {
    this.parts.onDrop(reason, count);
  }
}

interface When {
  readonly unix: number;
  readonly monotonic: number;
  readonly interval: number;
}
