import { toBase64 } from '@warren/base';
import {
  type ApiKeyRow,
  type AuditRow,
  type NetworkRow,
  type NodeRow,
  type Page,
  type PageQuery,
  type SignalServerRow,
  type SignalTokenRow,
  type TokenRow,
  tokenState,
} from '@warren/db';
import { hooksOf } from '@warren/topology';
import type { z } from 'zod';
import type { Hubs } from '../hub/hubs.js';
import { hooksView, settingsView } from './conf-settings-schemas.js';
import type {
  ApiKeyView,
  AuditView,
  NetworkView,
  NodeView,
  SignalServerView,
  SignalTokenView,
  TokenView,
} from './schemas.js';

const time = (date: Date): string => date.toISOString();

const timeOrNull = (date: Date | null): string | null => date && time(date);

export const networkView = (row: NetworkRow): z.infer<typeof NetworkView> => ({
  id: row.id,
  name: row.name,
  cidrs: [...row.cidrs],
  pools: [...row.pools],
  mtu: row.mtu,
  settings: settingsView(row.settings),
  hooks: hooksView(hooksOf(row.settings)),
  offlineToleranceMs: row.offlineToleranceMs,
  keyExpiryMs: row.keyExpiryMs,
  keyRotationMs: row.keyRotationMs,
  ephemeralAfterMs: row.ephemeralAfterMs,
  epoch: row.epoch,
  revision: row.revision,
  createdAt: time(row.createdAt),
});

/** `online` is derived from the streams that are open here, never stored (ARCHITECTURE.md, “Life of a change”). */
export const nodeView = (row: NodeRow, network: string, hubs: Hubs): z.infer<typeof NodeView> => ({
  id: row.id,
  networkId: row.networkId,
  network,
  name: row.name,
  role: row.role,
  kind: row.kind,
  status: row.status,
  publicKey: row.publicKey,
  addresses: [...row.addresses],
  endpoint: row.endpoint ?? null,
  listenPort: row.listenPort,
  online: row.kind === 'agent' ? hubs.isOnline(row.networkId, row.id) : null,
  unavailable: row.unavailable ?? false,
  lanClashes: [...hubs.observed(row.networkId, row.id).lanClashes],
  tags: [...row.tags],
  ephemeral: row.ephemeral,
  settings: settingsView(row.settings ?? {}),
  hooks: hooksView(hooksOf(row.settings ?? {})),
  keyChangedAt: time(row.keyChangedAt),
  keyExpiresAt: row.keyExpiresAt === undefined ? null : time(new Date(row.keyExpiresAt)),
  rotateGeneration: row.rotateGeneration ?? null,
  overlapUntil: timeOrNull(row.overlapUntil),
  disabledAt: timeOrNull(row.disabledAt),
  cloneNoticedAt: timeOrNull(row.cloneNoticedAt),
  configKeyCreatedAt: timeOrNull(row.configKeyCreatedAt),
  lastSeenAt: timeOrNull(row.lastSeenAt),
  agentVersion: row.agentVersion,
  createdAt: time(row.createdAt),
  revokedAt: timeOrNull(row.revokedAt),
});

export const tokenView = (row: TokenRow, now: Date): z.infer<typeof TokenView> => ({
  id: row.id,
  networkId: row.networkId,
  name: row.name,
  role: row.role,
  tags: [...row.tags],
  ephemeral: row.ephemeral,
  approval: row.approval,
  maxUses: row.maxUses,
  uses: row.uses,
  state: tokenState(row, now),
  expiresAt: timeOrNull(row.expiresAt),
  revokedAt: timeOrNull(row.revokedAt),
  createdAt: time(row.createdAt),
});

export const apiKeyView = (row: ApiKeyRow): z.infer<typeof ApiKeyView> => ({
  id: row.id,
  name: row.name,
  scopes: [...row.scopes],
  expiresAt: timeOrNull(row.expiresAt),
  createdAt: time(row.createdAt),
  lastUsedAt: timeOrNull(row.lastUsedAt),
});

export const signalServerView = (row: SignalServerRow): z.infer<typeof SignalServerView> => ({
  id: row.id,
  kind: row.kind,
  region: row.region,
  udp: row.udp,
  tls: [...row.tls],
  key: toBase64(row.key),
  seenAt: time(row.seenAt),
  load: row.load,
  createdAt: time(row.createdAt),
});

export const signalTokenView = (row: SignalTokenRow): z.infer<typeof SignalTokenView> => ({
  id: row.id,
  region: row.region,
  used: row.used,
  expiresAt: timeOrNull(row.expiresAt),
  revokedAt: timeOrNull(row.revokedAt),
  createdAt: time(row.createdAt),
});

export const auditView = (row: AuditRow): z.infer<typeof AuditView> => ({
  id: row.id,
  at: time(row.at),
  actor: row.actor,
  action: row.action,
  networkId: row.networkId,
  subject: row.subject,
  details: { ...row.details },
});

export const pageView = <Row, View>(
  page: Page<Row>,
  view: (row: Row) => View,
): { items: View[]; nextCursor: string | null } => ({
  items: page.items.map(view),
  nextCursor: page.nextCursor,
});

/** Leaves out what was not given, as the store's exact optional fields want it. */
export const pageQuery = (query: { limit?: number | undefined; cursor?: string | undefined }): PageQuery => ({
  ...(query.limit === undefined ? {} : { limit: query.limit }),
  ...(query.cursor === undefined ? {} : { cursor: query.cursor }),
});
