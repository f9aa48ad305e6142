import { equalBytes, type NodeId, nodeId, unixMillis, WarrenError } from '@warren/base';
import type { NodeRow, Store } from '@warren/db';
import { verifyRenewal } from '@warren/identity';
import type { RenewRequest, RenewResponse } from '@warren/proto';
import type { CertificateAuthority } from '../ca/certificate-authority.js';
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
  const node = await activeNode(options.store, id, request.identityKey);
  const chain = await options.ca.issueAgent({
    nodeId: id,
    networkId: node.networkId,
    identityKey: request.identityKey,
  });
  return { certificateChain: chain.map((certificate) => Buffer.from(certificate)) };
}

/**
 * The node that an identity speaks for.
 *
 * @throws WarrenError `node-revoked`, `node-expired`, `node-removed`, or `node-unknown` when the identity is another's.
 */
export async function activeNode(store: Store, id: NodeId, identityKey: Uint8Array): Promise<NodeRow> {
  const node = await store.findNode(id);
  noteInLog({ node: id, ...(node && { network: node.networkId }) });
  if (!node) throw new WarrenError('node-removed', REMOVED);
  if (!node.record || !equalBytes(node.record.identityKey, identityKey)) {
    throw new WarrenError('node-unknown', 'this identity is not that of the node: join again with a new token');
  }
  if (node.status === 'revoked') {
    throw new WarrenError(
      'node-revoked',
      `${node.name} was revoked: its keys cannot come back; join with a new identity and token`,
    );
  }
  if (node.status !== 'active') {
    throw new WarrenError('node-expired', `${node.name} is ${node.status}: an administrator must renew it`);
  }
  return node;
}
