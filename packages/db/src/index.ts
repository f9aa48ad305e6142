export type { AddressRow, Renumbered, ReservationRow } from './address-api.js';
export { checkDatabase, parseDatabaseUrl } from './connection.js';
export { type Embedded, type EmbeddedOptions, startEmbedded } from './embedded/server.js';
export type { Isolation } from './embedded/unprivileged.js';
export type { KeyOverlap } from './key-store-api.js';
export { migrate } from './migrate.js';
export { type OpenedDatabase, openDatabase } from './open-database.js';
export { DEFAULT_NETWORK, ensureDefaultNetwork, randomUla } from './store/default-network.js';
export { networkNotEmpty } from './store/imports.js';
export { KEY_OVERLAP } from './store/key-rotations.js';
export { openStore } from './store/open-store.js';
export { tokenState } from './store/tokens.js';
export type {
  Actor,
  ChangeRow,
  CloneSighting,
  DueKey,
  JoinInput,
  MemberRow,
  NetworkRow,
  NetworkSettings,
  NetworkState,
  NodeChange,
  NodeCount,
  NodePresence,
  NodeRow,
  OpenStore,
  OpenStoreOptions,
  Page,
  PageQuery,
  Sighting,
  SignTombstone,
  Store,
  TokenRow,
  TokenState,
  TombstoneRow,
  VanillaInput,
  WatchedKind,
  WithdrawCondition,
} from './store-api.js';
export type { ApiKeyRow, PresharedKeyRow } from './store-keys.js';
export type { AuditFilter, AuditRow, EventRow, FirstRequest, KeptAnswer } from './store-requests.js';
export type { FailedSignIns, NewSession, SessionOrigin, SessionRow, UserRow } from './store-sessions.js';
export type { SignalLoad, SignalServerInput, SignalServerRow, SignalTokenRow } from './store-signals.js';
