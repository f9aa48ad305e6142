import 'reflect-metadata';
import { createHash, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { type NetworkId, type NodeId, networkId, nodeId } from '@warren/base';
import { RELAY_SERVICE_NAME } from '@warren/signal';

x509.cryptoProvider.set(webcrypto);

type CryptoKey = webcrypto.CryptoKey;

/** The name that every control plane's certificate carries; agents verify it, whatever address they dialled. */
export const SERVICE_NAME = 'control.warren.internal';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ROOT_LIFE = 20 * 365 * DAY;
/** An intermediate is made each calendar year, so it outlives its use by a year. */
const INTERMEDIATE_LIFE = 2 * 365 * DAY;
const SERVER_LIFE = 30 * DAY;
/** Agent certificates are short (ADR 0011); agents renew at half their life. */
const AGENT_LIFE = 1 * DAY;
/** For agents whose clock is behind. */
const BACKDATED = HOUR;
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const NODE_URN = /^urn:warren:network:([0-9a-f-]{36}):node:([0-9a-f-]{36})$/;

/** Where the authority's keys are kept: `Store.secret`. The first writer wins across replicas. */
export type KeepSecret = (name: string, make: () => Promise<Uint8Array>) => Promise<Uint8Array>;

/** A TLS server's key and certificate chain (leaf, intermediate, root), PEM. */
export interface ServerCertificate {
  readonly key: string;
  readonly chain: string;
  readonly notAfter: Date;
}

interface Signer {
  readonly certificate: x509.X509Certificate;
  readonly key: CryptoKey;
}

/** The control plane's own authority: a root that join tokens pin, and a yearly intermediate that signs. */
export interface CertificateAuthority {
  /** SHA-256 of the root's SubjectPublicKeyInfo, 32 bytes. */
  readonly pin: Uint8Array;
  /** Trust anchor for client certificates, PEM. */
  readonly rootPem: string;
  issueServer(): Promise<ServerCertificate>;
  /** Certifies a signal server's identity key (Ed25519, 32 bytes) for the name of relays. DER, leaf first, root last. */
  issueRelay(identityKey: Uint8Array): Promise<Uint8Array[]>;
  /** Certifies an agent's identity key (Ed25519, 32 bytes). DER, leaf first, root last. */
  issueAgent(subject: { nodeId: NodeId; networkId: NetworkId; identityKey: Uint8Array }): Promise<Uint8Array[]>;
}

export async function openCertificateAuthority(
  keep: KeepSecret,
  now: () => Date = () => new Date(),
): Promise<CertificateAuthority> {
  const root = await unpack(await keep('ca-root', async () => pack(await makeRoot(now()))));
  /** The one of the current year: reading it again for each certificate was a tenth of what a join costs. */
  let kept: { readonly year: number; readonly signer: Signer } | undefined;
  const intermediate = async (): Promise<Signer> => {
    const year = now().getUTCFullYear();
    if (kept?.year === year) return kept.signer;
    const packed = await keep(`ca-intermediate-${year}`, async () => pack(await makeIntermediate(root, year, now())));
    kept = { year, signer: await unpack(packed) };
    return kept.signer;
  };
  const rootPem = root.certificate.toString('pem');
  return {
    pin: createHash('sha256').update(new Uint8Array(root.certificate.publicKey.rawData)).digest(),
    rootPem,
    issueServer: async () => issueServer(await intermediate(), rootPem, now()),
    issueRelay: async (identityKey) => {
      const issuer = await intermediate();
      return derChain(await issueRelay(issuer, identityKey, now()), issuer, root);
    },
    issueAgent: async (subject) => {
      const issuer = await intermediate();
      return derChain(await issueAgent(issuer, subject, now()), issuer, root);
    },
  };
}

const derChain = (leaf: x509.X509Certificate, issuer: Signer, root: Signer): Uint8Array[] =>
  [leaf, issuer.certificate, root.certificate].map((certificate) => new Uint8Array(certificate.rawData));

/** The node and network that a verified client certificate names. @returns undefined for a certificate of another kind. */
export function subjectOfAgent(
  subjectAltName: string | undefined,
): { nodeId: NodeId; networkId: NetworkId } | undefined {
  const match = NODE_URN.exec(subjectAltName?.replace(/^URI:/, '') ?? '');
  return match ? { networkId: networkId(match[1]!), nodeId: nodeId(match[2]!) } : undefined;
}

async function makeRoot(now: Date): Promise<Signer> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(now, ROOT_LIFE),
    name: 'CN=Warren root',
    keys,
    signingAlgorithm: ECDSA,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, key: keys.privateKey };
}

async function makeIntermediate(root: Signer, year: number, now: Date): Promise<Signer> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const certificate = await sign(root, `CN=Warren intermediate ${year}`, keys.publicKey, now, INTERMEDIATE_LIFE, [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ]);
  return { certificate, key: keys.privateKey };
}

async function issueServer(issuer: Signer, rootPem: string, now: Date): Promise<ServerCertificate> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const leaf = await signServer(issuer, keys.publicKey, now, [SERVICE_NAME, RELAY_SERVICE_NAME]);
  const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  // The root too: an agent compares it with its token's pin before it says anything.
  const chain = [leaf.toString('pem'), issuer.certificate.toString('pem'), rootPem].join('\n');
  return { key, chain, notAfter: leaf.notAfter };
}

const issueRelay = (issuer: Signer, identityKey: Uint8Array, now: Date): Promise<x509.X509Certificate> =>
  signServer(issuer, ed25519Spki(identityKey), now, [RELAY_SERVICE_NAME]);

/** A TLS server's certificate for `names`. */
function signServer(
  issuer: Signer,
  publicKey: CryptoKey | Uint8Array<ArrayBuffer>,
  now: Date,
  names: readonly [string, ...string[]],
): Promise<x509.X509Certificate> {
  return sign(issuer, `CN=${names[0]}`, publicKey, now, SERVER_LIFE, [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
  ]);
}

function ed25519Spki(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') };
  return new Uint8Array(createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' }));
}

function issueAgent(
  issuer: Signer,
  subject: { nodeId: NodeId; networkId: NetworkId; identityKey: Uint8Array },
  now: Date,
): Promise<x509.X509Certificate> {
  const urn = `urn:warren:network:${subject.networkId}:node:${subject.nodeId}`;
  return sign(issuer, `CN=${subject.nodeId}`, ed25519Spki(subject.identityKey), now, AGENT_LIFE, [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: urn }]),
  ]);
}

async function sign(
  issuer: Signer,
  subject: string,
  publicKey: CryptoKey | Uint8Array<ArrayBuffer>,
  now: Date,
  life: number,
  extensions: x509.Extension[],
): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create({
    ...validity(now, life),
    subject,
    issuer: issuer.certificate.subject,
    publicKey,
    signingKey: issuer.key,
    signingAlgorithm: ECDSA,
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
    ],
  });
}

function validity(now: Date, life: number): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40; // positive and of constant length (RFC 5280 §4.1.2.2)
  return {
    serialNumber: serial.toString('hex'),
    notBefore: new Date(now.getTime() - BACKDATED),
    notAfter: new Date(now.getTime() + life),
  };
}

async function pack(signer: Signer): Promise<Uint8Array> {
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', signer.key)).toString('base64');
  return Buffer.from(JSON.stringify({ key, certificate: signer.certificate.toString('base64') }));
}

async function unpack(kept: Uint8Array): Promise<Signer> {
  const { key, certificate } = JSON.parse(Buffer.from(kept).toString()) as { key: string; certificate: string };
  return {
    certificate: new x509.X509Certificate(certificate),
    key: await webcrypto.subtle.importKey('pkcs8', Buffer.from(key, 'base64'), ECDSA, false, ['sign']),
  };
}
