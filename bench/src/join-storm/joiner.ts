import { createHash, createPrivateKey, createPublicKey, diffieHellman, randomBytes, randomUUID } from 'node:crypto';
import tls from 'node:tls';
import { type ChannelCredentials, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  concatBytes,
  networkId,
  nodeId,
  parseHostPort,
  publicKeyFromBytes,
  SecretKey,
  WarrenError,
} from '@warren/base';
import { type CryptoProvider, nobleProvider } from '@warren/crypto';
import { type JoinToken, parseJoinToken, proveKeyPossession, type SignedRecord, signRecord } from '@warren/identity';
import { AgentServiceClient, type JoinResponse, type PrepareJoinResponse, Role } from '@warren/proto';

/** The fixed name of every control plane's certificate (docs/protocol/join-and-sync.md). */
const SERVICE_NAME = 'control.warren.internal';
/** What precedes the 32 key bytes in DER (RFC 8410 §7 and §4). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI_X25519 = Buffer.from('302a300506032b656e032100', 'hex');
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** X25519 from OpenSSL: what a client computes shall not be what is measured. */
const provider: CryptoProvider = { ...nobleProvider, dh, publicKey: publicKeyOf };

/** A host that has not joined yet, with all that it can make before it asks. */
export interface Joiner {
  readonly name: string;
  readonly nodeId: string;
  readonly identity: SecretKey;
  readonly wireguard: SecretKey;
  readonly signed: SignedRecord;
}

/** Where to join, and by which token. */
export interface Door {
  readonly token: JoinToken;
  readonly address: string;
  readonly root: string;
}

/** Looks at the token and at the certificate that it pins. @throws WarrenError `bench-failed`. */
export async function openDoor(text: string): Promise<Door> {
  const token = parseJoinToken(text);
  const address = token?.addresses[0];
  const where = address && parseHostPort(address);
  if (!token || !address || !where) throw new WarrenError('bench-failed', 'this is no join token');
  const socket = tls.connect({
    ...where,
    servername: SERVICE_NAME,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
  });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  let certificate = socket.getPeerCertificate(true);
  while (certificate.issuerCertificate && certificate.issuerCertificate !== certificate) {
    certificate = certificate.issuerCertificate;
  }
  socket.destroy();
  return { token, address, root: pem('CERTIFICATE', certificate.raw) };
}

/** Keys, record and signature: everything that takes time on the client's side. */
export function makeJoiner(network: string, name: string): Joiner {
  const [identity, wireguard, path] = [randomKey(), randomKey(), randomKey()];
  const id = randomUUID();
  const signed = signRecord(identity, {
    networkId: networkId(network),
    nodeId: nodeId(id),
    wireguardKey: publicKeyFromBytes(publicKeyOf(wireguard.expose())),
    pathKey: publicKeyFromBytes(publicKeyOf(path.expose())),
    generation: 1,
  });
  return { name, nodeId: id, identity, wireguard, signed };
}

/** Joins over a connection of its own, as a host does. @returns the answer, and what the call `Join` took, milliseconds. */
export async function joinOnce(door: Door, joiner: Joiner): Promise<{ joined: JoinResponse; calledMs: number }> {
  const client = connect(door.address, credentials.createSsl(Buffer.from(door.root)));
  try {
    const token = { tokenId: door.token.id, tokenSecret: Buffer.from(door.token.secret) };
    const prepared = await unary<PrepareJoinResponse>((done) =>
      client.prepareJoin({ ...token, wireguardKey: Buffer.alloc(0) }, done),
    );
    const { record, identityKey, signature } = joiner.signed;
    const transcript = { challenge: prepared.challenge, identityKey, record, tokenId: token.tokenId };
    const proof = proveKeyPossession(provider, joiner.wireguard, prepared.challengeKey, transcript);
    const began = performance.now();
    const joined = await unary<JoinResponse>((done) =>
      client.join(
        {
          ...token,
          name: joiner.name,
          role: Role.ROLE_UNSPECIFIED,
          endpoint: '',
          listenPort: 51_820,
          record: {
            record: Buffer.from(record),
            identityKey: Buffer.from(identityKey),
            signature: Buffer.from(signature),
          },
          challenge: prepared.challenge,
          possessionProof: Buffer.from(proof),
          agentVersion: 'bench',
        },
        done,
      ),
    );
    return { joined, calledMs: performance.now() - began };
  } finally {
    client.close();
  }
}

/** A client with the certificate that the join gave. */
export function connectAs(door: Door, joiner: Joiner, chain: readonly Uint8Array[]): AgentServiceClient {
  const key = Buffer.from(pem('PRIVATE KEY', concatBytes(PKCS8_ED25519, joiner.identity.expose())));
  const certificates = Buffer.from(chain.map((der) => pem('CERTIFICATE', der)).join(''));
  return connect(door.address, credentials.createSsl(Buffer.from(door.root), key, certificates));
}

/** The stable code of a refusal, else the gRPC status. */
export const codeOf = (error: unknown): string => {
  const { metadata, code, message } = error as ServiceError;
  return String(metadata?.get('warren-code')[0] ?? (code === undefined ? message : `grpc-${code}`));
};

/** SHA-256 of an entry's bytes as a number, as digests add them up (join-and-sync.md, “Sync”). */
export const entryHash = (bytes: Uint8Array): bigint => BigInt(`0x${createHash('sha256').update(bytes).digest('hex')}`);

function connect(address: string, ssl: ChannelCredentials): AgentServiceClient {
  return new AgentServiceClient(address, ssl, {
    'grpc.ssl_target_name_override': SERVICE_NAME,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
  });
}

function unary<T>(call: (done: (error: ServiceError | null, value: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value)));
  });
}

function dh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const peer = createPublicKey({ key: Buffer.concat([SPKI_X25519, publicKey]), format: 'der', type: 'spki' });
  return new Uint8Array(diffieHellman({ privateKey: importX25519(privateKey), publicKey: peer }));
}

function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  const der = createPublicKey(importX25519(privateKey)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(der.subarray(SPKI_X25519.length));
}

const importX25519 = (key: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([PKCS8_X25519, key]), format: 'der', type: 'pkcs8' });

const randomKey = (): SecretKey => new SecretKey(randomBytes(32));

const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;
