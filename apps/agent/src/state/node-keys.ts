import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import {
  fromBase64,
  type NodeId,
  nodeId,
  type PublicKey,
  publicKeyFromBytes,
  SecretKey,
  toBase64,
  WarrenError,
} from '@warren/base';
import { readJsonIfThere, writeFileAtomically } from './atomic-file.js';

/** The three keys of a node and its id; made on the host, private parts never leave it (join-and-sync.md, “The keys”). */
export interface NodeKeys {
  readonly nodeId: NodeId;
  /** Ed25519 seed. */
  readonly identity: SecretKey;
  /** X25519: probes and candidate messages. */
  readonly path: SecretKey;
  /** X25519: WireGuard. */
  readonly wireguard: SecretKey;
  /** Counts rotations; in the signed record. */
  readonly generation: number;
  /** The WireGuard key before, while some still use it. */
  readonly previousWireguard?: SecretKey;
  /** When the WireGuard key was taken, Unix milliseconds; absent for the first one. */
  readonly changedAt?: number;
}

/** Fresh keys and a fresh id. */
export function generateNodeKeys(): NodeKeys {
  return {
    nodeId: nodeId(randomUUID()),
    identity: generateSecret('ed25519'),
    path: generateSecret('x25519'),
    wireguard: generateWireguardKey(),
    generation: 1,
  };
}

export const generateWireguardKey = (): SecretKey => generateSecret('x25519');

/** The X25519 public key of a private one. */
export function x25519PublicKey(key: SecretKey): PublicKey {
  return publicKeyFromBytes(rawPublicKey('x25519', key));
}

/** The Ed25519 public key of a seed, 32 bytes. */
export function identityPublicKey(key: SecretKey): Uint8Array {
  return rawPublicKey('ed25519', key);
}

/** The identity as PEM, for TLS. Held in memory only. */
export function identityPem(key: SecretKey): string {
  return privateKeyObject('ed25519', key).export({ format: 'pem', type: 'pkcs8' }).toString();
}

export async function saveNodeKeys(path: string, keys: NodeKeys): Promise<void> {
  const { nodeId, generation, previousWireguard, changedAt } = keys;
  const encode = (key: SecretKey): string => toBase64(key.expose());
  const secrets = {
    identity: encode(keys.identity),
    path: encode(keys.path),
    wireguard: encode(keys.wireguard),
    ...(previousWireguard && { previousWireguard: encode(previousWireguard) }),
  };
  const content = { version: 1, nodeId, generation, ...(changedAt !== undefined && { changedAt }), ...secrets };
  await writeFileAtomically(path, `${JSON.stringify(content)}\n`);
}

/** @returns undefined when there is no file. @throws WarrenError `state-damaged` when it holds no keys. */
export async function loadNodeKeys(path: string): Promise<NodeKeys | undefined> {
  const file = await readJsonIfThere(path);
  if (!file) return undefined;
  const key = (name: string): SecretKey => {
    const bytes = fromBase64(String(file[name]));
    if (bytes?.length === 32) return new SecretKey(bytes);
    throw new WarrenError('state-damaged', `${path} is damaged: restore it from a backup, or remove it and join again`);
  };
  return {
    nodeId: nodeId(String(file.nodeId)),
    identity: key('identity'),
    path: key('path'),
    wireguard: key('wireguard'),
    generation: Number(file.generation) || 1,
    ...(file.previousWireguard !== undefined && { previousWireguard: key('previousWireguard') }),
    ...(typeof file.changedAt === 'number' && { changedAt: file.changedAt }),
  };
}

type Curve = 'ed25519' | 'x25519';

/** RFC 8410 §7: the DER before a raw private key. */
const PKCS8_PREFIX = { ed25519: '302e020100300506032b657004220420', x25519: '302e020100300506032b656e04220420' };

function generateSecret(curve: Curve): SecretKey {
  const { privateKey } = curve === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
  return new SecretKey(privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32));
}

const privateKeyObject = (curve: Curve, key: SecretKey) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from(PKCS8_PREFIX[curve], 'hex'), key.expose()]),
    format: 'der',
    type: 'pkcs8',
  });

function rawPublicKey(curve: Curve, key: SecretKey): Uint8Array {
  const spki = createPublicKey(privateKeyObject(curve, key)).export({ format: 'der', type: 'spki' });
  return Uint8Array.from(spki.subarray(-32));
}
