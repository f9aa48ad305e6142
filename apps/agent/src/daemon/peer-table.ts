import { equalBytes, type NetworkId, type PublicKey, toBase64 } from '@warren/base';
import { type SignedTombstone, type Tombstone, verifyTombstone } from '@warren/identity';
import type { AcceptedPeer } from '../codec/domain.js';
import { type ReadEntry, readPeerEntry } from '../codec/peer-entry.js';
import type { Log } from '../log.js';
import { EntryDigest } from './digest.js';

export interface Position {
  readonly epoch: number;
  readonly revision: number;
}

/** What a snapshot or last known state holds of the peers. */
export interface TableContent {
  readonly peers: readonly Uint8Array[];
  readonly tombstones: readonly SignedTombstone[];
}

export interface TableDelta {
  readonly upsert: readonly Uint8Array[];
  readonly remove: readonly string[];
  readonly tombstones: readonly SignedTombstone[];
}

export interface PeerTableOptions {
  readonly networkId: NetworkId;
  /** Ed25519 public key that signs tombstones. */
  readonly authorityKey: Uint8Array;
  /** As it is now. */
  readonly ownKey: () => PublicKey;
  readonly log: Log;
}

interface HeldEntry {
  readonly bytes: Uint8Array;
  readonly entry: ReadEntry;
}

/**
 * The peer set as the control plane sent it, and what of it is used. Every entry is held, as its bytes, because the
 * digest covers all; **used** are those whose record verifies and that no tombstone names. Tombstones are never
 * forgotten while the membership lasts: they outrank every snapshot, whoever sends it
 * (join-and-sync.md, “Tombstone”).
 */
export class PeerTable {
  readonly #held = new Map<string, HeldEntry>();
  readonly #tombstones = new Map<string, { signed: SignedTombstone; tombstone: Tombstone }>();
  #digest = new EntryDigest();

  constructor(private readonly options: PeerTableOptions) {}

  /** Sets exactly these entries; known tombstones stay. @returns false when something is no entry: nothing changed. */
  replace(content: TableContent): boolean {
    const entries = this.#readAll(content.peers);
    if (!entries) return false;
    this.#addTombstones(content.tombstones);
    this.#held.clear();
    this.#digest = new EntryDigest();
    for (const held of entries) this.#put(held);
    return true;
  }

  /** Removals first. @returns false when something is no entry: nothing changed. */
  change(delta: TableDelta): boolean {
    const entries = this.#readAll(delta.upsert);
    if (!entries) return false;
    this.#addTombstones(delta.tombstones);
    for (const id of delta.remove) this.#take(id);
    for (const held of entries) this.#put(held);
    return true;
  }

  /** Over every entry held, used or not; 32 bytes. */
  digest(): Uint8Array {
    return this.#digest.bytes();
  }

  /** What to write to disk: exactly what came. */
  content(): TableContent {
    return {
      peers: [...this.#held.values()].map(({ bytes }) => bytes),
      tombstones: this.tombstones(),
    };
  }

  /** The entries to use, in order of name. Unchanged entries are the same objects as before. */
  accepted(): AcceptedPeer[] {
    const revoked = this.#revoked();
    const keys = new Set<string>([this.options.ownKey()]);
    const used: AcceptedPeer[] = [];
    for (const { entry } of this.#held.values()) {
      if (!('accepted' in entry)) continue;
      const peer = entry.accepted;
      // Two entries with one key would take each other's sessions and routes: the first one stays.
      if (revoked.nodes.has(peer.id) || revoked.keys.has(peer.publicKey) || keys.has(peer.publicKey)) continue;
      if (peer.dataPlane?.previousKey && revoked.keys.has(peer.dataPlane.previousKey)) continue;
      keys.add(peer.publicKey);
      used.push(peer);
    }
    return used.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Whether a verified tombstone names this node or key. */
  isRevoked(id: string, key: PublicKey): boolean {
    const revoked = this.#revoked();
    return revoked.nodes.has(id) || revoked.keys.has(key);
  }

  /**
   * Takes up one tombstone, whoever brings it. @returns `new` when it was taken up, `refused` when the network did not
   * sign it.
   */
  addTombstone(signed: SignedTombstone): 'new' | 'known' | 'refused' {
    const key = toBase64(signed.tombstone);
    if (this.#tombstones.has(key)) return 'known';
    const tombstone = verifyTombstone(this.options.authorityKey, signed);
    if (tombstone?.networkId !== this.options.networkId) return 'refused';
    this.#tombstones.set(key, { signed, tombstone });
    return 'new';
  }

  /** All that are known, as they were signed. */
  tombstones(): SignedTombstone[] {
    return [...this.#tombstones.values()].map(({ signed }) => signed);
  }

  #revoked(): { nodes: Set<string>; keys: Set<string> } {
    const stones = [...this.#tombstones.values()].map(({ tombstone }) => tombstone);
    return {
      nodes: new Set(stones.map((stone) => stone.nodeId)),
      keys: new Set(stones.map((stone) => stone.wireguardKey)),
    };
  }

  #readAll(all: readonly Uint8Array[]): HeldEntry[] | undefined {
    const entries: HeldEntry[] = [];
    for (const bytes of all) {
      const entry = readPeerEntry(bytes, this.options.networkId);
      if (!entry) return undefined;
      // Verifying a signature costs a millisecond, comparing bytes nothing: a resync re-reads what has not changed.
      const known = this.#held.get(entry.id);
      entries.push(known && equalBytes(known.bytes, bytes) ? known : { bytes, entry });
    }
    return entries;
  }

  #put(held: HeldEntry): void {
    const { entry, bytes } = held;
    this.#take(entry.id);
    this.#held.set(entry.id, held);
    this.#digest.add(bytes);
    if ('refused' in entry) this.options.log('warn', `peer ${printable(entry.id)} is not used: ${entry.refused}`);
  }

  #take(id: string): void {
    const known = this.#held.get(id);
    if (!known) return;
    this.#held.delete(id);
    this.#digest.subtract(known.bytes);
  }

  #addTombstones(all: readonly SignedTombstone[]): void {
    for (const signed of all) {
      if (this.addTombstone(signed) !== 'refused') continue;
      this.options.log('warn', 'a tombstone is not used: the network did not sign it');
    }
  }
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
