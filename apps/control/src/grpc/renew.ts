import { equalBytes, type NodeId, nodeId, unixMillis, WarrenError } from '@warren/base';
import type { NodeRow, Store } from '@warren/db';
import { verifyRenewal } from '@warren/identity';
import type { RenewRequest, RenewResponse } from '@warren/proto';
import type { CertificateAuthority } from '../ca/certificate-authority.js';
import { EXPIRED } from '../hub/fates.js';
import { REMOVED } from '../hub/session.js';
import { noteInLog } from '../log-fields.js';

/** How far an agent's clock may be from ours. */
const RENEWAL_WINDOW = 5 * 60_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface RenewOptions {
  readonly store: Store;
  readonly ca: CertificateAuthority;
  readonly now: () => number;
}

/** Trades an identity signature for a fresh certificate (ADR 0011): the old one may have expired. */
export async function renew(options: RenewOptions, request: RenewRequest): Promise<RenewResponse> {
  const bad = new WarrenError(
    'renewal-bad',
    'the renewal is not signed by the identity of that node, or the clock is more than five minutes off',
  );
  if (!UUID.test(request.nodeId) || Math.abs(options.now() - request.signedAt) > RENEWAL_WINDOW) throw bad;
  const id: NodeId = nodeId(request.nodeId);
  if (!verifyRenewal(request.identityKey, id, unixMillis(request.signedAt), request.signature)) throw bad;
  const node = await memberNode(options.store, id, request.identityKey);
  const chain = await options.ca.issueAgent({
    nodeId: id,
    networkId: node.networkId,
    identityKey: request.identityKey,
  });
  return { certificateChain: chain.map((certificate) => Buffer.from(certificate)) };
}

/** The node that an identity speaks for, whatever has become of it. @throws WarrenError `node-removed`, `node-unknown`. */
export async function identifiedNode(store: Store, id: NodeId, identityKey: Uint8Array): Promise<NodeRow> {
  const node = await store.findNode(id);
  noteInLog({ node: id, ...(node && { network: node.networkId }) });
  if (!node) throw new WarrenError('node-removed', REMOVED);
  if (!node.record || !equalBytes(node.record.identityKey, identityKey)) {
    throw new WarrenError('node-unknown', 'this identity is not that of the node: join again with a new token');
  }
  return node;
}

/**
 * The node that an identity speaks for, active or waiting to be.
 *
 * @throws WarrenError `node-revoked`, `node-expired`, `node-removed`, or `node-unknown` when the identity is another's.
 */
export async function memberNode(store: Store, id: NodeId, identityKey: Uint8Array): Promise<NodeRow> {
  const node = await identifiedNode(store, id, identityKey);
  if (node.status === 'revoked') {
    throw new WarrenError(
      'node-revoked',
      `${node.name} was revoked: its keys cannot come back; join with a new identity and token`,
    );
  }
  if (node.status === 'expired') throw new WarrenError('node-expired', EXPIRED);
  return node;
}

/** The same, active. @throws WarrenError as `memberNode`, or `node-pending`. */
export async function activeNode(store: Store, id: NodeId, identityKey: Uint8Array): Promise<NodeRow> {
  const node = await memberNode(store, id, identityKey);
  if (node.status === 'active') return node;
  throw new WarrenError('node-pending', `${node.name} waits for approval: warren node approve ${node.name}`);
}
