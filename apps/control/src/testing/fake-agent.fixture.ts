import { createHash, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import {
  concatBytes,
  equalBytes,
  networkId,
  nodeId,
  parseHostPort,
  publicKeyFromBytes,
  SecretKey,
  unixMillis,
} from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { parseJoinToken, proveKeyPossession, signRecord, signRenewal } from '@warren/identity';
import {
  AgentServiceClient,
  type JoinRequest,
  type JoinResponse,
  type PrepareJoinResponse,
  type PrepareRotationResponse,
  type RotateKeyRequest,
  type RotateKeyResponse,
  Role as WireRole,
} from '@warren/proto';
import { SERVICE_NAME } from '../ca/certificate-authority.js';
import { FakeStream, type HelloOptions } from './fake-stream.fixture.js';

const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;

export interface FakeKeys {
  readonly identity: SecretKey;
  readonly wireguard: SecretKey;
  readonly path: SecretKey;
  readonly nodeId: string;
}

export const makeKeys = (): FakeKeys => ({
  identity: new SecretKey(randomBytes(32)),
  wireguard: new SecretKey(randomBytes(32)),
  path: new SecretKey(randomBytes(32)),
  nodeId: randomUUID(),
});

export interface JoinOptions {
  readonly name: string;
  readonly role?: WireRole;
  readonly endpoint?: string;
  readonly listenPort?: number;
  readonly keys?: FakeKeys;
  /** Shows its WireGuard key first, and goes on as the vanilla member that has it. */
  readonly takeOver?: boolean;
  /** Spoils or completes the request before it goes out. */
  readonly change?: (request: JoinRequest, prepared: PrepareJoinResponse) => void;
}

export interface RotationChange {
  readonly generation?: number;
  readonly compromised?: boolean;
  readonly identity?: SecretKey;
  readonly path?: SecretKey;
  readonly change?: (request: RotateKeyRequest) => void;
}

/** The root that a control plane shows, after it was compared with the token's pin, as an agent does it. */
async function pinnedRoot(address: string, pin: Uint8Array): Promise<string> {
  const { host, port } = parseHostPort(address)!;
  const socket = tls.connect({
    host,
    port,
    rejectUnauthorized: false,
    servername: SERVICE_NAME,
    ALPNProtocols: ['h2'],
  });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  let certificate = socket.getPeerCertificate(true);
  const leaf = new X509Certificate(certificate.raw);
  if (!leaf.checkHost(SERVICE_NAME)) throw new Error('the leaf does not certify the service name');
  while (certificate.issuerCertificate && certificate.issuerCertificate !== certificate)
    certificate = certificate.issuerCertificate;
  socket.destroy();
  const spki = new X509Certificate(certificate.raw).publicKey.export({ type: 'spki', format: 'der' });
  if (!equalBytes(createHash('sha256').update(spki).digest(), pin)) throw new Error('pin does not match');
  return pem('CERTIFICATE', certificate.raw);
}

/** An agent without a data plane: joins, follows, and checks what it is sent. */
export class FakeAgent {
  #clients: AgentServiceClient[] = [];
  #streams: FakeStream[] = [];

  private constructor(
    readonly keys: FakeKeys,
    readonly joined: JoinResponse,
    readonly address: string,
    readonly root: string,
    readonly request: JoinRequest,
  ) {}

  static async join(token: string, options: JoinOptions): Promise<FakeAgent> {
    const { id, secret, addresses, pin } = parseJoinToken(token)!;
    let keys = options.keys ?? makeKeys();
    const root = await pinnedRoot(addresses[0]!, pin);
    const client = connect(addresses[0]!, root);
    try {
      const tokenFields = { tokenId: id, tokenSecret: Buffer.from(secret) };
      const shown = options.takeOver ? nobleProvider.publicKey(keys.wireguard.expose()) : new Uint8Array();
      const asked = { ...tokenFields, wireguardKey: Buffer.from(shown) };
      const prepared = await unary<PrepareJoinResponse>((done) => client.prepareJoin(asked, done));
      if (prepared.member) keys = { ...keys, nodeId: prepared.member.nodeId };
      const request = joinRequest(tokenFields, keys, prepared, options);
      options.change?.(request, prepared);
      const joined = await unary<JoinResponse>((done) => client.join(request, done));
      return new FakeAgent(keys, joined, addresses[0]!, root, request);
    } finally {
      client.close();
    }
  }

  get nodeId(): string {
    return this.keys.nodeId;
  }

  /** A client of this agent: with its certificate unless `chain` is null. */
  client(chain: readonly Uint8Array[] | null = this.joined.certificateChain): AgentServiceClient {
    const client = connect(this.address, this.root, chain && { chain, key: this.keys.identity });
    this.#clients.push(client);
    return client;
  }

  /** Opens a Sync stream and says hello. */
  sync(options: HelloOptions = {}, chain?: readonly Uint8Array[] | null): FakeStream {
    const stream = new FakeStream(this.client(chain), this.nodeId, options);
    this.#streams.push(stream);
    return stream;
  }

  renew(signedAt = Date.now(), identity = this.keys.identity): Promise<{ certificateChain: Buffer[] }> {
    const signature = signRenewal(identity, nodeId(this.nodeId), unixMillis(signedAt));
    const identityKey = this.request.record!.identityKey;
    const request = { nodeId: this.nodeId, identityKey, signedAt, signature: Buffer.from(signature) };
    return unary((done) => this.client(null).renew(request, done));
  }

  /** Asks for another WireGuard key; `change` spoils the request before it goes out. */
  async rotate(wireguard: SecretKey, change: RotationChange = {}): Promise<RotateKeyResponse> {
    const client = this.client();
    const prepared = await unary<PrepareRotationResponse>((done) =>
      client.prepareRotation({ nodeId: this.nodeId }, done),
    );
    const request = rotationRequest(this, wireguard, prepared, change);
    change.change?.(request);
    return unary((done) => client.rotateKey(request, done));
  }

  leave(): Promise<unknown> {
    return unary((done) => this.client().leave({ nodeId: this.nodeId }, done));
  }

  close(): void {
    for (const stream of this.#streams) stream.cancel();
    for (const client of this.#clients) client.close();
  }
}

function rotationRequest(
  agent: FakeAgent,
  wireguard: SecretKey,
  prepared: PrepareRotationResponse,
  { generation = 2, compromised = false, identity = agent.keys.identity, path = agent.keys.path }: RotationChange,
): RotateKeyRequest {
  const { record, identityKey, signature } = signRecord(identity, {
    networkId: networkId(agent.joined.self!.networkId),
    nodeId: nodeId(agent.nodeId),
    wireguardKey: publicKeyFromBytes(nobleProvider.publicKey(wireguard.expose())),
    pathKey: publicKeyFromBytes(nobleProvider.publicKey(path.expose())),
    generation,
  });
  const { challenge, challengeKey } = prepared;
  const transcript = { challenge, identityKey, record, tokenId: agent.nodeId };
  return {
    nodeId: agent.nodeId,
    record: { record: Buffer.from(record), identityKey: Buffer.from(identityKey), signature: Buffer.from(signature) },
    challenge,
    possessionProof: Buffer.from(proveKeyPossession(nobleProvider, wireguard, challengeKey, transcript)),
    compromised,
  };
}

function connect(
  address: string,
  root: string,
  own?: { chain: readonly Uint8Array[]; key: SecretKey } | null,
): AgentServiceClient {
  const key = own ? Buffer.from(pem('PRIVATE KEY', concatBytes(PKCS8_ED25519, own.key.expose()))) : null;
  const chain = own ? Buffer.from(own.chain.map((der) => pem('CERTIFICATE', der)).join('')) : null;
  return new AgentServiceClient(address, credentials.createSsl(Buffer.from(root), key, chain), {
    'grpc.ssl_target_name_override': SERVICE_NAME,
    'grpc.use_local_subchannel_pool': 1,
  });
}

function joinRequest(
  token: { tokenId: string; tokenSecret: Buffer },
  keys: FakeKeys,
  prepared: PrepareJoinResponse,
  options: JoinOptions,
): JoinRequest {
  const signed = signRecord(keys.identity, {
    networkId: networkId(prepared.networkId),
    nodeId: nodeId(keys.nodeId),
    wireguardKey: publicKeyFromBytes(nobleProvider.publicKey(keys.wireguard.expose())),
    pathKey: publicKeyFromBytes(nobleProvider.publicKey(keys.path.expose())),
    generation: 1,
  });
  const { record, identityKey, signature } = signed;
  const transcript = { challenge: prepared.challenge, identityKey, record, tokenId: token.tokenId };
  return {
    ...token,
    name: options.name,
    role: options.role ?? WireRole.ROLE_UNSPECIFIED,
    endpoint: options.endpoint ?? '',
    listenPort: options.listenPort ?? 51_820,
    record: { record: Buffer.from(record), identityKey: Buffer.from(identityKey), signature: Buffer.from(signature) },
    challenge: prepared.challenge,
    possessionProof: Buffer.from(proveKeyPossession(nobleProvider, keys.wireguard, prepared.challengeKey, transcript)),
    agentVersion: 'test',
  };
}

/** The answer, or the refusal with its stable code as message. */
export function unary<T>(call: (done: (error: ServiceError | null, value: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(new Error(codeOf(error), { cause: error })) : resolve(value)));
  });
}

export const codeOf = (error: ServiceError): string =>
  String((error.metadata ?? new Metadata()).get('warren-code')[0] ?? `grpc-${error.code}: ${error.details}`);
