import { equalBytes, publicKeyBytes, type SecretKey, WarrenError } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import type { NodeRow, Store } from '@warren/db';
import { decodeNodeRecord, type NodeRecord, verifyKeyPossession, verifyRecord } from '@warren/identity';
import type {
  PrepareRotationRequest,
  PrepareRotationResponse,
  RotateKeyRequest,
  RotateKeyResponse,
} from '@warren/proto';
import type { SignedRecord } from '@warren/topology';
import { recordFromWire, selfConfig } from '../codec/agent-codec.js';
import type { Hubs } from '../hub/hubs.js';
import { RateLimiter } from '../rate-limiter.js';
import { createChallenges } from './challenges.js';
import { activeNode } from './renew.js';
import type { AgentCaller } from './rpc.js';

/** How long the answer of PrepareRotation is good. */
const CHALLENGE_LIFE = 5 * 60_000;
/** Per node and process: each change goes to everybody, and its key is remembered for ever. */
const ROTATIONS = { atOnce: 100, perSecond: 0.1 };

export interface RotationOptions {
  readonly store: Store;
  readonly hubs: Pick<Hubs, 'current'>;
  /** X25519 private key for proofs of possession. */
  readonly challengeKey: SecretKey;
  readonly now: () => number;
}

/** The two calls by which an agent changes its WireGuard key. */
export interface RotationService {
  prepare(request: PrepareRotationRequest, caller: AgentCaller): Promise<PrepareRotationResponse>;
  rotate(request: RotateKeyRequest, caller: AgentCaller): Promise<RotateKeyResponse>;
}

export function createRotationService(options: RotationOptions): RotationService {
  const { store, hubs, challengeKey, now } = options;
  const challenges = createChallenges(challengeKey, now);
  const challengePublicKey = nobleProvider.publicKey(challengeKey.expose());
  const limiter = new RateLimiter(ROTATIONS);
  return {
    async prepare(request, caller) {
      const node = await callersNode(store, request, caller);
      return {
        challenge: Buffer.from(challenges.make(subject(node))),
        challengeKey: Buffer.from(challengePublicKey),
      };
    },
    async rotate(request, caller) {
      const node = await callersNode(store, request, caller);
      const signed = recordFromWire(request.record);
      const record = signed && verifyRecord(signed);
      if (!signed || !record) throw new WarrenError('record-bad', 'the record of keys is malformed or not signed');
      checkRecord(node, signed, record);
      // Not of one that repeats what was done: refused, it would drop the key that all others know by now.
      if (!equalBytes(signed.record, node.record.record) && limiter.take(node.id, performance.now()) > 0) {
        throw new WarrenError('too-many-requests', 'this node changes its key too often: try again in a minute');
      }
      if (!challenges.isGood(request.challenge, subject(node), CHALLENGE_LIFE)) {
        throw new WarrenError('challenge-bad', 'the challenge is not ours or too old: begin the rotation again');
      }
      provePossession(challengeKey, request, node, signed, record);
      const { wireguardKey: publicKey, generation } = record;
      const rotated = await store.rotateKey(
        {
          ...{ nodeId: node.id, publicKey, record: signed, generation },
          ...{ replaces: node.publicKey, compromised: request.compromised },
        },
        `node:${node.id}`,
      );
      const { signalServers } = await hubs.current(node.networkId);
      return { self: selfConfig(rotated.node, rotated.network, signalServers) };
    },
  };
}

/** A challenge of a join is none of a rotation: token ids hold no space. */
const subject = (node: NodeRow): string => `rotate ${node.id}`;

type AgentNode = NodeRow &
  Required<Pick<NodeRow, 'record'>> & { readonly publicKey: NonNullable<NodeRow['publicKey']> };

async function callersNode(store: Store, request: { nodeId: string }, caller: AgentCaller): Promise<AgentNode> {
  if (request.nodeId !== caller.nodeId) throw new WarrenError('forbidden', 'the certificate is for another node');
  const node = await activeNode(store, caller.nodeId, caller.identityKey);
  if (!node.record || node.publicKey === null) throw new WarrenError('node-unknown', 'this node is no agent');
  return { ...node, record: node.record, publicKey: node.publicKey };
}

/** The same identity and path key, a greater generation; or the very record that is known, when the answer was lost. */
function checkRecord(node: AgentNode, signed: SignedRecord, record: NodeRecord): void {
  const known = decodeNodeRecord(node.record.record);
  const sameNode = record.nodeId === node.id && record.networkId === node.networkId;
  const sameIdentity = equalBytes(signed.identityKey, node.record.identityKey);
  if (!known || !sameNode || !sameIdentity || known.pathKey !== record.pathKey) {
    throw new WarrenError('record-bad', 'the record of keys is not for this node, identity and path key');
  }
  if (equalBytes(signed.record, node.record.record)) return;
  if (record.generation <= known.generation || record.wireguardKey === node.publicKey) {
    throw new WarrenError('record-stale', `a new key needs a generation beyond ${known.generation}: begin again`);
  }
}

function provePossession(
  challengeKey: SecretKey,
  request: RotateKeyRequest,
  node: AgentNode,
  signed: SignedRecord,
  record: NodeRecord,
): void {
  const transcript = {
    challenge: request.challenge,
    identityKey: signed.identityKey,
    record: signed.record,
    tokenId: node.id,
  };
  const key = publicKeyBytes(record.wireguardKey);
  if (!verifyKeyPossession(nobleProvider, challengeKey, key, transcript, request.possessionProof)) {
    throw new WarrenError('possession-unproven', 'the agent did not prove that it holds the new private WireGuard key');
  }
}
