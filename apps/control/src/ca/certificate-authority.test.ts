import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { networkId, nodeId } from '@warren/base';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  type CertificateAuthority,
  openCertificateAuthority,
  SERVICE_NAME,
  subjectOfAgent,
} from './certificate-authority.js';

const NETWORK = networkId('0b0e5d6c-1111-4111-8111-111111111111');
const NODE = nodeId('0b0e5d6c-2222-4222-8222-222222222222');
let kept: Map<string, Uint8Array>;
let ca: CertificateAuthority;

const open = (now?: () => Date): Promise<CertificateAuthority> =>
  openCertificateAuthority(async (name, make) => {
    const value = kept.get(name) ?? (await make());
    kept.set(name, value);
    return value;
  }, now);

beforeEach(async () => {
  kept = new Map();
  ca = await open();
});

const chainOf = (pem: string): X509Certificate[] =>
  pem.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g)!.map((text) => new X509Certificate(text));

/** Each certificate is issued by the next, and the last one by itself. */
function checkChain(chain: readonly X509Certificate[]): void {
  chain.forEach((certificate, i) => {
    const issuer = chain[i + 1] ?? certificate;
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
  });
}

describe('the certificate authority', () => {
  it('certifies the service name, and shows the root that tokens pin', async () => {
    const chain = chainOf((await ca.issueServer()).chain);
    expect(chain).toHaveLength(3);
    checkChain(chain);
    expect(chain[0]!.checkHost(SERVICE_NAME)).toBe(SERVICE_NAME);
    expect(chain[0]!.ca).toBe(false);
    const spki = chain[2]!.publicKey.export({ type: 'spki', format: 'der' });
    expect(createHash('sha256').update(spki).digest()).toEqual(Buffer.from(ca.pin));
  });

  it('certifies the identity key of an agent for a day', async () => {
    const identityKey = randomBytes(32);
    const chain = (await ca.issueAgent({ nodeId: NODE, networkId: NETWORK, identityKey })).map(
      (der) => new X509Certificate(Buffer.from(der)),
    );
    checkChain(chain);
    expect(chain[0]!.publicKey.export({ format: 'jwk' })).toMatchObject({
      crv: 'Ed25519',
      x: identityKey.toString('base64url'),
    });
    expect(subjectOfAgent(chain[0]!.subjectAltName)).toEqual({ nodeId: NODE, networkId: NETWORK });
    const life = Date.parse(chain[0]!.validTo) - Date.now();
    expect(life).toBeGreaterThan(23 * 3_600_000);
    expect(life).toBeLessThanOrEqual(24 * 3_600_000);
  });

  it('is the same after a restart, and changes its intermediate with the year while the pin stays', async () => {
    const again = await open();
    expect(again.pin).toEqual(ca.pin);
    const next = await open(() => new Date(Date.now() + 366 * 86_400_000));
    expect(next.pin).toEqual(ca.pin);
    const [before, after] = [chainOf((await ca.issueServer()).chain), chainOf((await next.issueServer()).chain)];
    expect(after[1]!.fingerprint256).not.toBe(before[1]!.fingerprint256);
    expect(after[2]!.fingerprint256).toBe(before[2]!.fingerprint256);
    checkChain(after);
  });

  it('reads no node from other names', () => {
    for (const name of [
      undefined,
      '',
      'DNS:control.warren.internal',
      'URI:urn:warren:network:x:node:y',
      `DNS:a, URI:urn:warren:network:${NETWORK}:node:${NODE}`,
    ]) {
      expect(subjectOfAgent(name)).toBeUndefined();
    }
  });
});
