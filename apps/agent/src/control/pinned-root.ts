import { createHash, X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { equalBytes, type HostPort, parseHostPort, WarrenError } from '@warren/base';

/** The name in every control plane's certificate, whatever its address (ADR 0011). */
export const SERVICE_NAME = 'control.warren.internal';

const CONNECT_TIMEOUT = 5_000;

/** A control plane that showed the pinned root. */
export interface PinnedControl {
  readonly address: HostPort;
  readonly root: X509Certificate;
}

/**
 * Dials the addresses in turn and looks at the certificates before anything secret is said.
 * @param pin SHA-256 of the root's SubjectPublicKeyInfo.
 * @throws WarrenError `control-unreachable` when none answers, `pin-mismatch` when those that do are others.
 */
export async function findPinnedControl(
  addresses: readonly HostPort[],
  pin: Uint8Array,
  now: () => Date,
): Promise<PinnedControl> {
  let failure: unknown;
  let mismatch: WarrenError | undefined;
  for (const address of addresses) {
    try {
      return { address, root: verifyChain(await presentedChain(address), pin, address, now()) };
    } catch (error) {
      // A private address of the token may be somebody else's where this host stands: the next may be right.
      if (error instanceof WarrenError) mismatch ??= error;
      else failure = error;
    }
  }
  if (mismatch) throw mismatch;
  const why = failure instanceof Error ? failure.message : 'no address';
  throw new WarrenError(
    'control-unreachable',
    `the control plane cannot be reached at ${addresses.join(', ')} (${why}): check network and firewall, ` +
      'or name another address with --control',
    { cause: failure },
  );
}

/**
 * Checks root against pin, each signature up to it, dates and service name.
 * @throws WarrenError `pin-mismatch`, or `clock-wrong` when only the dates are off.
 */
export function verifyChain(
  chain: readonly X509Certificate[],
  pin: Uint8Array,
  address: string,
  now: Date,
): X509Certificate {
  const [leaf] = chain;
  const root = chain.at(-1);
  const mismatch = (what: string): WarrenError =>
    new WarrenError(
      'pin-mismatch',
      `${address} is not the control plane that the token names (${what}): nothing secret was sent; ` +
        'check the address, or get a new token',
    );
  if (!leaf || !root) throw mismatch('it shows no certificate');
  if (!equalBytes(spkiHash(root), pin)) throw mismatch('its root certificate is another');
  chain.forEach((certificate, i) => {
    const issuer = chain[i + 1] ?? root;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      throw mismatch('its certificates do not lead to the root');
    }
  });
  if (!leaf.checkHost(SERVICE_NAME)) throw mismatch('its certificate is for another service');
  for (const certificate of chain) requireCurrent(certificate, now);
  return root;
}

function requireCurrent(certificate: X509Certificate, now: Date): void {
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (from <= now && now <= to) return;
  throw new WarrenError(
    'clock-wrong',
    `this host's clock says ${now.toISOString()}, but the control plane's certificate is good from ` +
      `${from.toISOString()} to ${to.toISOString()}: set the clock`,
  );
}

const spkiHash = (certificate: X509Certificate): Uint8Array =>
  createHash('sha256')
    .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    .digest();

/** Leaf first, as far as the server presents it. Nothing is verified here, and nothing is sent. */
function presentedChain(address: HostPort): Promise<X509Certificate[]> {
  const { host, port } = parseHostPort(address)!;
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      servername: SERVICE_NAME,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.2',
      rejectUnauthorized: false,
      timeout: CONNECT_TIMEOUT,
    });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('secureConnect', () => {
      const chain = chainOf(socket.getPeerCertificate(true));
      socket.destroy();
      resolve(chain);
    });
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error('no answer in time')));
    socket.once('close', () => fail(new Error('the connection was closed')));
  });
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  while (certificate?.raw && chain.length < 8) {
    chain.push(new X509Certificate(certificate.raw));
    // A self-signed certificate is its own issuer.
    if (certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
