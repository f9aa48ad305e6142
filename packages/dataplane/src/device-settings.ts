import {
  type Endpoint,
  equalBytes,
  type Instant,
  ipFamily,
  type PublicKey,
  parseEndpoint,
  SecretKey,
  type UnixMillis,
  WarrenError,
} from '@warren/base';
import type { Device } from '@warren/wireguard';
import type { PathTable } from './path-table.js';
import { changedAllowedIps, keyUnlessZero, type PeerTable } from './peer-table.js';
import type {
  WorkerDeviceChange,
  WorkerDeviceSettings,
  WorkerKeys,
  WorkerPeerChange,
  WorkerPeerSettings,
} from './worker-messages.js';

/** The sockets as far as settings need them. */
export interface SettableSockets {
  readonly port: number;
  readonly fwmark: number;
  readonly families: readonly (4 | 6)[];
  /** Both throw WarrenError and leave everything as it was when they cannot. */
  rebind(port: number): void;
  setMark(fwmark: number): void;
}

export interface DeviceSettingsParts {
  readonly device: Device;
  readonly peers: PeerTable;
  readonly paths: PathTable;
  readonly sockets: SettableSockets;
  /** Whether the private key may be changed. */
  readonly standalone: boolean;
  /** Fresh random bytes. */
  readonly random: (length: number) => Uint8Array;
}

interface PeerState {
  readonly endpoint: Endpoint | undefined;
  readonly lastHandshake: UnixMillis | undefined;
  readonly rxBytes: number;
  readonly txBytes: number;
}

const NO_KEY = new Uint8Array(32);

/**
 * What the host's operator sees and changes of an interface (`DataPlane.settings`, `DataPlane.configure`). The rule of
 * who may change what is docs/adr/0016: peers of the control plane and, unless standalone, the private key are its own.
 */
export class DeviceSettingsKeeper {
  /** Absent: the device has a random one that nobody knows, so that nobody can have a session. */
  #privateKey: SecretKey | undefined;

  /** Copies the key. */
  constructor(
    private readonly parts: DeviceSettingsParts,
    privateKey: SecretKey | undefined,
  ) {
    this.#privateKey = privateKey && new SecretKey(privateKey.expose());
  }

  /** Keys in it are copies. */
  settings(): WorkerDeviceSettings {
    const { peers, sockets } = this.parts;
    const stats = this.#statsByPeer();
    return {
      privateKey: this.#privateKey && Uint8Array.from(this.#privateKey.expose()),
      listenPort: sockets.port,
      fwmark: sockets.fwmark,
      peers: Array.from(peers.entries(), ([publicKey, configured]): WorkerPeerSettings => {
        const found = stats.get(publicKey);
        return {
          publicKey,
          managed: configured.managed,
          presharedKey: configured.presharedKey && Uint8Array.from(configured.presharedKey.expose()),
          persistentKeepalive: configured.persistentKeepalive ?? 0,
          allowedIps: peers.allowedIps(publicKey),
          endpoint: found?.endpoint,
          lastHandshake: found?.lastHandshake,
          rxBytes: found?.rxBytes ?? 0,
          txBytes: found?.txBytes ?? 0,
        };
      }),
    };
  }

  /**
   * What can fail comes first, so that nothing is half done. The caller wipes the keys in `change`.
   * @throws WarrenError see `DataPlane.configure`.
   */
  configure(change: WorkerDeviceChange, now: Instant): void {
    this.#check(change);
    const { sockets, peers } = this.parts;
    const formerMark = sockets.fwmark;
    if (change.fwmark !== undefined) sockets.setMark(change.fwmark);
    try {
      if (change.listenPort !== undefined) sockets.rebind(change.listenPort);
    } catch (error) {
      sockets.setMark(formerMark);
      throw error;
    }
    if (change.privateKey) this.#setPrivateKey(change.privateKey, now);
    if (change.replacePeers) {
      for (const [peer, { managed }] of [...peers.entries()]) if (!managed) peers.remove(peer);
    }
    for (const peer of change.peers) {
      // A change of a managed peer is one that changes nothing, else it would have been refused.
      if (!peers.get(peer.publicKey)?.managed) peers.apply(peer, now);
    }
  }

  /** The owner of the data plane has other keys; the caller wipes those in the message. */
  setKeys({ privateKey, other, initiateWithOther, endSessions }: WorkerKeys, now: Instant): void {
    const { device } = this.parts;
    this.erase();
    this.#privateKey = new SecretKey(privateKey);
    const also = other && new SecretKey(other);
    if (endSessions) device.setPrivateKey(this.#privateKey, now);
    device.setLocalKeys(
      { privateKey: this.#privateKey, ...(also && { other: also }), ...(initiateWithOther && { initiateWithOther }) },
      now,
    );
    also?.erase();
  }

  /** Overwrites the private key. */
  erase(): void {
    this.#privateKey?.erase();
    this.#privateKey = undefined;
  }

  #setPrivateKey(bytes: Uint8Array, now: Instant): void {
    const { device, peers, random } = this.parts;
    if (equalBytes(bytes, this.#privateKey?.expose() ?? NO_KEY)) return;
    this.erase();
    this.#privateKey = keyUnlessZero(bytes);
    const key = this.#privateKey ?? new SecretKey(random(32));
    device.setPrivateKey(key, now);
    if (!this.#privateKey) key.erase();
    peers.remove(device.publicKey);
  }

  #check(change: WorkerDeviceChange): void {
    const { standalone } = this.parts;
    if (change.privateKey && !standalone && !equalBytes(change.privateKey, this.#privateKey?.expose() ?? NO_KEY)) {
      throw new WarrenError(
        'not-permitted',
        'the private key belongs to the identity of this node and cannot be set here: use `agent rotate-key`',
      );
    }
    const stats = lazily(() => this.#statsByPeer());
    for (const peer of change.peers) {
      this.#checkFamily(peer);
      const configured = this.parts.peers.get(peer.publicKey);
      if (!configured?.managed) this.#checkPrefixes(peer);
      else if (this.#changesManaged(peer, stats)) {
        throw new WarrenError(
          'not-permitted',
          `peer ${peer.publicKey} was set by the control plane: change or revoke it there`,
        );
      }
    }
  }

  #checkFamily({ publicKey, endpoint }: WorkerPeerChange): void {
    const parsed = endpoint === undefined ? undefined : parseEndpoint(endpoint);
    if (!parsed || this.parts.sockets.families.includes(ipFamily(parsed.address))) return;
    const family = ipFamily(parsed.address);
    throw new WarrenError(
      'no-address-family',
      `the endpoint of peer ${publicKey} needs IPv${family}, which this host does not have`,
    );
  }

  #checkPrefixes({ publicKey, allowedIps }: WorkerPeerChange): void {
    const { peers } = this.parts;
    for (const { verb, prefix } of allowedIps) {
      const owner = verb === 'add' ? peers.ownerOf(prefix) : undefined;
      if (owner === undefined || owner === publicKey || !peers.get(owner)?.managed) continue;
      throw new WarrenError(
        'not-permitted',
        `${prefix} belongs to peer ${owner}, which the control plane set: choose another prefix for ${publicKey}`,
      );
    }
  }

  #changesManaged(change: WorkerPeerChange, stats: () => Map<PublicKey, PeerState>): boolean {
    const { peers } = this.parts;
    const former = peers.get(change.publicKey);
    if (change.remove) return true;
    if (change.presharedKey && !equalBytes(change.presharedKey, former?.presharedKey?.expose() ?? NO_KEY)) return true;
    const { persistentKeepalive: keepalive = former?.persistentKeepalive, endpoint = former?.endpoint } = change;
    if ((keepalive ?? 0) !== (former?.persistentKeepalive ?? 0)) return true;
    if (endpoint !== former?.endpoint && endpoint !== stats().get(change.publicKey)?.endpoint) return true;
    const before = peers.allowedIps(change.publicKey);
    const after = changedAllowedIps(before, change);
    return after.size !== before.length || !before.every((prefix) => after.has(prefix));
  }

  #statsByPeer(): Map<PublicKey, PeerState> {
    const { device, paths } = this.parts;
    return new Map(
      Array.from(device.peers(), ({ publicKey, path, lastHandshake, rxBytes, txBytes }) => [
        publicKey,
        { endpoint: path === undefined ? undefined : paths.endpoint(path), lastHandshake, rxBytes, txBytes },
      ]),
    );
  }
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
