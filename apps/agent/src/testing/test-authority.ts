import 'reflect-metadata';
import { createHash, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
type CryptoKey = webcrypto.CryptoKey;
type Crypto = Parameters<typeof x509.cryptoProvider.set>[0];

x509.cryptoProvider.set(webcrypto as unknown as Crypto);

export interface TestAuthority {
  /** SHA-256 of the root's SubjectPublicKeyInfo. */
  readonly pin: Uint8Array;
  readonly rootPem: string;
  /** Key and chain (leaf, root) of a server with this name, PEM. */
  server(name?: string, issuer?: TestAuthority): Promise<{ key: string; chain: string }>;
  /** DER chain of an agent, leaf first. */
  agent(identityKey: Uint8Array, lifeMs?: number): Promise<Uint8Array[]>;
}

/** A certificate authority for one test. */
export async function createTestAuthority(): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(3_600_000),
    name: 'CN=test root',
    keys: keys as never,
    signingAlgorithm: ECDSA,
    extensions: [new x509.BasicConstraintsExtension(true, 1, true)],
  });
  const rootPem = root.toString('pem');
  const sign = (subject: string, publicKey: unknown, life: number, extensions: x509.Extension[]) =>
    x509.X509CertificateGenerator.create({
      ...validity(life),
      subject,
      issuer: root.subject,
      publicKey: publicKey as never,
      signingKey: keys.privateKey as never,
      signingAlgorithm: ECDSA,
      extensions,
    });
  return {
    pin: createHash('sha256').update(new Uint8Array(root.publicKey.rawData)).digest(),
    rootPem,
    async server(name = 'control.warren.internal') {
      const serverKeys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
      const leaf = await sign(`CN=${name}`, serverKeys.publicKey, 3_600_000, [
        new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      ]);
      const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', serverKeys.privateKey as CryptoKey);
      return { key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY'), chain: `${leaf.toString('pem')}\n${rootPem}` };
    },
    async agent(identityKey, life = 3_600_000) {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(identityKey).toString('base64url') };
      const spki = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' });
      const leaf = await sign('CN=agent', new Uint8Array(spki), life, []);
      return [leaf, root].map((certificate) => new Uint8Array(certificate.rawData));
    },
  };
}

function validity(life: number): { serialNumber: string; notBefore: Date; notAfter: Date } {
  const serial = randomBytes(16);
  serial[0] = 0x41;
  return {
    serialNumber: serial.toString('hex'),
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + life),
  };
}
