import { type Endpoint, type Instant, type Prefix, type PublicKey, parseEndpoint, SecretKey } from '@warren/base';
import type { PathPeer } from '@warren/paths';
import { encodeSocketAddress } from '@warren/udp';
import type { Device, PathId, PeerConfig } from '@warren/wireguard';
import type { PathTable } from './path-table.js';
import { PrefixOwners } from './prefix-owners.js';
import type { WorkerPeer, WorkerPeerChange } from './worker-messages.js';

interface Configured {
  /** Set by the handle of the data plane, not by `configure`. */
  readonly managed: boolean;
  readonly presharedKey: SecretKey | undefined;
  readonly persistentKeepalive: number | undefined;
  /** The key before this one, accepted too. */
  readonly previousKey: PublicKey | undefined;
  /** As configured last; the peer may have roamed since. */
  endpoint: Endpoint | undefined;
  /** An agent whose path somebody else decides. */
  readonly agent: WorkerPeer['agent'];
}

/**
 * The worker's record of the configured peers: turns whole configurations into what the machine needs to be told,
 * so that a peer that keeps its configuration also keeps its session and the path to which it roamed.
 */
export class PeerTable {
  readonly #peers = new Map<PublicKey, Configured>();
  readonly #prefixes = new PrefixOwners();

  /** @param onAgents called when the agents, or what is known of them, may have changed; absent: agents are peers like all others. */
  constructor(
    private readonly device: Device,
    private readonly paths: PathTable,
    private readonly onAgents?: (agents: readonly PathPeer[]) => void,
  ) {}

  has(peer: PublicKey): boolean {
    return this.#peers.has(peer);
  }

  /** Removals first, then the peers in order: of two that have the same prefix the later one gets it. */
  change(set: readonly WorkerPeer[], remove: readonly PublicKey[], now: Instant): void {
    for (const peer of remove) this.#remove(peer);
    const renamed = new Set(set.filter((peer) => this.#rename(peer)));
    // All prefixes first: a peer that loses one to a later peer is then set up without it.
    for (const peer of set) this.#prefixes.assign(peer.publicKey, peer.allowedIps);
    for (const peer of set) this.#set(peer, renamed.has(peer) ? peer.formerKey : undefined, now);
    this.#tellAgents();
  }

  /** Removes the managed peers that are not in `set`. */
  replace(set: readonly WorkerPeer[], now: Instant): void {
    const stay = new Set(set.flatMap(({ publicKey, formerKey }) => [publicKey, formerKey]));
    this.change(
      set,
      [...this.#peers].filter(([peer, { managed }]) => managed && !stay.has(peer)).map(([peer]) => peer),
      now,
    );
  }

  /**
   * Sends to `endpoint` from now on, until an authenticated packet comes from elsewhere; for an agent it is one way more to try.
   * Unknown peers are left alone.
   */
  setEndpoint(peer: PublicKey, endpoint: Endpoint, now: Instant): void {
    const configured = this.#peers.get(peer);
    if (!configured) return;
    configured.endpoint = endpoint;
    this.#tell(peer, configured, this.#pathOf(configured), now);
    if (configured.agent) this.#tellAgents();
  }

  /** The peers that are set, with what they are set to. */
  entries(): IterableIterator<[PublicKey, Readonly<Configured>]> {
    return this.#peers.entries();
  }

  get(peer: PublicKey): Readonly<Configured> | undefined {
    return this.#peers.get(peer);
  }

  allowedIps(peer: PublicKey): readonly Prefix[] {
    return this.#prefixes.of(peer);
  }

  ownerOf(prefix: Prefix): PublicKey | undefined {
    return this.#prefixes.owner(prefix);
  }

  /** What an operator changes of one peer; whether that is permitted was checked. Preshared keys are copied. */
  apply(change: WorkerPeerChange, now: Instant): void {
    const { publicKey } = change;
    const former = this.#peers.get(publicKey);
    if (change.remove) this.#remove(publicKey);
    // A peer that is ourselves is ignored, as in `Device.setPeer`.
    if (change.remove || (!former && change.updateOnly) || publicKey === this.device.publicKey) return;
    this.#prefixes.assign(publicKey, changedAllowedIps(this.allowedIps(publicKey), change));
    const presharedKey = change.presharedKey ? keyUnlessZero(change.presharedKey) : former?.presharedKey;
    const configured: Configured = {
      managed: false,
      previousKey: undefined,
      presharedKey,
      persistentKeepalive: change.persistentKeepalive ?? former?.persistentKeepalive,
      endpoint: change.endpoint ?? former?.endpoint,
      agent: undefined,
    };
    this.#peers.set(publicKey, configured);
    const path = change.endpoint && this.#pathOf(configured);
    if (path !== undefined) this.paths.setSource(path, undefined);
    this.#tell(publicKey, configured, path, now);
    if (former?.presharedKey !== presharedKey) former?.presharedKey?.erase();
  }

  remove(peer: PublicKey): void {
    this.#remove(peer);
  }

  /** Overwrites the preshared keys. */
  erase(): void {
    for (const { presharedKey } of this.#peers.values()) presharedKey?.erase();
    this.#peers.clear();
  }

  /** @returns whether the peer was known by its former key, and is by its new one. */
  #rename({ publicKey, formerKey }: WorkerPeer): boolean {
    const former = formerKey === undefined || formerKey === publicKey ? undefined : this.#peers.get(formerKey);
    if (formerKey === undefined || !former?.managed) return false;
    if (this.#peers.has(publicKey)) {
      this.#remove(formerKey);
      return false;
    }
    this.#peers.delete(formerKey);
    this.#peers.set(publicKey, former);
    this.#prefixes.rename(formerKey, publicKey);
    return true;
  }

  #set(peer: WorkerPeer, formerKey: PublicKey | undefined, now: Instant): void {
    const former = this.#peers.get(peer.publicKey);
    const configured: Configured = {
      managed: true,
      previousKey: peer.previousKey,
      presharedKey: peer.presharedKey && new SecretKey(peer.presharedKey),
      persistentKeepalive: peer.persistentKeepalive,
      endpoint: peer.endpoint ?? former?.endpoint,
      agent: this.onAgents && peer.agent,
    };
    this.#peers.set(peer.publicKey, configured);
    const becameOther = former?.agent !== undefined && configured.agent === undefined;
    const moved = becameOther || (peer.endpoint !== undefined && peer.endpoint !== former?.endpoint);
    this.#tell(peer.publicKey, configured, moved ? this.#pathOf(configured) : undefined, now, formerKey);
    former?.presharedKey?.erase();
  }

  #remove(peer: PublicKey): void {
    this.device.removePeer(peer);
    this.#prefixes.remove(peer);
    this.#peers.get(peer)?.presharedKey?.erase();
    this.#peers.delete(peer);
  }

  #tell(
    publicKey: PublicKey,
    configured: Configured,
    path: PathId | undefined,
    now: Instant,
    formerKey?: PublicKey,
  ): void {
    const { presharedKey, persistentKeepalive, previousKey } = configured;
    const config: PeerConfig = {
      publicKey,
      ...(previousKey !== undefined && { previousKey }),
      ...(formerKey !== undefined && { formerKey }),
      allowedIps: this.#prefixes.of(publicKey),
      ...(presharedKey && { presharedKey }),
      ...(path !== undefined && { path }),
      roams: configured.agent === undefined,
      ...(persistentKeepalive !== undefined && { persistentKeepalive }),
    };
    this.device.setPeer(config, now);
  }

  /** Of what is configured; none for an agent, whose endpoint is only one of its ways. */
  #pathOf({ endpoint, agent }: Configured): PathId | undefined {
    const parsed = endpoint === undefined || agent ? undefined : parseEndpoint(endpoint);
    return parsed && this.paths.intern(encodeSocketAddress(parsed.address, parsed.port));
  }

  #tellAgents(): void {
    if (!this.onAgents) return;
    const agents: PathPeer[] = [];
    for (const [publicKey, { agent, endpoint }] of this.#peers) {
      if (agent) agents.push({ ...agent, publicKey, endpoints: endpoint === undefined ? [] : [endpoint] });
    }
    this.onAgents(agents);
  }
}

/** The prefixes that a peer has after a change, each once. */
export function changedAllowedIps(
  former: readonly Prefix[],
  { replaceAllowedIps, allowedIps }: Pick<WorkerPeerChange, 'replaceAllowedIps' | 'allowedIps'>,
): Set<Prefix> {
  const prefixes = new Set(replaceAllowedIps ? [] : former);
  for (const { verb, prefix } of allowedIps) {
    if (verb === 'add') prefixes.add(prefix);
    else prefixes.delete(prefix);
  }
  return prefixes;
}

/** In WireGuard's tools 32 zeros stand for no key. */
export const keyUnlessZero = (bytes: Uint8Array): SecretKey | undefined =>
  bytes.some((byte) => byte !== 0) ? new SecretKey(bytes) : undefined;
