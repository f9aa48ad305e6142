import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import { concatBytes, type HostPort, toBase64, unixMillis, WarrenError } from '@warren/base';
import { ed25519PublicKey, nobleProvider } from '@warren/crypto';
import { parseJoinToken, type SignedTombstone, signSignalClaim, verifyTombstone } from '@warren/identity';
import type { EnrollSignalResponse, RenewSignalResponse, SignalClaim, SignalGrant } from '@warren/proto';
import { RELAY_ALPN } from '@warren/signal';
import type { ServerCertificate } from '../ca/certificate-authority.js';
import type { SignalConfig } from '../config.js';
import { lockDataDir, makeDataDir } from '../data-dir.js';
import { listenTls, type TlsListener } from '../grpc/tls-listener.js';
import type { Log } from '../log.js';
import { tokenAddresses } from '../public-host.js';
import { callControl, pinnedRoot } from './control-client.js';
import { RelayServer } from './relay-server.js';
import { SignalLoadMeter } from './signal-load.js';
import { type Enrolment, loadSignalState, mergeTombstones, type SignalState, saveSignalState } from './signal-state.js';

/** How often the control plane is asked for a certificate and revocations; agents bring the latter sooner. Milliseconds. */
const RENEW_INTERVAL = 5 * 60_000;
const FIRST_RETRY = 2_000;
/** Longer than any ticket lives. */
const TOMBSTONE_LIFE = 31 * 86_400_000;
/** RFC 8410 §7: what goes before an Ed25519 seed in PKCS #8. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A signal server that runs alone. */
export interface SignalNode {
  readonly serverId: string;
  readonly region: string;
  readonly udp: HostPort;
  readonly tls: readonly HostPort[];
  close(): Promise<void>;
}

/**
 * Enrols at the first start; afterwards runs on what is in the data directory, and speaks with the control plane now and
 * then, when it is there.
 *
 * @throws WarrenError for what the operator can mend; nothing stays open then.
 */
export async function startSignalNode(
  config: SignalConfig,
  log: Log,
  renewInterval = RENEW_INTERVAL,
): Promise<SignalNode> {
  await makeDataDir(config.dataDir);
  const lock = await lockDataDir(config.dataDir, 'signal');
  const closers: (() => Promise<void>)[] = [() => lock.release()];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const kept = await loadSignalState(config.dataDir);
    const enrolled = await enrolment(config, kept);
    const node = new Node(config, { ...kept, enrolled }, log);
    await node.start(closers);
    node.renew(renewInterval);
    const { udp, tls } = node;
    return { serverId: enrolled.serverId, region: enrolled.region, udp, tls, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the data directory has, or what the token gives. */
async function enrolment(config: SignalConfig, state: SignalState): Promise<Enrolment> {
  const token = config.token === undefined ? undefined : parseJoinToken(config.token);
  if (config.token !== undefined && !token) {
    throw new WarrenError('token-bad', 'this is no token: copy the whole line that `warren signal token` printed');
  }
  if (state.enrolled) {
    if (!token || token.id === state.enrolled.tokenId) return state.enrolled;
    const text = `${config.dataDir} is enrolled with another token: leave --token out, or choose another --data-dir`;
    throw new WarrenError('already-enrolled', text);
  }
  if (!token) {
    const text = 'this signal server is not enrolled yet: give --token, from `warren signal token --region NAME`';
    throw new WarrenError('usage', text);
  }
  const { addresses, id: tokenId, secret } = token;
  const rootPem = await pinnedRoot(addresses, token.pin);
  const request = { tokenId, tokenSecret: Buffer.from(secret), claim: claimOf(state, tokenId, '', []) };
  const answer = await callControl<EnrollSignalResponse>({ addresses, rootPem }, (client, options, done) =>
    client.enrollSignal(request, new Metadata(), options, done),
  );
  const { serverId, region } = answer;
  const enrolled = { tokenId, serverId, region, addresses, rootPem, ...granted(answer.grant, []) };
  await saveSignalState(config.dataDir, { ...state, enrolled });
  return enrolled;
}

class Node {
  udp = '' as HostPort;
  tls: readonly HostPort[] = [];
  #relay!: RelayServer;
  #load!: SignalLoadMeter;
  #listener!: TlsListener;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #failing = false;
  #enrolled: Enrolment;
  /** One write after another. */
  #saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly config: SignalConfig,
    private readonly state: SignalState & { readonly enrolled: Enrolment },
    private readonly log: Log,
  ) {
    this.#enrolled = state.enrolled;
  }

  async start(closers: (() => Promise<void>)[]): Promise<void> {
    const { config, state, log } = this;
    closers.push(() => this.#saving);
    this.#relay = await RelayServer.start({
      address: config.stun,
      key: state.key,
      authorityKey: state.enrolled.authorityKey,
      tombstones: async () => this.#enrolled.tombstones,
      onTombstone: (tombstone) => this.#keep([tombstone]),
      log,
    });
    this.#load = new SignalLoadMeter(this.#relay, () => performance.now());
    closers.push(() => this.#relay.close());
    const source = { rootPem: state.enrolled.rootPem, issueServer: async () => this.#certificate() };
    const handlers = new Map([
      [RELAY_ALPN, (socket: Parameters<RelayServer['serve']>[0]) => this.#relay.serve(socket)],
    ]);
    this.#listener = await listenTls(config.agents, source, handlers, log);
    closers.push(async () => {
      this.#closed = true;
      clearTimeout(this.#timer);
      const ended = this.#listener.close();
      // Its connections would keep the listener waiting.
      await this.#relay.close();
      await ended;
    });
    this.udp = tokenAddresses([this.#relay.address], config.publicHost)[0]!;
    this.tls = tokenAddresses(this.#listener.addresses, config.publicHost);
    if (this.#certificate().notAfter.getTime() < Date.now()) {
      log.warn(
        'the certificate has expired: agents without UDP cannot use this server until the control plane is back',
      );
    }
  }

  /** Says where we are and takes what the control plane has for us; again after `interval`, sooner after a failure. */
  renew(interval: number, retry = FIRST_RETRY): void {
    this.#renewOnce().then(
      () => {
        if (this.#failing) this.log.info('the control plane is back');
        this.#failing = false;
        this.#later(interval, () => this.renew(interval));
      },
      (error: unknown) => {
        // Said once: without the control plane this server goes on as it is.
        if (!this.#failing && !this.#closed) this.#warn(error);
        this.#failing = true;
        const pause = Math.min(retry, interval);
        this.#later(pause, () => this.renew(interval, pause * 2));
      },
    );
  }

  #warn(error: unknown): void {
    const about = error instanceof WarrenError ? { code: error.code, reason: error.message } : { err: error };
    this.log.warn(about, 'cannot renew at the control plane: going on with what is known');
  }

  async #renewOnce(): Promise<void> {
    const { serverId } = this.#enrolled;
    const claim = claimOf(this.state, serverId, this.udp, this.tls);
    const load = await this.#load.read();
    const { grant } = await callControl<RenewSignalResponse>(this.#enrolled, (client, options, done) =>
      client.renewSignal({ serverId, claim, load }, new Metadata(), options, done),
    );
    if (this.#closed) return;
    const { chain, authorityKey, tombstones } = granted(grant, this.#enrolled.tombstones);
    if (toBase64(authorityKey) !== toBase64(this.state.enrolled.authorityKey)) {
      throw new WarrenError(
        'authority-changed',
        'the control plane has another authority: enrol anew in another --data-dir',
      );
    }
    this.#enrolled = { ...this.#enrolled, chain };
    this.#keep(tombstones);
    this.#relay.addTombstones(tombstones);
    await this.#listener.replaceCertificate();
  }

  #later(pause: number, action: () => void): void {
    if (!this.#closed) this.#timer = setTimeout(action, pause);
  }

  /** Kept for the next start, which may be without the control plane. */
  #keep(tombstones: readonly SignedTombstone[]): void {
    const merged = mergeTombstones(this.#enrolled.tombstones, tombstones, Date.now() - TOMBSTONE_LIFE);
    this.#enrolled = { ...this.#enrolled, tombstones: merged };
    this.#saving = this.#saving
      .then(() => saveSignalState(this.config.dataDir, { ...this.state, enrolled: this.#enrolled }))
      .catch((error: unknown) => this.log.error({ err: error }, 'cannot write to the data directory'));
  }

  #certificate(): ServerCertificate {
    const { chain } = this.#enrolled;
    const der = concatBytes(PKCS8_ED25519, this.state.identity.expose());
    const key = createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
    const certificates = chain.map((bytes) => new X509Certificate(bytes));
    return {
      key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      chain: certificates.map(String).join(''),
      notAfter: new Date(certificates[0]!.validTo),
    };
  }
}

function claimOf({ identity, key }: SignalState, subject: string, udp: string, tls: readonly string[]): SignalClaim {
  const claim = { subject, signedAt: unixMillis(Date.now()), key: nobleProvider.publicKey(key.expose()), udp, tls };
  return {
    identityKey: Buffer.from(ed25519PublicKey(identity.expose())),
    signedAt: claim.signedAt,
    key: Buffer.from(claim.key),
    udp,
    tls: [...tls],
    signature: Buffer.from(signSignalClaim(identity, claim)),
  };
}

/** What a grant adds to what is known; revocations that the authority did not sign are left out. */
function granted(
  grant: SignalGrant | undefined,
  known: readonly SignedTombstone[],
): Pick<Enrolment, 'chain' | 'authorityKey' | 'tombstones'> {
  if (grant?.authorityKey.length !== 32 || grant.certificateChain.length === 0) {
    throw new WarrenError(
      'control-refused',
      'the control plane gave an answer that is none: is it of another version?',
    );
  }
  const authorityKey = Uint8Array.from(grant.authorityKey);
  const seen = new Set(known.map(({ signature }) => toBase64(signature)));
  const tombstones = grant.tombstones
    .map(({ tombstone, signature }) => ({
      tombstone: Uint8Array.from(tombstone),
      signature: Uint8Array.from(signature),
    }))
    .filter((signed) => !seen.has(toBase64(signed.signature)) && verifyTombstone(authorityKey, signed));
  return { chain: grant.certificateChain.map((der) => Uint8Array.from(der)), authorityKey, tombstones };
}
