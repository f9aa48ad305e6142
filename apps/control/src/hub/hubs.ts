import { InvariantError, type NetworkId, type NodeId, WarrenError } from '@warren/base';
import type { SignalServer } from '@warren/proto';
import type { NetworkNode } from '@warren/topology';
import { type HubParts, NetworkHub } from './network-hub.js';
import { NOTHING_OBSERVED, type Observed } from './observed.js';

/** How often sessions are looked at for missing acknowledgements. */
const PROGRESS_INTERVAL = 5_000;
/** After a failed read of the change log. */
const RETRY_INTERVAL = 1_000;

/** A network that is open here, in numbers. */
export interface NetworkOverview {
  readonly id: NetworkId;
  readonly nodes: number;
  readonly revision: number;
  /** Open streams: of active nodes, and of others, which wait. */
  readonly connected: number;
  readonly activeConnected: number;
  readonly otherConnected: number;
  /** Connected agents on whose host another network clashes with this one. */
  readonly clashing: number;
  readonly buffered: number;
}

/** All networks that somebody follows or reads here. */
export class Hubs {
  readonly #hubs = new Map<NetworkId, Promise<NetworkHub | undefined>>();
  /** Settled ones, for questions that cannot wait. */
  readonly #open = new Map<NetworkId, NetworkHub>();
  #closeFeed: (() => Promise<void>) | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Networks whose changes could not be read yet. */
  readonly #retries = new Map<NetworkId, NodeJS.Timeout>();
  #closed = false;

  private constructor(private readonly parts: HubParts) {}

  static async start(parts: HubParts): Promise<Hubs> {
    const hubs = new Hubs(parts);
    const feed = await parts.store.onChange((id) => hubs.#changed(id));
    hubs.#closeFeed = () => feed.close();
    hubs.#timer = setInterval(() => {
      for (const hub of hubs.#open.values()) hub.checkProgress();
    }, PROGRESS_INTERVAL).unref();
    return hubs;
  }

  /** The network's hub, up to date with everything committed before the call. @throws WarrenError `not-found` */
  async current(id: NetworkId): Promise<NetworkHub> {
    const hub = await this.#get(id);
    if (!hub) throw new WarrenError('not-found', 'there is no such network');
    await hub.catchUp();
    return hub;
  }

  /** What agents of the network are told of signal servers, as far as we have heard. @throws WarrenError `not-found` */
  async signalServers(id: NetworkId): Promise<readonly SignalServer[]> {
    const hub = await this.#get(id);
    if (!hub) throw new WarrenError('not-found', 'there is no such network');
    return hub.signalServers;
  }

  /** Tells the agents of all networks which signal servers there are now. */
  signalsChanged(): void {
    for (const hub of this.#open.values()) hub.signalsChanged();
  }

  isOnline(network: NetworkId, node: NodeId): boolean {
    return this.connectedMs(network, node) !== undefined;
  }

  /** For how many milliseconds a stream of the node has been open here; undefined: there is none. */
  connectedMs(network: NetworkId, node: NodeId): number | undefined {
    const hub = this.#open.get(network);
    const session = hub?.sessions.get(node) ?? hub?.waiting.get(node);
    return session && this.parts.now() - session.since;
  }

  /** What the agent of a node sees on its host; nothing while it is not connected here. */
  observed(network: NetworkId, node: NodeId): Observed {
    return this.#open.get(network)?.sessions.get(node)?.observed ?? NOTHING_OBSERVED;
  }

  /** The active members of a network that is open here. */
  members(network: NetworkId): ReadonlyMap<NodeId, NetworkNode> {
    return this.#open.get(network)?.version.decided.network.nodes ?? new Map();
  }

  connected(network: NetworkId): number {
    return this.#open.get(network)?.sessions.size ?? 0;
  }

  /** The networks that somebody follows or reads here. */
  opened(): readonly NetworkHub[] {
    return [...this.#open.values()];
  }

  /** Numbers of each network that is open here. */
  overview(): NetworkOverview[] {
    return [...this.#open].map(([id, { version, sessions, waiting }]) => ({
      id,
      connected: sessions.size + waiting.size,
      activeConnected: sessions.size,
      otherConnected: waiting.size,
      clashing: [...sessions.values()].filter(({ observed }) => observed.lanClashes.length > 0).length,
      nodes: version.decided.network.nodes.size,
      revision: version.revision,
      buffered: [...sessions.values()].reduce((sum, session) => sum + session.buffered, 0),
    }));
  }

  /** Says farewell to everybody. */
  drain(): void {
    for (const hub of this.#open.values()) hub.drain();
  }

  /** Stops following. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const timer of this.#retries.values()) clearTimeout(timer);
    await this.#closeFeed?.();
    this.drain();
  }

  #changed(id: NetworkId): void {
    this.#hubs
      .get(id)
      ?.then((hub) => hub?.follow())
      .catch((error: unknown) => {
        if (error instanceof InvariantError) throw error; // a bug of ours ends the process
        this.parts.log.warn({ err: error, network: id }, 'cannot read changes');
        this.#retry(id);
      });
  }

  /** The store tells of a change once: it does not know that we could not read it, and a revocation must not wait. */
  #retry(id: NetworkId): void {
    if (this.#closed || this.#retries.has(id)) return;
    const again = (): void => {
      this.#retries.delete(id);
      this.#changed(id);
    };
    this.#retries.set(id, setTimeout(again, RETRY_INTERVAL).unref());
  }

  #get(id: NetworkId): Promise<NetworkHub | undefined> {
    const known = this.#hubs.get(id);
    if (known) return known;
    const opening = NetworkHub.open(id, this.parts).then(
      (hub) => {
        if (hub) this.#open.set(id, hub);
        else this.#hubs.delete(id);
        return hub;
      },
      (error: unknown) => {
        this.#hubs.delete(id);
        throw error;
      },
    );
    this.#hubs.set(id, opening);
    return opening;
  }
}
