import { type NetworkId, type NodeId, WarrenError } from '@warren/base';
import type { NodeRow, Sighting, Store } from '@warren/db';
import type { ExplainAnswer, PathReport } from '@warren/proto';
import type { z } from 'zod';
import type { Session } from '../hub/session.js';
import type { Log } from '../log.js';
import type { Metrics } from '../metrics/metrics.js';
import type { ExplanationView } from '../rest/telemetry-schemas.js';
import { Explanations } from './explanations.js';
import { type LinkKind, PATH_KINDS } from './link.js';
import { NetworkTelemetry } from './network-telemetry.js';
import { type Members, shortText } from './path-claims.js';
import { Sightings } from './sightings.js';
import type { Moment } from './views.js';
import { type Watcher, Watchers } from './watchers.js';

/** How often agents report counters while somebody watches, and while nobody does; milliseconds. */
const WATCHED_INTERVAL = 2_000;
const QUIET_INTERVAL = 60_000;
/** Each agent of a large network reports less often: together so many a second. */
const REPORTS_PER_SECOND = 500;

export interface TelemetryOptions {
  readonly store: Pick<Store, 'noteSightings'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'pathReports' | 'pathReportDrops'>;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly monotonic: () => number;
  /** Milliseconds that an agent may take to explain a path. */
  readonly answerTime?: number;
}

/** An agent's stream that begins. */
export interface ConnectedAgent {
  readonly networkId: NetworkId;
  readonly session: Session;
  /** The members of its network as they are now. */
  readonly members: Members;
  readonly address: string | undefined;
  readonly version: string;
}

/**
 * What agents that are connected to this process report of the mesh, by network (docs/ARCHITECTURE.md, “What is seen of the
 * mesh”). Nothing of it is stored, and nothing depends on it; only when a node was last seen goes into the database.
 */
export class Telemetry {
  readonly #networks = new Map<NetworkId, NetworkTelemetry>();
  /** In which network a stream is. */
  readonly #sessions = new Map<Session, NetworkId>();
  readonly #watchers: Watchers;
  readonly #explanations: Explanations;
  readonly #sightings: Sightings;
  #reports = 0;
  #dropped = 0;

  constructor(private readonly options: TelemetryOptions) {
    this.#explanations = new Explanations(options.answerTime);
    this.#sightings = new Sightings(options.store, () => this.#seen(), options.log);
    this.#watchers = new Watchers({
      network: (id) => this.#networks.get(id),
      networks: () => this.#networks,
      moment: () => this.moment(),
      onWatched: (_, network) => this.#tellPolicy(network),
    });
  }

  /** Now. */
  moment(): Moment {
    return { unix: this.options.now(), monotonic: this.options.monotonic() };
  }

  /** What is known of a network; undefined: nothing. */
  network(id: NetworkId): NetworkTelemetry | undefined {
    return this.#networks.get(id);
  }

  /** The members of a network are others now; none: it is gone. */
  membersChanged(id: NetworkId, members: Members): void {
    const network = this.#networks.get(id);
    network?.setMembers(members);
    if (network?.isEmpty) this.#networks.delete(id);
  }

  connect({ networkId, session, members, address, version }: ConnectedAgent): void {
    const network = this.#networks.get(networkId) ?? this.#open(networkId, members);
    const interval = this.#intervalOf(network);
    const about = { address: address ?? null, version: shortText(version.slice(0, 64)), interval };
    network.connect(session, about);
    this.#sessions.set(session, networkId);
    session.tell({ $case: 'reportPolicy', value: { intervalMs: interval } });
    this.#note(session.nodeId, about.version);
  }

  disconnect(session: Session): void {
    const networkId = this.#sessions.get(session);
    if (networkId === undefined) return;
    this.#sessions.delete(session);
    this.#explanations.end(session);
    const network = this.#networks.get(networkId);
    if (network?.disconnect(session)) this.#note(session.nodeId, null);
    if (network?.isEmpty) this.#networks.delete(networkId);
  }

  report(session: Session, report: PathReport): void {
    const networkId = this.#sessions.get(session);
    if (networkId === undefined) return;
    this.#reports += 1;
    this.options.metrics.pathReports.inc();
    this.#networks.get(networkId)?.report(session, report);
  }

  explained(session: Session, answer: ExplainAnswer): void {
    this.#explanations.answer(session, answer);
  }

  /** Asks a node's agent now for its path to a peer. @throws WarrenError `agent-offline` and those of `Explanations` */
  explain({ id, name, kind, networkId }: NodeRow, peer: NodeId): Promise<z.infer<typeof ExplanationView>> {
    const connection = this.#networks.get(networkId)?.nodes.get(id)?.connection;
    if (connection) return this.#explanations.ask(connection, name, peer);
    const text =
      kind === 'vanilla'
        ? `${name} is a vanilla member and has no agent: ask its peer for the path to it`
        : `the agent of ${name} is not connected here: ask \`agent explain\` on the host itself`;
    throw new WarrenError('agent-offline', text);
  }

  /** Tells of what changes in a network, or in all of them, as text of server-sent events. @returns what ends it. */
  watch(id: NetworkId | undefined, watcher: Watcher): () => void {
    return this.#watchers.watch(id, watcher);
  }

  /** For whoever looks after the process. */
  numbers(): { links: number; reports: number; dropped: number } {
    const links = [...this.#networks.values()].reduce((sum, { size }) => sum + size.links, 0);
    return { links, reports: this.#reports, dropped: this.#dropped };
  }

  /** Links of each network, by kind. */
  linkCounts(): { id: NetworkId; links: Record<LinkKind, number> }[] {
    return [...this.#networks].map(([id, { nodes }]) => {
      const links = { direct: 0, relay: 0, bounce: 0, none: 0 };
      for (const { paths } of nodes.values()) for (const kind of PATH_KINDS) links[kind] += paths[kind] / 2;
      return { id, links };
    });
  }

  async close(): Promise<void> {
    this.#watchers.close();
    await this.#sightings.close();
  }

  #open(id: NetworkId, members: Members): NetworkTelemetry {
    const network = new NetworkTelemetry({
      now: this.options.now,
      monotonic: this.options.monotonic,
      onDrop: (reason, count) => {
        this.#dropped += count;
        this.options.metrics.pathReportDrops.inc({ reason }, count);
      },
    });
    network.setMembers(members);
    this.#networks.set(id, network);
    this.#watchers.settleNetwork(id, network);
    return network;
  }

  #intervalOf({ changes, nodes }: NetworkTelemetry): number {
    return changes.watched ? Math.max(WATCHED_INTERVAL, (nodes.size * 1_000) / REPORTS_PER_SECOND) : QUIET_INTERVAL;
  }

  #tellPolicy(network: NetworkTelemetry): void {
    const intervalMs = Math.round(this.#intervalOf(network));
    for (const { connection } of network.nodes.values()) {
      if (!connection || connection.interval === intervalMs) continue;
      connection.interval = intervalMs;
      connection.session.tell({ $case: 'reportPolicy', value: { intervalMs } });
    }
  }

  #note(id: NodeId, agentVersion: string | null): void {
    this.#sightings.note({ id, at: new Date(this.options.now()), ...(agentVersion !== null && { agentVersion }) });
  }

  /** Who is here now; of vanilla members, when they were. */
  *#seen(): Generator<Sighting> {
    const now = this.options.now();
    for (const { nodes } of this.#networks.values()) {
      for (const { id, connection, version, kind, lastSeen } of nodes.values()) {
        if (connection) yield { id, at: new Date(now), ...(version !== null && { agentVersion: version }) };
        else if (kind === 'vanilla' && lastSeen > 0) yield { id, at: new Date(lastSeen) };
      }
    }
  }
}
