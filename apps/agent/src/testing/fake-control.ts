import { createHash, randomBytes } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { type HostPort, toBase64 } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { formatJoinToken, verifyKeyPossession, verifyRecord } from '@warren/identity';
import * as wire from '@warren/proto';
import { generateNodeKeys, x25519PublicKey } from '../state/node-keys.js';
import { TestNetworkAuthority, testNetworkId } from './peers.js';
import { createTestAuthority, type TestAuthority } from './test-authority.js';

type SyncCall = grpc.ServerDuplexStream<wire.SyncRequest, wire.SyncResponse>;

interface Joined {
  readonly identity: string;
  readonly nodeId: string;
}

/**
 * A control plane for tests: real gRPC over real TLS with an authority of its own; what it answers is set by the test,
 * what it was asked is kept.
 */
export class FakeControl {
  readonly networkId = testNetworkId();
  networkName = 'test';
  cidrs = ['198.18.0.0/24'];
  role = wire.Role.ROLE_CLIENT;
  forward: string[] = [];
  offlineToleranceMs = 0;
  address = '198.18.0.3';
  peers: Buffer[] = [];
  signalServers: wire.SignalServer[] = [];
  /** Sent after the stream began. */
  ticket: Buffer | undefined;
  tombstones: wire.SignedTombstone[] = [];
  position = { epoch: 1, revision: 5 };
  uses = 1;
  /** Every node waits for approval. */
  pending = false;
  certificateLife = 3_600_000;
  /** The vanilla member that has this WireGuard key, base64. */
  member: { readonly key: string; readonly found: wire.TakenMember } | undefined;
  /** Refuses every call with this code. */
  refuse: string | undefined;
  /** Refuses Join only. */
  refuseJoin: string | undefined;
  /** Joins, but the answer never leaves. */
  loseJoinReply = false;
  /** Refuses RotateKey only. */
  refuseRotation: string | undefined;
  /** Takes the key, but the answer never leaves. */
  loseRotationReply = false;
  /** Called when a key comes, before it is looked at. */
  onRotation = (): void => undefined;
  /** What it says of each node's keys. */
  keyWishes: Partial<wire.SelfConfig> = {};
  readonly rotations: wire.RotateKeyRequest[] = [];
  readonly authority = new TestNetworkAuthority();
  readonly requests: string[] = [];
  readonly joins: wire.JoinRequest[] = [];
  readonly received: wire.SyncRequest[] = [];
  readonly streams = new Set<SyncCall>();
  readonly nodes: Joined[] = [];
  readonly #challengeKey = generateNodeKeys().wireguard;
  readonly #secret = randomBytes(32);
  #server: grpc.Server | undefined;
  port = 0;

  private constructor(readonly ca: TestAuthority) {}

  static async start(): Promise<FakeControl> {
    const control = new FakeControl(await createTestAuthority());
    await control.listen();
    return control;
  }

  get endpoint(): HostPort {
    return `127.0.0.1:${this.port}` as HostPort;
  }

  token(change: Partial<{ id: string; addresses: HostPort[]; pin: Uint8Array }> = {}): string {
    const { pin } = this.ca;
    return formatJoinToken({ id: 'tok', secret: this.#secret, addresses: [this.endpoint], pin, ...change });
  }

  /** Listens (again), on the same port if there was one. */
  async listen(): Promise<void> {
    const { key, chain } = await this.ca.server();
    const server = new grpc.Server();
    server.addService(wire.AgentServiceService, this.#service());
    const credentials = optionalClientCertificates(this.ca.rootPem, key, chain);
    this.port = await new Promise((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.port}`, credentials, (error, port) => (error ? reject(error) : resolve(port)));
    });
    this.#server = server;
  }

  /** As a kill -9: connections break. */
  kill(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
    this.streams.clear();
  }

  /** Sends to every connected agent. */
  push(message: wire.SyncResponse['message']): void {
    for (const stream of this.streams) stream.write({ message });
  }

  /** A delta from the present position to the next. */
  pushDelta(delta: Partial<wire.Delta>): void {
    const from = this.position;
    this.position = { ...from, revision: from.revision + 1 };
    const none = { self: undefined, upsert: [], remove: [], tombstones: [] };
    this.push({ $case: 'delta', value: { from, to: this.position, ...none, ...delta } });
  }

  farewell(code: string): void {
    for (const stream of this.streams) {
      const value = { code, message: `said ${code}`, tombstone: undefined };
      stream.write({ message: { $case: 'farewell', value } });
      stream.end();
    }
  }

  self(nodeId: string, name = 'laptop'): wire.SelfConfig {
    const { networkId, networkName, cidrs, role, forward, offlineToleranceMs, address } = this;
    const addresses = [address, 'fd00::3'];
    const common = { nodeId, name, role, addresses, networkId, networkName, cidrs, forward, offlineToleranceMs };
    const keys = { keyExpiresAtMs: 0, keyRotationMs: 0, rotateGeneration: 0, keyWarningMs: 0 };
    return {
      ...common,
      ...keys,
      previousWireguardKey: Buffer.alloc(0),
      pending: this.pending,
      mtu: 1400,
      endpoint: '',
      signalServers: this.signalServers,
      ...this.keyWishes,
    };
  }

  #service(): wire.AgentServiceServer {
    return {
      prepareJoin: (call, done) => this.#unary('prepareJoin', done, () => this.#prepare(call.request)),
      join: (call, done) => this.#unary('join', done, () => this.#join(call.request)),
      renew: (call, done) =>
        this.#unary('renew', done, async () => ({
          certificateChain: await this.#chain(call.request.identityKey),
        })),
      leave: (_call, done) => this.#unary('leave', done, async () => ({})),
      prepareRotation: (_call, done) =>
        this.#unary('prepareRotation', done, async () => ({
          challenge: createHash('sha256').update('challenge').digest(),
          challengeKey: Buffer.from(x25519PublicKey(this.#challengeKey), 'base64'),
        })),
      rotateKey: (call, done) => this.#unary('rotateKey', done, () => this.#rotate(call.request)),
      sync: (call) => this.#sync(call),
      enrollSignal: (_call, done) => done({ code: grpc.status.UNIMPLEMENTED }),
      renewSignal: (_call, done) => done({ code: grpc.status.UNIMPLEMENTED }),
    };
  }

  #unary<T>(name: string, done: grpc.sendUnaryData<T>, answer: () => Promise<T>): void {
    this.requests.push(name);
    const code =
      this.refuse ?? (name === 'join' ? this.refuseJoin : name === 'rotateKey' ? this.refuseRotation : undefined);
    if (code) {
      done(refusal(code));
      return;
    }
    answer().then(
      (reply) => (this.#losesReply(name) ? this.kill() : done(null, reply)),
      (error: unknown) => done(refusal(error instanceof Error ? error.message : 'internal')),
    );
  }

  #losesReply(name: string): boolean {
    return (name === 'join' && this.loseJoinReply) || (name === 'rotateKey' && this.loseRotationReply);
  }

  async #rotate(request: wire.RotateKeyRequest): Promise<wire.RotateKeyResponse> {
    this.onRotation();
    const record = request.record && verifyRecord(request.record);
    if (record?.nodeId !== request.nodeId) throw new Error('record-bad');
    this.#checkPossession(request, record.wireguardKey, request.nodeId);
    this.rotations.push(request);
    return { self: this.self(request.nodeId) };
  }

  #checkPossession(request: wire.RotateKeyRequest | wire.JoinRequest, wireguardKey: string, tokenId: string): void {
    const { challenge, possessionProof } = request;
    const { identityKey, record } = request.record!;
    const transcript = { challenge, identityKey, record, tokenId };
    const key = Buffer.from(wireguardKey, 'base64');
    if (!verifyKeyPossession(nobleProvider, this.#challengeKey, key, transcript, possessionProof)) {
      throw new Error('possession-unproven');
    }
  }

  async #prepare(request: wire.PrepareJoinRequest): Promise<wire.PrepareJoinResponse> {
    if (!request.tokenSecret.equals(this.#secret)) throw new Error('token-unknown');
    if (this.nodes.length >= this.uses) throw new Error('token-used-up');
    const { networkId, networkName, cidrs } = this;
    const member = this.member?.key === toBase64(request.wireguardKey) ? this.member.found : undefined;
    const challengeKey = Buffer.from(x25519PublicKey(this.#challengeKey), 'base64');
    const challenge = createHash('sha256').update('challenge').digest();
    const role = wire.Role.ROLE_UNSPECIFIED;
    return { networkId, networkName, cidrs, role, challenge, challengeKey, member };
  }

  async #join(request: wire.JoinRequest): Promise<wire.JoinResponse> {
    this.joins.push(request);
    const record = request.record && verifyRecord(request.record);
    if (!record || record.networkId !== this.networkId) throw new Error('record-bad');
    this.#checkPossession(request, record.wireguardKey, request.tokenId);
    const { identityKey } = request.record!;
    const identity = toBase64(identityKey);
    if (!this.nodes.some((node) => node.identity === identity)) {
      if (this.nodes.length >= this.uses) throw new Error('token-used-up');
      this.nodes.push({ identity, nodeId: record.nodeId });
    }
    return {
      certificateChain: await this.#chain(identityKey),
      self: this.self(record.nodeId, request.name),
      observedAddress: '192.0.2.1',
      authorityKey: Buffer.from(this.authority.key),
    };
  }

  async #chain(identityKey: Uint8Array): Promise<Buffer[]> {
    return (await this.ca.agent(identityKey, this.certificateLife)).map((der) => Buffer.from(der));
  }

  #sync(call: SyncCall): void {
    this.requests.push('sync');
    if (this.refuse) return void call.emit('error', refusal(this.refuse));
    if (!call.getAuthContext().sslPeerCertificate) return void call.emit('error', refusal('certificate-required'));
    this.streams.add(call);
    call.on('error', () => this.streams.delete(call));
    call.on('end', () => {
      this.streams.delete(call);
      call.end();
    });
    call.on('data', (request: wire.SyncRequest) => this.#hear(call, request));
  }

  #hear(call: SyncCall, request: wire.SyncRequest): void {
    this.received.push(request);
    const { message } = request;
    if (message?.$case === 'heartbeat') {
      const { position, digest } = message.value;
      call.write({ message: { $case: 'heartbeatReply', value: { position, digest } } });
    }
    if (message?.$case !== 'hello') return;
    const { position, nodeId } = message.value;
    this.#welcome(call, position, nodeId);
    if (this.ticket) call.write({ message: { $case: 'signalTicket', value: { ticket: this.ticket } } });
  }

  #welcome(call: SyncCall, position: wire.Position | undefined, nodeId: string): void {
    if (position?.epoch === this.position.epoch && position.revision === this.position.revision) return;
    const { peers, tombstones } = this;
    const value = { position: this.position, self: this.self(nodeId), peers, tombstones };
    call.write({ message: { $case: 'snapshot', value } });
  }
}

/** Join comes without a client certificate and Sync with one, on the same port. */
function optionalClientCertificates(root: string, key: string, chain: string): grpc.ServerCredentials {
  type Provider = Parameters<typeof grpc.experimental.createCertificateProviderServerCredentials>[1];
  const ca = { caCertificate: Buffer.from(root) };
  const identity = { certificate: Buffer.from(chain), privateKey: Buffer.from(key) };
  const provider: Provider = {
    addCaCertificateListener: (listener) => process.nextTick(listener, ca),
    removeCaCertificateListener: () => undefined,
    addIdentityCertificateListener: (listener) => process.nextTick(listener, identity),
    removeIdentityCertificateListener: () => undefined,
  };
  return grpc.experimental.createCertificateProviderServerCredentials(provider, provider, false);
}

function refusal(code: string): Partial<grpc.ServiceError> & Error {
  const metadata = new grpc.Metadata();
  metadata.set('warren-code', code);
  const status = { code: grpc.status.PERMISSION_DENIED, details: `refused: ${code}`, metadata };
  return Object.assign(new Error(code), status);
}
