import { type Endpoint, type Prefix, type PublicKey, SecretKey } from '@warren/base';
import type { DataPlaneKeys, DataPlanePeer, SignallingChange, SignallingOptions } from './data-plane-api.js';
import type { DeviceChange, PeerChange } from './device-settings-api.js';
import { changedAllowedIps } from './peer-table.js';
import { PrefixOwners } from './prefix-owners.js';

interface Recorded {
  /** Set by the handle of the data plane, not by `configure`. */
  readonly managed: boolean;
  readonly presharedKey: SecretKey | undefined;
  readonly persistentKeepalive: number | undefined;
  readonly endpoint: Endpoint | undefined;
  readonly agent?: DataPlanePeer['agent'];
  readonly previousKey?: PublicKey | undefined;
}

/**
 * The main thread's record of what the worker was told, so that a new worker can be told the same. Owns copies of all keys.
 * Prefixes have the owners that the worker's `PeerTable` gives them.
 */
export class RestartRecord {
  /** Absent: none. */
  privateKey: SecretKey | undefined;
  /** As `DataPlaneKeys` has it. */
  #other: SecretKey | undefined;
  #initiateWithOther = false;
  readonly #peers = new Map<PublicKey, Recorded>();
  readonly #prefixes = new PrefixOwners();
  /** Where peers were heard from last; undefined for agents, which paths are looked for to. */
  readonly #heard = new Map<PublicKey, Endpoint | undefined>();
  /** All that was set of it. */
  signalling: SignallingChange = {};

  /** What signalling was started with; absent: there is none. */
  signallingOptions: SignallingOptions | undefined;

  constructor(privateKey: SecretKey | undefined, signalling?: SignallingOptions) {
    this.privateKey = privateKey && copy(privateKey);
    this.signallingOptions = signalling && { ...signalling, pathKey: copy(signalling.pathKey) };
  }

  setKeys({ privateKey, other, initiateWithOther = false }: DataPlaneKeys): void {
    const former = [this.privateKey, this.#other];
    this.privateKey = copy(privateKey);
    this.#other = other && copy(other);
    this.#initiateWithOther = initiateWithOther;
    for (const key of former) key?.erase();
  }

  /** What a new worker has to be told besides the private key that it starts with; the keys stay the record's. */
  twoKeys(): DataPlaneKeys | undefined {
    if (!this.privateKey || !this.#other) return undefined;
    return { privateKey: this.privateKey, other: this.#other, initiateWithOther: this.#initiateWithOther };
  }

  /** What is known of the peer, is known of it by another key. */
  rename(from: PublicKey, to: PublicKey): void {
    const recorded = this.#peers.get(from);
    if (!recorded || this.#peers.has(to)) return;
    this.#peers.delete(from);
    this.#peers.set(to, recorded);
    this.#prefixes.rename(from, to);
    if (this.#heard.has(from)) this.#heard.set(to, this.#heard.get(from));
    this.#heard.delete(from);
  }

  set(peer: DataPlanePeer, endpoint: Endpoint | undefined): void {
    const { publicKey, presharedKey, persistentKeepalive, previousKey } = peer;
    this.#put(publicKey, {
      managed: true,
      presharedKey: presharedKey && copy(presharedKey),
      persistentKeepalive,
      endpoint: endpoint ?? this.#peers.get(publicKey)?.endpoint,
      agent: peer.agent,
      previousKey,
    });
    this.#prefixes.assign(publicKey, peer.allowedIps);
  }

  remove(peer: PublicKey): void {
    this.#peers.get(peer)?.presharedKey?.erase();
    this.#peers.delete(peer);
    this.#prefixes.remove(peer);
    this.#heard.delete(peer);
  }

  heard(peer: PublicKey, endpoint: Endpoint | undefined): void {
    if (this.#peers.has(peer)) this.#heard.set(peer, endpoint);
  }

  /** The name of its endpoint stands for this now, and the worker was told so. */
  resolved(peer: PublicKey, endpoint: Endpoint): void {
    const recorded = this.#peers.get(peer);
    if (!recorded) return;
    this.#peers.set(peer, { ...recorded, endpoint });
    if (this.#heard.get(peer) !== undefined) this.#heard.set(peer, endpoint);
  }

  /** After the worker has applied it. */
  configured(change: DeviceChange): void {
    if (change.privateKey) {
      this.privateKey?.erase();
      this.privateKey = keyUnlessZero(change.privateKey);
    }
    if (change.replacePeers) for (const peer of this.peers(false)) this.remove(peer);
    for (const peer of change.peers) this.#apply(peer);
  }

  /** The peers of the handle, or those of operators. */
  peers(managed: boolean): PublicKey[] {
    return [...this.#peers].filter(([, peer]) => peer.managed === managed).map(([publicKey]) => publicKey);
  }

  /** Peers that we have exchanged something with, and so may again. */
  known(): PublicKey[] {
    return [...this.#heard.keys()];
  }

  /** A managed peer as it was set, with the prefixes that it still has, and where it was heard from last. */
  managedPeer(publicKey: PublicKey): { readonly peer: DataPlanePeer; readonly endpoint: Endpoint | undefined } {
    const { presharedKey, persistentKeepalive, agent, previousKey } = this.#peers.get(publicKey)!;
    const peer: DataPlanePeer = {
      publicKey,
      ...(previousKey !== undefined && { previousKey }),
      allowedIps: this.#prefixes.of(publicKey),
      ...(presharedKey && { presharedKey }),
      ...(persistentKeepalive !== undefined && { persistentKeepalive }),
      ...(agent && { agent }),
    };
    return { peer, endpoint: this.#endpointOf(publicKey) };
  }

  /** What makes the operators' peers again. The keys in it stay the record's. */
  operatorsPeers(): DeviceChange {
    const peers = this.peers(false).map((publicKey): PeerChange => {
      const { presharedKey, persistentKeepalive } = this.#peers.get(publicKey)!;
      const endpoint = this.#endpointOf(publicKey);
      return {
        publicKey,
        remove: false,
        updateOnly: false,
        replaceAllowedIps: true,
        allowedIps: this.#prefixes.of(publicKey).map((prefix: Prefix) => ({ verb: 'add', prefix })),
        ...(presharedKey && { presharedKey }),
        ...(endpoint !== undefined && { endpoint }),
        ...(persistentKeepalive !== undefined && { persistentKeepalive }),
      };
    });
    return { replacePeers: false, peers };
  }

  /** Overwrites all keys. */
  erase(): void {
    this.privateKey?.erase();
    this.privateKey = undefined;
    this.#other?.erase();
    this.#other = undefined;
    this.signallingOptions?.pathKey.erase();
    this.signallingOptions = undefined;
    for (const peer of [...this.#peers.keys()]) this.remove(peer);
  }

  #apply(change: PeerChange): void {
    const { publicKey } = change;
    const former = this.#peers.get(publicKey);
    if (former?.managed) return; // the worker refuses what would change it
    if (change.remove) this.remove(publicKey);
    if (change.remove || (!former && change.updateOnly)) return;
    if (change.endpoint !== undefined) this.#heard.delete(publicKey);
    this.#prefixes.assign(publicKey, changedAllowedIps(this.#prefixes.of(publicKey), change));
    this.#put(publicKey, {
      managed: false,
      presharedKey: change.presharedKey ? keyUnlessZero(change.presharedKey) : former?.presharedKey,
      persistentKeepalive: change.persistentKeepalive ?? former?.persistentKeepalive,
      endpoint: change.endpoint ?? former?.endpoint,
    });
  }

  #put(publicKey: PublicKey, recorded: Recorded): void {
    const former = this.#peers.get(publicKey)?.presharedKey;
    if (former !== recorded.presharedKey) former?.erase();
    this.#peers.set(publicKey, recorded);
  }

  #endpointOf(peer: PublicKey): Endpoint | undefined {
    return this.#heard.get(peer) ?? this.#peers.get(peer)?.endpoint;
  }
}

const copy = (key: SecretKey): SecretKey => new SecretKey(key.expose());

/** In WireGuard's tools 32 zeros stand for no key. */
const keyUnlessZero = (key: SecretKey): SecretKey | undefined =>
  key.expose().some((byte) => byte !== 0) ? copy(key) : undefined;
