import {
  formatHostPort,
  type HostPort,
  KEY_LENGTH,
  parseHostPort,
  publicKeyBytes,
  publicKeyFromBytes,
  type SecretKey,
  WarrenError,
} from '@warren/base';
import type { NetworkRow, NodeRow, Store, TokenRow } from '@warren/db';
import { decodeNodeRecord, type NodeRecord, verifyKeyPossession, verifyRecord } from '@warren/identity';
import type {
  JoinRequest,
  JoinResponse,
  PrepareJoinRequest,
  PrepareJoinResponse,
  RenewRequest,
  RenewResponse,
  TakenMember,
} from '@warren/proto';
import type { Role, SignedRecord } from '@warren/topology';
import type { CertificateAuthority } from '../ca/certificate-authority.js';
import { recordFromWire, roleFromWire, roleToWire, selfConfig } from '../codec/agent-codec.js';
import type { Hubs } from '../hub/hubs.js';
import { noteInLog } from '../log-fields.js';
import { checkName } from '../names.js';
import { type Challenges, createChallenges } from './challenges.js';
import { possessionProvider } from './possession-provider.js';
import { renew } from './renew.js';

/** How long the answer of PrepareJoin is good. */
const CHALLENGE_LIFE = 5 * 60_000;
/** For a join that was done already: a spent token gives no other challenge to whoever lost the answer. */
const REPEATED_CHALLENGE_LIFE = 24 * 3_600_000;
const TOKEN_ID = /^[\x21-\x7e]{1,64}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface JoinOptions {
  readonly store: Store;
  readonly hubs: Pick<Hubs, 'signalServers'>;
  readonly ca: CertificateAuthority;
  /** X25519 private key for proofs of possession; challenges are authenticated under a key derived from it. */
  readonly challengeKey: SecretKey;
  /** Ed25519 public key that tombstones are verified with. */
  readonly authorityKey: Uint8Array;
  readonly now: () => number;
}

/** The three calls that need no client certificate. `from`: the address that the caller was seen at. */
export interface JoinService {
  prepare(request: PrepareJoinRequest): Promise<PrepareJoinResponse>;
  join(request: JoinRequest, from: string | undefined): Promise<JoinResponse>;
  renew(request: RenewRequest): Promise<RenewResponse>;
}

export function createJoinService(options: JoinOptions): JoinService {
  const challenges = createChallenges(options.challengeKey, options.now);
  const challengePublicKey = possessionProvider.publicKey(options.challengeKey.expose());
  return {
    async prepare(request) {
      const { token, network } = await checkToken(options.store, request);
      const member = await vanillaMember(options.store, network.id, request.wireguardKey);
      return {
        networkId: network.id,
        networkName: network.name,
        cidrs: [...network.cidrs],
        role: roleToWire(token.role),
        challenge: Buffer.from(challenges.make(token.id)),
        challengeKey: Buffer.from(challengePublicKey),
        member: member && takenMember(member),
      };
    },
    async join(request, from) {
      const { record, signed, token } = await checkJoin(options, challenges, request);
      noteInLog({ node: record.nodeId, network: record.networkId });
      const role = askedRole(request, token);
      const member = await options.store.findVanillaByKey(record.networkId, record.wireguardKey);
      const taken = member?.id === record.nodeId ? member : undefined;
      const { node, network } = await options.store.join(
        {
          tokenId: request.tokenId,
          tokenSecret: request.tokenSecret,
          nodeId: record.nodeId,
          name: checkName('node', request.name),
          role,
          // A member that an agent takes over keeps what others reach it by.
          endpoint: taken?.endpoint ?? endpointOf(request, taken?.role ?? role ?? token.role ?? 'client', from),
          listenPort: request.listenPort || null,
          publicKey: record.wireguardKey,
          record: signed,
        },
        `token:${token.id}`,
      );
      return joined(options, node, network, signed, from);
    },
    renew: (request) => renew(options, request),
  };
}

async function joined(
  options: JoinOptions,
  node: NodeRow,
  network: NetworkRow,
  signed: SignedRecord,
  from: string | undefined,
): Promise<JoinResponse> {
  const chain = await options.ca.issueAgent({
    nodeId: node.id,
    networkId: network.id,
    identityKey: signed.identityKey,
  });
  return {
    certificateChain: chain.map((certificate) => Buffer.from(certificate)),
    self: selfConfig(node, network, node.status === 'active' ? await options.hubs.signalServers(network.id) : []),
    observedAddress: from ?? '',
    authorityKey: Buffer.from(options.authorityKey),
  };
}

/** Whose key it is, if that is a vanilla member's; none was told: nobody's. */
async function vanillaMember(store: Store, network: NetworkRow['id'], key: Uint8Array): Promise<NodeRow | undefined> {
  return key.length === KEY_LENGTH ? store.findVanillaByKey(network, publicKeyFromBytes(key)) : undefined;
}

const takenMember = ({ id, name, role, endpoint }: NodeRow): TakenMember => ({
  nodeId: id,
  name,
  role: roleToWire(role),
  endpoint: endpoint ?? '',
});

async function checkToken(
  store: Store,
  request: { tokenId: string; tokenSecret: Uint8Array },
): Promise<{ token: TokenRow; network: NetworkRow }> {
  if (!TOKEN_ID.test(request.tokenId) || request.tokenSecret.length !== 32) {
    throw new WarrenError(
      'token-unknown',
      'the control plane does not know this join token: make one with `warren token create`',
    );
  }
  return store.checkToken(request.tokenId, request.tokenSecret);
}

/** Everything about a join that needs no write. The token's use is spent, and its limits are checked, by the store. */
async function checkJoin(
  options: JoinOptions,
  challenges: Challenges,
  request: JoinRequest,
): Promise<{ record: NodeRecord; signed: SignedRecord; token: TokenRow }> {
  const signed = recordFromWire(request.record);
  if (!signed) throw new WarrenError('record-bad', 'the record of keys is malformed');
  // The token first: who has none costs us no signature check.
  const { token, network, repeated } = await tokenForJoin(options.store, request, signed);
  const record = verifyRecord(signed);
  if (record?.networkId !== network.id || !UUID.test(record.nodeId)) {
    throw new WarrenError('record-bad', 'the record of keys is for another network, or its signature is wrong');
  }
  const life = repeated ? REPEATED_CHALLENGE_LIFE : CHALLENGE_LIFE;
  if (!challenges.isGood(request.challenge, request.tokenId, life)) {
    throw new WarrenError('challenge-bad', 'the challenge is not ours or too old: begin the join again');
  }
  const transcript = {
    challenge: request.challenge,
    identityKey: signed.identityKey,
    record: signed.record,
    tokenId: request.tokenId,
  };
  const wireguardKey = publicKeyBytes(record.wireguardKey);
  if (
    !verifyKeyPossession(possessionProvider, options.challengeKey, wireguardKey, transcript, request.possessionProof)
  ) {
    throw new WarrenError('possession-unproven', 'the agent did not prove that it holds the private WireGuard key');
  }
  await checkGeneration(options.store, record, signed);
  return { record, signed, token };
}

/** A node that comes back with another WireGuard key has counted on: else an older record of it would be as good. */
async function checkGeneration(store: Store, record: NodeRecord, signed: SignedRecord): Promise<void> {
  const node = await store.findNodeByIdentity(signed.identityKey, record.networkId);
  const known = node?.record && decodeNodeRecord(node.record.record);
  if (!known || known.nodeId !== record.nodeId || known.wireguardKey === record.wireguardKey) return;
  if (record.generation > known.generation) return;
  throw new WarrenError('record-bad', 'the record of keys is older than the one that is known: rotate the key again');
}

/** A repeated join must get its answer even when its own first use was the token's last (ADR 0008). */
async function tokenForJoin(
  store: Store,
  request: JoinRequest,
  signed: SignedRecord,
): Promise<{ token: TokenRow; network: NetworkRow; repeated: boolean }> {
  try {
    return { ...(await checkToken(store, request)), repeated: false };
  } catch (error) {
    const spent =
      error instanceof WarrenError && ['token-used-up', 'token-expired', 'token-revoked'].includes(error.code);
    const node = spent ? await store.findNodeByIdentity(signed.identityKey) : undefined;
    const network = node && (await store.findNetwork(node.networkId));
    if (!network) throw error;
    // The store decides whether this is the same (token, identity key) again; here only its network matters.
    return { token: repeatedToken(request.tokenId, network), network, repeated: true };
  }
}

function repeatedToken(id: string, network: NetworkRow): TokenRow {
  return {
    id,
    networkId: network.id,
    name: null,
    role: null,
    tags: [],
    ephemeral: false,
    approval: false,
    maxUses: null,
    uses: 0,
    expiresAt: null,
    revokedAt: null,
    createdAt: network.createdAt,
  };
}

function askedRole(request: JoinRequest, token: TokenRow): Role | null {
  const role = roleFromWire(request.role);
  if (role === undefined) throw new WarrenError('bad-request', 'the role must be client, direct or bounce');
  if (role && token.role && role !== token.role) {
    throw new WarrenError(
      'role-conflict',
      `the token is for role ${token.role}, not ${role}: leave --role out, or use another token`,
    );
  }
  return role;
}

/**
 * Public nodes that name no endpoint are reached at the address that we saw, on their listen port (join-and-sync.md,
 * “Join”).
 */
function endpointOf(request: JoinRequest, role: Role, from: string | undefined): HostPort | null {
  if (request.listenPort > 65_535) throw new WarrenError('bad-request', 'the listen port must be 0 to 65535');
  if (request.endpoint) {
    const parsed = parseHostPort(request.endpoint);
    if (!parsed) throw new WarrenError('bad-request', 'the endpoint must be host:port, such as 203.0.113.5:51820');
    return formatHostPort(parsed.host, parsed.port);
  }
  if (role === 'client') return null;
  if (!from || request.listenPort === 0) {
    throw new WarrenError(
      'endpoint-missing',
      `role ${role} needs to be reachable: give --endpoint host:port, or a fixed --listen-port`,
    );
  }
  return formatHostPort(from, request.listenPort);
}
