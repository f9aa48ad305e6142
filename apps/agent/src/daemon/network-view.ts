import { fromBase64, type PublicKey } from '@warren/base';
import type { SignedTombstone } from '@warren/identity';
import type { Delta, SelfConfig, Snapshot, SyncRequest } from '@warren/proto';
import type { AcceptedPeer, SelfDescription } from '../codec/domain.js';
import { decodeSelf } from '../codec/self-config.js';
import {
  decodeLastKnown,
  encodeLastKnown,
  heartbeatOf,
  positionFromWire,
  samePosition,
  ZERO_POSITION,
} from '../codec/sync.js';
import type { Log } from '../log.js';
import type { Membership } from '../state/membership.js';
import type { Names } from './named-log.js';
import { PeerTable, type Position } from './peer-table.js';

/**
 * What this node knows of its network: position, itself, peers. Changed by what the control plane sends and by
 * nothing else; each change is whole or does not happen.
 */
export class NetworkView {
  #position: Position = ZERO_POSITION;
  #self: SelfConfig | undefined;
  readonly #table: PeerTable;

  constructor(
    private readonly membership: Membership,
    private readonly ownKey: () => PublicKey,
    log: Log,
  ) {
    const authorityKey = fromBase64(membership.authorityKey) ?? new Uint8Array(0);
    this.#table = new PeerTable({ networkId: membership.networkId, authorityKey, ownKey, log });
  }

  get position(): Position {
    return this.#position;
  }

  get self(): SelfDescription | undefined {
    return this.#self && decodeSelf(this.#self);
  }

  peers(): AcceptedPeer[] {
    return this.#table.accepted();
  }

  /** For the log. */
  readonly names: Names = {
    peer: (publicKey) =>
      this.peers().find((peer) => peer.publicKey === publicKey || peer.dataPlane?.previousKey === publicKey)?.name,
    server: (id) => this.self?.signalServers.find((server) => server.id === id)?.name,
  };

  /** Takes up what was on disk. @returns false when it is damaged: the view stays empty. */
  restore(bytes: Uint8Array): boolean {
    const known = decodeLastKnown(bytes);
    if (!known || !this.#table.replace(known)) return false;
    this.#position = known.position;
    this.#self = known.self;
    return true;
  }

  /** For the disk. @returns undefined before anything is known. */
  encode(): Uint8Array | undefined {
    const self = this.#self;
    return self && encodeLastKnown({ position: this.#position, self, ...this.#table.content() });
  }

  /** @returns false when the snapshot is malformed: nothing changed. */
  applySnapshot(snapshot: Snapshot): boolean {
    if (!snapshot.self || !this.#table.replace(snapshot)) return false;
    this.#position = positionFromWire(snapshot.position);
    this.#self = snapshot.self;
    return true;
  }

  /** @returns false when it does not begin where we stand, or is malformed: nothing changed. */
  applyDelta(delta: Delta): boolean {
    if (!samePosition(positionFromWire(delta.from), this.#position) || !this.#table.change(delta)) return false;
    this.#position = positionFromWire(delta.to);
    this.#self = delta.self ?? this.#self;
    return true;
  }

  /** Takes up a tombstone that came by another way than the control plane. */
  addTombstone(signed: SignedTombstone): 'new' | 'known' | 'refused' {
    return this.#table.addTombstone(signed);
  }

  /** All that are known of the network. */
  tombstones(): SignedTombstone[] {
    return this.#table.tombstones();
  }

  /** Whether a tombstone names this node itself. */
  isRevoked(): boolean {
    return this.#table.isRevoked(this.membership.nodeId, this.ownKey());
  }

  /** Over all entries held; 32 bytes. */
  digest(): Uint8Array {
    return this.#table.digest();
  }

  heartbeat(): SyncRequest {
    return heartbeatOf(this.#position, this.digest());
  }
}
