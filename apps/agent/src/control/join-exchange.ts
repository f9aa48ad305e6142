import { type HostPort, networkId, WarrenError } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { type JoinToken, proveKeyPossession, type SignedRecord, signRecord } from '@warren/identity';
import type { AgentServiceClient, JoinRequest, JoinResponse, TakenMember } from '@warren/proto';
import type { Role } from '@warren/topology';
import { roleToWire } from '../codec/role.js';
import { type NodeKeys, x25519PublicKey } from '../state/node-keys.js';
import type { PendingJoin, PreparedJoin } from '../state/pending-join.js';
import { VERSION } from '../version.js';
import { callUnary } from './client.js';
import { refusalCode } from './refusal.js';

/** What the person asked for. */
export interface JoinWishes {
  readonly name: string;
  readonly role: Role | undefined;
  readonly endpoint: HostPort | undefined;
  readonly listenPort: number;
}

/** Asks what the token leads to, spending nothing. Rejects with what gRPC gave. */
async function prepareJoin(client: AgentServiceClient, token: JoinToken, key: Uint8Array): Promise<Prepared> {
  const request = { tokenId: token.id, tokenSecret: Buffer.from(token.secret), wireguardKey: Buffer.from(key) };
  const reply = await callUnary(client, client.prepareJoin, request);
  const { networkId, networkName, cidrs, challenge, challengeKey, member } = reply;
  return { networkId, networkName, cidrs, challenge, challengeKey, ...(member && { member }) };
}

/** What PrepareJoin answered, with the vanilla member whose WireGuard key was shown. */
export type Prepared = PreparedJoin & { readonly member?: TakenMember };

/**
 * As `prepareJoin`; but when an earlier Join of this token may have been answered and its answer lost, a token that is
 * spent by now is no reason to stop: the challenge of then is used again.
 */
export async function prepareOrResume(
  client: AgentServiceClient,
  token: JoinToken,
  pending: PendingJoin,
  /** Public, of a host that wants to go on as a member that it is already; else empty. */
  wireguardKey: Uint8Array,
): Promise<Prepared> {
  try {
    return await prepareJoin(client, token, wireguardKey);
  } catch (error) {
    const spent = ['token-used-up', 'token-expired', 'token-revoked'].includes(refusalCode(error) ?? '');
    if (spent && pending.sent) return pending.sent;
    throw error;
  }
}

/**
 * Joins. When the reply is lost the pending join stays on disk, else the refusal ends it.
 * @throws what gRPC gave; WarrenError `protocol-error` for a reply that is none.
 */
export async function sendJoin(
  client: AgentServiceClient,
  token: JoinToken,
  pending: PendingJoin,
  prepared: PreparedJoin,
  wishes: JoinWishes,
): Promise<JoinResponse> {
  await pending.markSent(prepared);
  const request = joinRequest(token, pending.keys, prepared, wishes);
  const reply = await callUnary(client, client.join, request);
  const self = reply.self;
  if (self?.networkId !== prepared.networkId || reply.authorityKey.length !== 32 || self.addresses.length === 0) {
    throw new WarrenError(
      'protocol-error',
      'the control plane answered the join with nonsense: update agent or control',
    );
  }
  return reply;
}

/** The signed record of a node's keys (join-and-sync.md, “Node record”). */
export function recordOf(keys: NodeKeys, network: string): SignedRecord {
  return signRecord(keys.identity, {
    networkId: networkId(network),
    nodeId: keys.nodeId,
    wireguardKey: x25519PublicKey(keys.wireguard),
    pathKey: x25519PublicKey(keys.path),
    generation: keys.generation,
  });
}

/** Protobuf's generated types want Buffers. */
export const recordToWire = (signed: SignedRecord) => ({
  record: Buffer.from(signed.record),
  identityKey: Buffer.from(signed.identityKey),
  signature: Buffer.from(signed.signature),
});

function joinRequest(token: JoinToken, keys: NodeKeys, prepared: PreparedJoin, wishes: JoinWishes): JoinRequest {
  const signed = recordOf(keys, prepared.networkId);
  const proof = proveKeyPossession(nobleProvider, keys.wireguard, prepared.challengeKey, {
    challenge: prepared.challenge,
    identityKey: signed.identityKey,
    record: signed.record,
    tokenId: token.id,
  });
  return {
    tokenId: token.id,
    tokenSecret: Buffer.from(token.secret),
    name: wishes.name,
    role: roleToWire(wishes.role),
    endpoint: wishes.endpoint ?? '',
    listenPort: wishes.listenPort,
    record: recordToWire(signed),
    challenge: Buffer.from(prepared.challenge),
    possessionProof: Buffer.from(proof),
    agentVersion: VERSION,
  };
}
