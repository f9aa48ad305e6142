import type { HostPort, IpAddress, NetworkId, NodeId, Prefix, PublicKey } from '@warren/base';
import type {
  ConfSettings,
  ConfSettingsPatch,
  Network,
  NetworkNode,
  NodeKind,
  NodeStatus,
  Role,
  SignedRecord,
} from '@warren/topology';
import type { AddressStore } from './address-api.js';
import type { ImportStore } from './import-api.js';
import type { KeyStore } from './key-store-api.js';
import type { StoreKeys } from './store-keys.js';
import type { NodeFilter, StoreRequests } from './store-requests.js';
import type { StoreSessions } from './store-sessions.js';
import type { StoreSignals } from './store-signals.js';

/** How many nodes of a network have this status and kind; of how many of them a second copy was noticed. */
export interface NodeCount {
  readonly networkId: NetworkId;
  readonly status: NodeStatus;
  readonly kind: NodeKind;
  readonly count: number;
  readonly clones: number;
}

/** Who did it, for the audit log: `apikey:<id>`, `control`, `local`, `nobody`, `node:<id>`, `token:<id>`, `user:<name>`. */
export type Actor = string;

/** A network without its nodes; `revision` is its newest, starting at 1. */
export interface NetworkRow {
  readonly id: NetworkId;
  readonly name: string;
  readonly cidrs: readonly Prefix[];
  readonly mtu: number;
  /** Addresses are handed out of these; empty: of all `cidrs`. */
  readonly pools: readonly Prefix[];
  readonly settings: ConfSettings;
  /** Milliseconds; 0: without limit. */
  readonly offlineToleranceMs: number;
  /** Milliseconds; null: for ever. */
  readonly keyExpiryMs: number | null;
  /** Milliseconds; null: never. */
  readonly keyRotationMs: number | null;
  /** Milliseconds; null: as the control plane is set. */
  readonly ephemeralAfterMs: number | null;
  readonly epoch: number;
  readonly revision: number;
  readonly createdAt: Date;
}

/** A node as the control plane knows it. A revoked one has no addresses: they rest. */
export interface NodeRow extends Omit<NetworkNode, 'publicKey'> {
  /** Null: a pending vanilla member whose key is still to be told. */
  readonly publicKey: PublicKey | null;
  readonly keyChangedAt: Date;
  /** A disabled node is `pending` again. */
  readonly disabledAt: Date | null;
  /** When a second copy of its state directory was noticed. */
  readonly cloneNoticedAt: Date | null;
  /** When its config key was made; null: it has none. */
  readonly configKeyCreatedAt: Date | null;
  /** Until when its previous key is accepted. */
  readonly overlapUntil: Date | null;
  readonly networkId: NetworkId;
  readonly status: NodeStatus;
  readonly tags: readonly string[];
  readonly ephemeral: boolean;
  readonly listenPort: number | null;
  /** The last start generation that an agent of this node reported (see `claimGeneration`). */
  readonly startGeneration: number;
  /** When it was last seen, as `noteSightings` was told. */
  readonly lastSeenAt: Date | null;
  readonly agentVersion: string | null;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

/** That a node was there, and with which agent; absent: nothing is known of that. */
export interface Sighting {
  readonly id: NodeId;
  readonly at: Date;
  readonly agentVersion?: string;
}

/** A node of a network as the topology shows it. */
export type MemberRow = Pick<
  NodeRow,
  | 'id'
  | 'name'
  | 'role'
  | 'kind'
  | 'status'
  | 'tags'
  | 'addresses'
  | 'disabledAt'
  | 'cloneNoticedAt'
  | 'keyExpiresAt'
  | 'lastSeenAt'
  | 'agentVersion'
> & { readonly endpoint: string | null };

/** Nodes whose going has consequences: bounces are left by their members, ephemeral nodes removed. A node may be both. */
export type WatchedKind = 'bounce' | 'ephemeral';

/** An agent of such a kind as the replicas have seen it, by the database's clock. Ephemeral ones may be pending or expired. */
export interface NodePresence {
  readonly id: NodeId;
  readonly networkId: NetworkId;
  readonly unavailable: boolean;
  /** How long its network lets ephemeral nodes be gone, milliseconds; null: as the control plane is set. */
  readonly ephemeralAfterMs: number | null;
  /** Milliseconds since a replica had its stream open; since it joined, if none ever had. */
  readonly unseenMs: number;
}

/** What becomes of a key that runs out: the time to warn has come, or the time is over. */
export interface DueKey {
  readonly id: NodeId;
  readonly networkId: NetworkId;
  readonly name: string;
  readonly due: 'warning' | 'expiry';
  readonly keyExpiresAt: Date;
}

/** Where a second copy of a state directory was noticed. */
export interface CloneSighting {
  /** The start generation that the copy said. */
  readonly startGeneration: number;
  /** Where it came from, as far as that is known. */
  readonly from: string | null;
}

/** How long a bounce has to have been silent, and how recently another one heard, for the first to be withdrawn. */
export interface WithdrawCondition {
  readonly unseenMs: number;
  readonly freshMs: number;
}

/** A join token without its secret, which nobody can read back. */
export interface TokenRow {
  /** Public part of the token, printable. */
  readonly id: string;
  readonly networkId: NetworkId;
  readonly name: string | null;
  readonly role: Role | null;
  readonly tags: readonly string[];
  readonly ephemeral: boolean;
  /** Who joins with it waits for approval. */
  readonly approval: boolean;
  /** Null: without limit. */
  readonly maxUses: number | null;
  readonly uses: number;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
}

/** Whether a token lets anybody in, and if not, why; the first reason that holds in the order revoked, expired, used up. */
export type TokenState = 'usable' | 'used-up' | 'expired' | 'revoked';

/** What may change in a network; what is absent stays. Durations in milliseconds. */
export interface NetworkSettings {
  readonly name?: string;
  readonly mtu?: number;
  readonly pools?: readonly string[];
  readonly settings?: ConfSettingsPatch;
  /** 0: without limit. */
  readonly offlineToleranceMs?: number;
  /** Null: for ever. Keys in use get what is left of it, and never less than the time of warning. */
  readonly keyExpiryMs?: number | null;
  readonly keyRotationMs?: number | null;
  readonly ephemeralAfterMs?: number | null;
}

/** What may change in a node; what is absent stays. */
export interface NodeChange {
  readonly name?: string;
  /** Direct and bounce nodes need an endpoint, clients have none. */
  readonly role?: Role;
  readonly tags?: readonly string[];
  readonly endpoint?: HostPort;
  readonly listenPort?: number;
  /** Of a bounce's signal server; null: it runs none. */
  readonly signalPort?: number | null;
  /** Of a vanilla member: a first key makes it active, another one cuts it off until it uses that. */
  readonly publicKey?: PublicKey;
  readonly settings?: ConfSettingsPatch;
  /** Those that it shall have; a family that is left out stays. */
  readonly addresses?: readonly IpAddress[];
}

/** One row of a network's change log. Old and new values, so that a resume also removes what was visible before. */
export interface ChangeRow {
  readonly revision: number;
  readonly nodeId: NodeId | null;
  /** The node as it was seen by others; null: it was not. */
  readonly before: NetworkNode | null;
  readonly after: NetworkNode | null;
  /** Set when the change is a revocation. */
  readonly tombstone: TombstoneRow | null;
  /** The network itself changed (CIDRs, MTU): resume by snapshot. */
  readonly networkChanged: boolean;
  /** The pair (`pairId`) whose preshared key is another one now: ask for `presharedKeys`. */
  readonly pair?: string;
}

/** A member that runs any WireGuard. Without a key it is pending, its addresses reserved, until its key is set. */
export interface VanillaInput {
  readonly networkId: NetworkId;
  readonly name: string;
  readonly role: Role;
  readonly publicKey?: PublicKey;
  readonly endpoint?: HostPort;
  readonly tags?: readonly string[];
  readonly settings?: ConfSettings;
  /** One of a family, or of both; a family that is left out is found. */
  readonly addresses?: readonly IpAddress[];
}

/** A new vanilla member, and the secret that reads its files, which is kept hashed. */
export interface CreatedVanilla extends NodeRow {
  readonly configKey: string;
}

/** Encoded and signed by the caller's `signTombstone` inside the revoking transaction. */
export interface TombstoneRow {
  readonly tombstone: Uint8Array;
  readonly signature: Uint8Array;
}

/** A whole network at one position, (epoch, revision). */
export interface NetworkState {
  readonly network: Network;
  readonly epoch: number;
  readonly revision: number;
  readonly tombstones: readonly TombstoneRow[];
}

/** What a host sends to join. The caller has verified the record's signature and the possession of the keys. */
export interface JoinInput {
  readonly tokenId: string;
  readonly tokenSecret: Uint8Array;
  readonly nodeId: NodeId;
  readonly name: string;
  /** Null: the token's, else client. */
  readonly role: Role | null;
  readonly endpoint: HostPort | null;
  readonly listenPort: number | null;
  readonly publicKey: PublicKey;
  readonly record: SignedRecord;
}

/** A part of a list; `nextCursor` asks for the next, null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Which part of a list is wanted; by default the first 100. */
export interface PageQuery {
  /** 1 to 500. */
  readonly limit?: number;
  readonly cursor?: string;
}

/**
 * Everything that the control plane keeps. Each writing method is one transaction: rows, the network's next revision
 * (`UPDATE network SET revision = revision + 1 … RETURNING`, the row lock held to commit), the change log, the audit
 * row, and `NOTIFY`. Methods throw `WarrenError` with the code given at each; other errors are the database's.
 */
export interface Store
  extends AddressStore,
    ImportStore,
    KeyStore,
    StoreKeys,
    StoreRequests,
    StoreSessions,
    StoreSignals {
  createNetwork(
    input: { name: string; cidrs: readonly Prefix[]; mtu?: number; pools?: readonly string[] },
    actor: Actor,
  ): Promise<NetworkRow>; // name-taken, bad-request
  listNetworks(page?: PageQuery): Promise<Page<NetworkRow>>;
  /** By id or by name. */
  findNetwork(idOrName: string): Promise<NetworkRow | undefined>;
  updateNetwork(id: NetworkId, change: NetworkSettings, actor: Actor): Promise<NetworkRow>; // not-found, name-taken, bad-request
  /** Refuses a network that still has active nodes. */
  deleteNetwork(id: NetworkId, actor: Actor): Promise<void>; // not-found, network-not-empty

  /** The secret (32 bytes) is returned once and kept hashed. */
  createToken(
    input: {
      networkId: NetworkId;
      name?: string | null;
      role?: Role;
      tags?: readonly string[];
      ephemeral?: boolean;
      approval?: boolean;
      maxUses?: number | null;
      expiresAt?: Date | null;
    },
    actor: Actor,
  ): Promise<{ token: TokenRow; secret: Uint8Array }>; // not-found
  listTokens(filter?: { networkId?: NetworkId; state?: TokenState } & PageQuery): Promise<Page<TokenRow>>;
  findToken(id: string): Promise<TokenRow | undefined>;
  revokeToken(id: string, actor: Actor): Promise<void>; // not-found
  /** Looks without spending. `token-unknown` also for a wrong secret. */
  checkToken(id: string, secret: Uint8Array): Promise<{ token: TokenRow; network: NetworkRow }>; // token-unknown, token-expired, token-revoked, token-used-up

  /**
   * Idempotent by (token, identity key): the same answer again, without a second use. An expired node comes back as what
   * it was, for a use of a token that is still good; with another WireGuard key, if it has one.
   */
  join(input: JoinInput, actor: Actor): Promise<{ node: NodeRow; network: NetworkRow; repeated: boolean }>; // token-…, name-taken, key-banned, key-taken, role-conflict, endpoint-missing, addresses-exhausted
  createVanilla(input: VanillaInput, actor: Actor): Promise<CreatedVanilla>; // not-found, name-taken, key-banned, key-taken, addresses-exhausted, address-taken
  listNodes(filter?: NodeFilter & PageQuery): Promise<Page<NodeRow>>;
  /** By id, or by name within a network. */
  findNode(idOrName: string, networkId?: NetworkId): Promise<NodeRow | undefined>;
  findNodeByIdentity(identityKey: Uint8Array, networkId?: NetworkId): Promise<NodeRow | undefined>;
  updateNode(id: NodeId, change: NodeChange, actor: Actor): Promise<NodeRow>; // not-found, name-taken, node-revoked, endpoint-missing, not-vanilla, key-banned, key-taken, address-taken, bad-request
  /** A pending node, disabled or never let in, is active from now on. Approving twice is fine. */
  approveNode(id: NodeId, actor: Actor): Promise<NodeRow>; // not-found, node-revoked, node-expired, public-key-missing
  /** An active node is pending again: nobody sees it, its agent waits. Disabling twice is fine. */
  disableNode(id: NodeId, actor: Actor): Promise<NodeRow>; // not-found, node-not-active
  /**
   * Sets when an agent's key expires; null: never; absent: as its network says, from now. An expired node is active
   * again with it.
   */
  extendNode(id: NodeId, expiresAt: Date | null | undefined, actor: Actor): Promise<NodeRow>; // not-found, node-revoked, bad-request
  /** Keys of active agents that run out, and that nobody has acted upon. */
  dueKeys(): Promise<readonly DueKey[]>;
  /** Turns a node whose key has run out `expired`. False, and no revision: it has not, or not any more. */
  expireNode(id: NodeId, actor: Actor): Promise<boolean>; // not-found
  /** Writes once into the audit log that a key is about to run out. False: somebody has. */
  warnOfExpiry(id: NodeId, actor: Actor): Promise<boolean>;
  /** Keeps that a second copy of a node's state directory was noticed. False: that is known, and nobody has seen to it. */
  noteClone(id: NodeId, sighting: CloneSighting, actor: Actor): Promise<boolean>;
  /** The operator has seen to it. */
  clearClone(id: NodeId, actor: Actor): Promise<NodeRow>; // not-found
  /** Bans the node's keys, rests its addresses, writes the tombstone. Revoking twice is fine. */
  revokeNode(id: NodeId, actor: Actor): Promise<NodeRow>; // not-found
  /** Removes a node for good: a leave, or the deletion of a revoked one. Its addresses rest; its keys are not banned unless revoked. */
  deleteNode(id: NodeId, actor: Actor): Promise<void>; // not-found
  /**
   * Takes a start generation if it is newer than the last, or equal to it with `resuming`. False: a clone, or no node.
   * An ephemeral node counts as seen with it, so that it is not removed while a stream begins.
   */
  claimGeneration(id: NodeId, generation: number, resuming: boolean): Promise<boolean>;

  /** Notes that these watched nodes have a stream open now. Observed state: no revision, nobody is told. */
  noteSeen(ids: readonly NodeId[]): Promise<void>;
  /** Keeps when nodes were last seen, for people. Observed state: no revision, nobody is told; an older time is left out. */
  noteSightings(sightings: readonly Sighting[]): Promise<void>;
  /** Every node of a network but the revoked ones, by id; in one statement, as there may be thousands. */
  members(network: NetworkId): Promise<readonly MemberRow[]>;
  /** The active agents of all networks that are of this kind. */
  presences(kind: WatchedKind): Promise<readonly NodePresence[]>;
  /**
   * Removes an ephemeral node for good, as `deleteNode`, if no replica has seen it for longer than `unseenMs`
   * milliseconds. False, and no revision, otherwise: one that is back stays, and of several replicas one decides.
   */
  removeEphemeral(id: NodeId, unseenMs: number, actor: Actor): Promise<boolean>; // not-found
  /**
   * Decides that nobody shall be homed at a bounce, if it is still silent and another one that is available is not.
   * False, and no revision, otherwise: of several replicas that see the same, one decides.
   */
  withdrawBounce(id: NodeId, condition: WithdrawCondition, actor: Actor): Promise<boolean>; // not-found
  /** Takes that back. False: it was available. */
  restoreBounce(id: NodeId, actor: Actor): Promise<boolean>; // not-found

  loadNetwork(id: NetworkId): Promise<NetworkState | undefined>;
  /** Rows after `revision`, oldest first; undefined when the log no longer reaches back that far: send a snapshot. */
  changesSince(id: NetworkId, revision: number): Promise<readonly ChangeRow[] | undefined>;
  /** Cuts every network's change log to its last `keep` rows (default 10,000; also done as it grows). Gives how many went. */
  pruneChanges(keep?: number): Promise<number>;
  /** Calls back after each commit that changed a network, ours or another replica's; also now and then without one. */
  onChange(listener: (id: NetworkId) => void): Promise<{ close(): Promise<void> }>;

  /** Returns the stored value, or stores and returns what `make` gives: the first writer wins across replicas. Sealed at rest. */
  secret(name: string, make: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array>;

  /** Signed revocations of one network, or of all, of the last `ageMs` milliseconds. */
  tombstones(ageMs: number, network?: NetworkId): Promise<readonly TombstoneRow[]>;

  ping(): Promise<void>;
  /** Of all networks, for metrics. */
  nodeCounts(): Promise<readonly NodeCount[]>;
  /** Names of this version's migrations that the database lacks. */
  missingMigrations(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** What a revocation is signed with: made by the control plane, called inside the transaction. */
export type SignTombstone = (subject: {
  networkId: NetworkId;
  nodeId: NodeId;
  publicKey: PublicKey;
  identityKey: Uint8Array | null;
  revokedAt: Date;
}) => TombstoneRow;

/** What a store needs; several replicas may open one database with the same sealing key. */
export interface OpenStoreOptions {
  readonly url: string;
  /** Seals `secret` values at rest, 32 bytes: from the data dir, or from the environment with an external database. */
  readonly sealingKey: Uint8Array;
  readonly signTombstone: SignTombstone;
  /** How long a freed address stays unused, milliseconds. */
  readonly addressRest?: number;
  /** How often `onChange` looks without having been told, milliseconds. */
  readonly pollInterval?: number;
}

/**
 * Opens the store, migrating the database first. Throws `WarrenError`: `database-…`, `migration-…`, `sealing-key-
 * wrong`.
 */
export type OpenStore = (options: OpenStoreOptions) => Promise<Store>;
