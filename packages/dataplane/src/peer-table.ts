import { type Endpoint, type Instant, type PublicKey, parseEndpoint, SecretKey } from '@warren/base';
import { encodeSocketAddress } from '@warren/udp';
import type { Device, PathId, PeerConfig } from '@warren/wireguard';
import type { PathTable } from './path-table.js';
import { PrefixOwners } from './prefix-owners.js';
import type { WorkerPeer } from './worker-messages.js';

interface Configured {
  readonly presharedKey: SecretKey | undefined;
  readonly persistentKeepalive: number | undefined;
  /** As configured last; the peer may have roamed since. */
  endpoint: Endpoint | undefined;
}

/**
 * The worker's record of the configured peers: turns whole configurations into what the machine needs to be told,
 * so that a peer that keeps its configuration also keeps its session and the path to which it roamed.
 */
export class PeerTable {
  readonly #peers = new Map<PublicKey, Configured>();
  readonly #prefixes = new PrefixOwners();

  constructor(
    private readonly device: Device,
    private readonly paths: PathTable,
  ) {}

  has(peer: PublicKey): boolean {
    return this.#peers.has(peer);
  }

  /** Removals first, then the peers in order: of two that have the same prefix the later one gets it. */
  change(set: readonly WorkerPeer[], remove: readonly PublicKey[], now: Instant): void {
    for (const peer of remove) this.#remove(peer);
    // All prefixes first: a peer that loses one to a later peer is then set up without it.
    for (const peer of set) this.#prefixes.assign(peer.publicKey, peer.allowedIps);
    for (const peer of set) this.#set(peer, now);
  }

  replace(set: readonly WorkerPeer[], now: Instant): void {
    const stay = new Set(set.map((peer) => peer.publicKey));
    this.change(
      set,
      [...this.#peers.keys()].filter((peer) => !stay.has(peer)),
      now,
    );
  }

  /** Sends to `endpoint` from now on, until an authenticated packet comes from elsewhere. Unknown peers are left alone. */
  setEndpoint(peer: PublicKey, endpoint: Endpoint, now: Instant): void {
    const configured = this.#peers.get(peer);
    if (!configured) return;
    configured.endpoint = endpoint;
    this.#tell(peer, configured, this.#pathOf(endpoint), now);
  }

  /** Overwrites the preshared keys. */
  erase(): void {
    for (const { presharedKey } of this.#peers.values()) presharedKey?.erase();
    this.#peers.clear();
  }

  #set(peer: WorkerPeer, now: Instant): void {
    const former = this.#peers.get(peer.publicKey);
    const configured: Configured = {
      presharedKey: peer.presharedKey && new SecretKey(peer.presharedKey),
      persistentKeepalive: peer.persistentKeepalive,
      endpoint: peer.endpoint ?? former?.endpoint,
    };
    this.#peers.set(peer.publicKey, configured);
    const moved = peer.endpoint !== undefined && peer.endpoint !== former?.endpoint;
    this.#tell(peer.publicKey, configured, moved ? this.#pathOf(peer.endpoint) : undefined, now);
    former?.presharedKey?.erase();
  }

  #remove(peer: PublicKey): void {
    this.device.removePeer(peer);
    this.#prefixes.remove(peer);
    this.#peers.get(peer)?.presharedKey?.erase();
    this.#peers.delete(peer);
  }

  #tell(publicKey: PublicKey, configured: Configured, path: PathId | undefined, now: Instant): void {
    const { presharedKey, persistentKeepalive } = configured;
    const config: PeerConfig = {
      publicKey,
      allowedIps: this.#prefixes.of(publicKey),
      ...(presharedKey && { presharedKey }),
      ...(path !== undefined && { path }),
      ...(persistentKeepalive !== undefined && { persistentKeepalive }),
    };
    this.device.setPeer(config, now);
  }

  #pathOf(endpoint: Endpoint): PathId | undefined {
    const parsed = parseEndpoint(endpoint);
    return parsed && this.paths.intern(encodeSocketAddress(parsed.address, parsed.port));
  }
}
