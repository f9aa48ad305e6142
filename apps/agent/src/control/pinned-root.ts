import { createHash, X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { equalBytes, type HostPort, parseHostPort, WarrenError } from '@warren/base';

/** The name in every control plane's certificate, whatever its address (ADR 0011). */
export const SERVICE_NAME = 'control.warren.internal';

const CONNECT_TIMEOUT = 5_000;
/** Head start of each address before the next one is dialled beside it, milliseconds (RFC 8305 §5). */
const HEAD_START = 250;

/** A control plane that showed the pinned root. */
export interface PinnedControl {
  readonly address: HostPort;
  readonly root: X509Certificate;
}

/**
 * Dials the addresses, each a little after the one before it, and looks at the certificates before anything secret is said: a
 * firewall that lets one port through and drops the rest costs no time.
 * @param pin SHA-256 of the root's SubjectPublicKeyInfo.
 * @throws WarrenError `control-unreachable` when none answers, `pin-mismatch` when those that do are others.
 */
export async function findPinnedControl(
  addresses: readonly HostPort[],
  pin: Uint8Array,
  now: () => Date,
): Promise<PinnedControl> {
  const found = new AbortController();
  const attempts = addresses.map(async (address, position): Promise<PinnedControl> => {
    await headStart(position * HEAD_START, found.signal);
    return { address, root: verifyChain(await presentedChain(address, found.signal), pin, address, now()) };
  });
  const outcomes = await Promise.any(attempts).catch(({ errors }: AggregateError) => errors as unknown[]);
  found.abort();
  if (!Array.isArray(outcomes)) return outcomes;
  // A private address of the token may be somebody else's where this host stands: that is only said when no other is right.
  const mismatch = outcomes.find((error) => error instanceof WarrenError);
  if (mismatch) throw mismatch;
  const failure = outcomes.at(-1);
  const why = failure instanceof Error ? failure.message : 'no address';
  throw new WarrenError(
    'control-unreachable',
    `the control plane cannot be reached at ${addresses.join(', ')} (${why}): check network and firewall, ` +
      'or name another address with --control',
    { cause: failure },
  );
}

/** Settles after the time, or when another address was right. */
function headStart(milliseconds: number, found: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    found.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
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
function presentedChain(address: HostPort, found: AbortSignal): Promise<X509Certificate[]> {
  const { host, port } = parseHostPort(address)!;
  return new Promise((resolve, reject) => {
    if (found.aborted) return reject(new Error('another address was right'));
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
    found.addEventListener('abort', () => fail(new Error('another address was right')));
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
