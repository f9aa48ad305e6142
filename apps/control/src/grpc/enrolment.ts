import { KEY_LENGTH, parseHostPort, unixMillis, WarrenError } from '@warren/base';
import type { SignalServerInput, Store } from '@warren/db';
import { verifySignalClaim } from '@warren/identity';
import type {
  EnrollSignalRequest,
  EnrollSignalResponse,
  RenewSignalRequest,
  RenewSignalResponse,
  SignalClaim,
  SignalGrant,
} from '@warren/proto';
import type { CertificateAuthority } from '../ca/certificate-authority.js';
import { tombstoneToWire } from '../codec/agent-codec.js';
import type { SignalDirectory } from '../signal/signal-directory.js';
import { LONGEST_TICKET_LIFE } from '../signal/tickets.js';

/** How far a signal server's clock may be from ours. */
const CLAIM_WINDOW = 5 * 60_000;
const ID = /^[\x21-\x7e]{1,64}$/;
const SECRET_LENGTH = 32;

export interface EnrolmentOptions {
  readonly store: Store;
  readonly ca: CertificateAuthority;
  /** Ed25519 public key that tickets and tombstones are verified with. */
  readonly authorityKey: Uint8Array;
  readonly signals: Pick<SignalDirectory, 'refresh'>;
  readonly now: () => number;
}

/** The calls of signal servers that run alone. Their own signatures say who they are. */
export interface EnrolmentService {
  enroll(request: EnrollSignalRequest): Promise<EnrollSignalResponse>;
  renew(request: RenewSignalRequest): Promise<RenewSignalResponse>;
}

export function createEnrolmentService(options: EnrolmentOptions): EnrolmentService {
  const { store, signals, now } = options;
  return {
    async enroll({ tokenId, tokenSecret, claim }) {
      if (!ID.test(tokenId) || tokenSecret.length !== SECRET_LENGTH) {
        const text =
          'the control plane does not know this signal token: make one with `warren signal token --region NAME`';
        throw new WarrenError('token-unknown', text);
      }
      const { identityKey, key } = checkClaim(tokenId, claim, now());
      const row = await store.enrollSignalServer({ tokenId, tokenSecret, identityKey, key }, `signal-token:${tokenId}`);
      return { serverId: row.id, region: row.region, grant: await grant(options, identityKey) };
    },
    async renew({ serverId, claim, load }) {
      if (!ID.test(serverId)) throw claimBad();
      const { identityKey, ...input } = checkClaim(serverId, claim, now());
      await store.renewSignalServer(serverId, identityKey, { ...input, ...(load && { load }) });
      await signals.refresh();
      return { grant: await grant(options, identityKey) };
    },
  };
}

async function grant({ store, ca, authorityKey }: EnrolmentOptions, identityKey: Uint8Array): Promise<SignalGrant> {
  const [chain, tombstones] = await Promise.all([ca.issueRelay(identityKey), store.tombstones(LONGEST_TICKET_LIFE)]);
  return {
    certificateChain: chain.map((certificate) => Buffer.from(certificate)),
    authorityKey: Buffer.from(authorityKey),
    tombstones: tombstones.map(tombstoneToWire),
  };
}

/** @throws WarrenError `claim-bad` unless the identity signed it, for `subject`, now. */
function checkClaim(
  subject: string,
  claim: SignalClaim | undefined,
  now: number,
): SignalServerInput & { identityKey: Uint8Array } {
  if (claim?.identityKey.length !== KEY_LENGTH || Math.abs(now - claim.signedAt) > CLAIM_WINDOW) throw claimBad();
  const { identityKey, key, udp, tls, signature } = claim;
  const signed = { subject, signedAt: unixMillis(claim.signedAt), key, udp, tls };
  if (!verifySignalClaim(identityKey, signed, signature)) throw claimBad();
  const addresses = tls.map(hostPort);
  return { identityKey, key, udp: udp === '' ? null : hostPort(udp), tls: addresses };
}

function hostPort(text: string) {
  if (parseHostPort(text)) return text as NonNullable<SignalServerInput['udp']>;
  throw new WarrenError('bad-request', 'an address of a signal server must be host:port, such as 203.0.113.5:3478');
}

const claimBad = (): WarrenError =>
  new WarrenError(
    'claim-bad',
    'the request is not signed by the identity of that signal server, or the clock is more than five minutes off',
  );
