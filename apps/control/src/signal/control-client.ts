import { createHash, X509Certificate } from 'node:crypto';
import tls from 'node:tls';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { equalBytes, parseHostPort, WarrenError } from '@warren/base';
import { AgentServiceClient } from '@warren/proto';
import { SERVICE_NAME } from '../ca/certificate-authority.js';

/** Milliseconds for one address to answer. */
const TIMEOUT = 10_000;
/** A chain is leaf, intermediate, root; a longer one is no chain of ours. */
const LONGEST_CHAIN = 8;

/** Where a control plane is, and which root it shows. */
export interface ControlAddress {
  readonly addresses: readonly string[];
  readonly rootPem: string;
}

/**
 * The root that a control plane shows, compared with the pin (SHA-256 of its public key) before anything is said (ADR 0011).
 *
 * @throws WarrenError `unreachable`, `pin-mismatch`.
 */
export async function pinnedRoot(addresses: readonly string[], pin: Uint8Array): Promise<string> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return rootOf(await peerCertificate(address), address, pin);
    } catch (error) {
      if (error instanceof WarrenError && error.code === 'pin-mismatch') throw error;
      failure = error;
    }
  }
  throw unreachable(addresses, failure);
}

/**
 * One call to the control plane, at the first of its addresses that answers.
 *
 * @throws WarrenError with the refusal's code, or `unreachable`.
 */
export async function callControl<Answer>(
  { addresses, rootPem }: ControlAddress,
  call: (
    client: AgentServiceClient,
    options: { deadline: number },
    done: (error: ServiceError | null, answer: Answer) => void,
  ) => unknown,
): Promise<Answer> {
  let failure: unknown;
  for (const address of addresses) {
    const client = new AgentServiceClient(address, credentials.createSsl(Buffer.from(rootPem)), {
      'grpc.ssl_target_name_override': SERVICE_NAME,
      'grpc.default_authority': SERVICE_NAME,
      'grpc.use_local_subchannel_pool': 1,
    });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        const deadline = Date.now() + TIMEOUT;
        call(client, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
      });
    } catch (error) {
      const refusal = refusalOf(error as ServiceError);
      if (refusal) throw refusal;
      failure = error;
    } finally {
      client.close();
    }
  }
  throw unreachable(addresses, failure);
}

/** @returns undefined for an error that another address may not have. */
function refusalOf(error: ServiceError): WarrenError | undefined {
  if (error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED) return undefined;
  const code = String(error.metadata?.get('warren-code')[0] ?? 'control-refused');
  return new WarrenError(code, error.details || 'the control plane refused without a reason', { cause: error });
}

function peerCertificate(address: string): Promise<tls.DetailedPeerCertificate> {
  const { host, port } = parseHostPort(address)!;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      ...{ host, port, servername: SERVICE_NAME, ALPNProtocols: ['h2'], minVersion: 'TLSv1.3' },
      rejectUnauthorized: false, // the root is compared with the pin, and every call verifies the chain against it
    });
    socket.setTimeout(TIMEOUT, () => socket.destroy(new Error('no answer in time')));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate(true));
      socket.destroy();
    });
  });
}

function rootOf(leaf: tls.DetailedPeerCertificate, address: string, pin: Uint8Array): string {
  let certificate = leaf;
  for (let i = 0; i < LONGEST_CHAIN; i++) {
    const issuer = certificate.issuerCertificate;
    if (!issuer || issuer === certificate) break;
    certificate = issuer;
  }
  const root = new X509Certificate(certificate.raw);
  const found = createHash('sha256')
    .update(root.publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
  if (equalBytes(found, pin)) return root.toString();
  throw new WarrenError('pin-mismatch', `what answers at ${address} is not the control plane that the token names`);
}

/** gRPC wraps the system's words in its own. */
const tidy = (text: string): string =>
  text
    .replace(/^No connection established\. Last error: (Error: )?/, '')
    .replace(/\.? ?Resolution note:.*$/s, '')
    .trim();

function unreachable(addresses: readonly string[], cause: unknown): WarrenError {
  const { details, message } = cause as Partial<ServiceError>;
  const reason = tidy(details ?? message ?? String(cause));
  return new WarrenError('unreachable', `cannot reach the control plane at ${addresses.join(', ')}: ${reason}`, {
    cause,
  });
}
