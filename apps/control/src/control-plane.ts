import { createHash, randomBytes } from 'node:crypto';
import { equalBytes, type HostPort, SecretKey, unixMillis, WarrenError } from '@warren/base';
import { ed25519PublicKey, nobleProvider } from '@warren/crypto';
import {
  ensureDefaultNetwork,
  KEY_OVERLAP,
  migrate,
  type NetworkRow,
  openDatabase,
  openStore,
  type SignTombstone,
  type Store,
} from '@warren/db';
import { signTombstone } from '@warren/identity';
import { type CertificateAuthority, openCertificateAuthority } from './ca/certificate-authority.js';
import type { ServeConfig } from './config.js';
import { lockDataDir, makeDataDir, sealingKey, socketPath } from './data-dir.js';
import { EventFeed } from './events/event-feed.js';
import { type AgentServer, startAgentServer } from './grpc/agent-server.js';
import { createEnrolmentService } from './grpc/enrolment.js';
import { createJoinService } from './grpc/join.js';
import { createRotationService } from './grpc/rotation.js';
import { listenError } from './grpc/tls-listener.js';
import { BOUNCE_GRACE, bounceTimes, watchBounces } from './hub/bounce-watch.js';
import { EPHEMERAL_GRACE, ephemeralTimes, watchEphemeral } from './hub/ephemeral-watch.js';
import { Hubs } from './hub/hubs.js';
import { KeyOverlapWatch } from './hub/key-overlap-watch.js';
import { KeyWatch } from './hub/key-watch.js';
import type { HubParts } from './hub/network-hub.js';
import { DEFAULT_LIMITS, type SessionLimits } from './hub/session.js';
import { listenLocally } from './local-socket.js';
import type { Log } from './log.js';
import { meteredStore } from './metrics/metered-store.js';
import { Metrics } from './metrics/metrics.js';
import { tokenAddresses } from './public-host.js';
import { buildRest, type RestApp } from './rest/app.js';
import type { RestContext } from './rest/context.js';
import { LoopDelay } from './rest/process-health.js';
import { REST_RATES, type RestRates } from './rest/rate-limits.js';
import { RelayServer } from './signal/relay-server.js';
import { SignalDirectory } from './signal/signal-directory.js';
import { SignalLoadMeter } from './signal/signal-load.js';
import { LONGEST_TICKET_LIFE, ticketSigner } from './signal/tickets.js';
import { followTombstones } from './signal/tombstone-feed.js';
import { Telemetry } from './telemetry/telemetry.js';

/** Milliseconds that requests may take to end when the process stops. */
const HTTP_CLOSE_TIMEOUT = 5_000;

/** A running control plane. */
export interface ControlPlane {
  readonly context: RestContext;
  readonly rest: RestApp;
  /** The network `default`; undefined when the operator removed it. */
  readonly network: NetworkRow | undefined;
  /** Bearer secret of the API key that the very first start makes; it is never shown again. */
  readonly firstApiKey: string | undefined;
  /** Agents hear farewell, requests end, the database stops. */
  close(): Promise<void>;
}

export interface ControlPlaneOptions {
  readonly limits?: SessionLimits;
  readonly rates?: RestRates;
  /** Milliseconds between comments in silent streams of events. */
  readonly heartbeat?: number;
  /** Milliseconds that an agent may take to explain a path. */
  readonly answerTime?: number;
  /** Folder of the built dashboard instead of `@warren/dashboard`'s. */
  readonly dashboard?: string;
}

/**
 * Starts everything in order, so that nothing answers before all beneath it does.
 *
 * @throws WarrenError for what the operator can mend (`port-in-use`, `already-running`, the database's codes); whatever
 * was started by then is stopped again.
 */
export async function startControlPlane(
  config: ServeConfig,
  log: Log,
  options: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) {
      await close().catch((error: unknown) => log.error({ err: error }, 'a part did not stop cleanly'));
    }
  };
  try {
    return await start(config, log, options, closers, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function start(
  config: ServeConfig,
  log: Log,
  options: ControlPlaneOptions,
  closers: (() => Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<ControlPlane> {
  const now = Date.now;
  await makeDataDir(config.dataDir);
  const socket = socketPath(config.dataDir);
  const lock = await lockDataDir(config.dataDir);
  closers.push(() => lock.release());
  const metrics = new Metrics();
  const { store, authority, embedded } = await openStorage(config, log, metrics, closers);
  const ca = await openCertificateAuthority((name, make) => store.secret(name, make));
  const challengeKey = new SecretKey(await store.secret('challenge-key', () => randomBytes(32)));
  const network = await ensureDefaultNetwork(store);
  const relayKey = new SecretKey(await store.secret('signal-key', () => randomBytes(32)));
  const authorityKey = ed25519PublicKey(authority.expose());
  const relay = await startRelay(config, { store, relayKey, authorityKey, log }, closers);

  const signals = await SignalDirectory.open(store, log);
  closers.push(async () => signals.close());
  const signTicket = ticketSigner(authority, now);
  const events = new EventFeed(store, log);
  closers.push(() => events.close());
  const onPresence: HubParts['onPresence'] = (networkId, nodeId, online) =>
    events.notePresence({ type: online ? 'node.online' : 'node.offline', networkId, nodeId, at: new Date() });
  const telemetry = new Telemetry({
    ...{ store, log, metrics, now, monotonic: monotonicNow },
    ...(options.answerTime === undefined ? {} : { answerTime: options.answerTime }),
  });
  closers.push(() => telemetry.close());
  const onMembers: HubParts['onMembers'] = (networkId, members) => telemetry.membersChanged(networkId, members);
  const hubs = await Hubs.start({ store, log, now: monotonicNow, signals, signTicket, onPresence, onMembers });
  closers.push(() => hubs.close());
  signals.onChange(() => hubs.signalsChanged());
  watchNodes(config, { store, hubs, log, now, embedded }, closers);
  const overlaps = new KeyOverlapWatch({
    store,
    hubs,
    alone: () => isAlone(embedded, signals),
    overlap: KEY_OVERLAP,
    log,
  });
  overlaps.start();
  closers.push(() => overlaps.close());
  const about: RestContext['about'] = {
    startedAt: new Date(),
    database: embedded ? 'embedded' : 'external',
    httpUrl: '',
    agentAddresses: [],
    stunAddress: tokenAddresses([relay.address], config.publicHost)[0]!,
  };
  const loopDelay = new LoopDelay();
  closers.push(async () => loopDelay.close());
  const context: RestContext = {
    store,
    hubs,
    events,
    signals,
    relay,
    log,
    telemetry,
    loopDelay,
    metrics,
    now,
    pin: ca.pin,
    about,
    rates: options.rates ?? REST_RATES,
    heartbeat: options.heartbeat,
    dashboard: options.dashboard,
  };
  const rest = await buildRest(context);
  about.httpUrl = await listenHttp(config, rest, closers);
  const parts = { store, hubs, telemetry, signals, relay, ca, challengeKey, authorityKey, log, metrics, now };
  const agents = await startAgents(config, parts, options);
  closers.push(() => agents.close());
  // Its connections would keep the listener waiting.
  closers.push(() => relay.close());
  // Farewells go out while the streams still stand.
  closers.push(async () => hubs.drain());
  about.agentAddresses = tokenAddresses(agents.addresses, config.publicHost);
  const load = new SignalLoadMeter(relay, monotonicNow);
  const own = {
    ...{
      id: replicaId(embedded, about.stunAddress),
      region: 'control',
      key: nobleProvider.publicKey(relayKey.expose()),
    },
    ...{ udp: about.stunAddress as HostPort, tls: about.agentAddresses },
  };
  await signals.announce(own, () => load.read());
  const local = await listenLocally(socket, rest.handleLocal);
  closers.push(() => local.close());
  return { context, rest, network, firstApiKey: await firstApiKey(store), close: closeAll };
}

/** Whether no other replica lately said that it is there; an embedded database has one. */
async function isAlone(embedded: boolean, signals: SignalDirectory): Promise<boolean> {
  return embedded || (await signals.rows()).filter(({ kind }) => kind === 'control').length <= 1;
}

/** One database, one server; of several replicas each has its own, known by where it is. */
const replicaId = (embedded: boolean, address: string): string =>
  embedded ? 'control' : `control-${createHash('sha256').update(address).digest('hex').slice(0, 8)}`;

/** STUN, signalling and relay of this process, which hear of every revocation at once. */
async function startRelay(
  config: ServeConfig,
  parts: { store: Store; relayKey: SecretKey; authorityKey: Uint8Array; log: Log },
  closers: (() => Promise<void>)[],
): Promise<RelayServer> {
  const { store, relayKey, authorityKey, log } = parts;
  const relay = await RelayServer.start({
    address: config.stun,
    key: relayKey,
    authorityKey,
    tombstones: () => store.tombstones(LONGEST_TICKET_LIFE),
    log,
  });
  closers.push(() => relay.close());
  const feed = await followTombstones(store, (tombstones) => relay.addTombstones(tombstones), log);
  closers.push(() => feed.close());
  return relay;
}

/** What follows when bounces and ephemeral nodes go, and when keys run out. */
function watchNodes(
  config: ServeConfig,
  { store, hubs, log, now, embedded }: Pick<RestContext, 'store' | 'hubs' | 'log' | 'now'> & { embedded: boolean },
  closers: (() => Promise<void>)[],
): void {
  const connectedMs: Hubs['connectedMs'] = (network, node) => hubs.connectedMs(network, node);
  const parts = { store, connectedMs, log, now };
  const ephemeral = ephemeralTimes(config.ephemeralGrace ?? EPHEMERAL_GRACE);
  const watches = [
    watchBounces({ ...parts, times: bounceTimes(config.bounceGrace ?? BOUNCE_GRACE) }),
    watchEphemeral({ ...parts, times: ephemeral, settleMs: embedded ? 0 : ephemeral.interval }),
    new KeyWatch({ store, log }),
  ];
  for (const watch of watches) {
    watch.start();
    closers.push(() => watch.close());
  }
}

async function openStorage(
  config: ServeConfig,
  log: Log,
  metrics: Metrics,
  closers: (() => Promise<void>)[],
): Promise<{ store: Store; authority: SecretKey; embedded: boolean }> {
  const database = await openDatabase({
    dataDir: config.dataDir,
    databaseUrl: config.databaseUrl,
    log: (message) => log.info(message),
  });
  closers.push(() => database.close());
  const applied = await migrate(database.url);
  if (applied.length > 0) log.info({ applied }, 'database migrated');
  // The key that signs tombstones is itself kept in the store that wants to sign with it.
  let authority: SecretKey | undefined;
  const sign: SignTombstone = ({ networkId, nodeId, publicKey, identityKey, revokedAt }) => {
    if (!authority) throw new WarrenError('internal', 'a node was revoked before the authority key was read');
    const tombstone = {
      networkId,
      nodeId,
      wireguardKey: publicKey,
      identityKey,
      revokedAt: unixMillis(revokedAt.getTime()),
    };
    return signTombstone(authority, tombstone);
  };
  const opened = await openStore({
    url: database.url,
    sealingKey: config.sealingKey ?? (await sealingKey(config.dataDir)),
    signTombstone: sign,
  });
  const store = meteredStore(opened, metrics);
  closers.push(() => store.close());
  authority = new SecretKey(await store.secret('authority-key', () => randomBytes(32)));
  return { store, authority, embedded: database.embedded };
}

async function listenHttp(config: ServeConfig, rest: RestApp, closers: (() => Promise<void>)[]): Promise<string> {
  closers.push(() => closeHttp(rest));
  try {
    await rest.app.listen({ host: config.http.host, port: config.http.port });
  } catch (error) {
    throw listenError('http', config.http, error as NodeJS.ErrnoException);
  }
  const { host } = config.http;
  if (host !== '0.0.0.0' && host !== '::') return rest.app.listeningOrigin;
  // For people, who cannot go to a wildcard.
  const port = Number(new URL(rest.app.listeningOrigin).port);
  return `http://${tokenAddresses([{ host, port }], config.publicHost)[0]}`;
}

/** Sessions measure durations only: a wall clock that is set back would make every reconnect look like a clone's. */
const monotonicNow = (): number => performance.now();

/** Requests that run get their answer; connections end with it, though they asked to be kept alive. */
async function closeHttp({ app }: RestApp): Promise<void> {
  const idle = setInterval(() => app.server.closeIdleConnections(), 50);
  const all = setTimeout(() => app.server.closeAllConnections(), HTTP_CLOSE_TIMEOUT);
  await app.close();
  clearInterval(idle);
  clearTimeout(all);
}

function startAgents(
  config: ServeConfig,
  parts: {
    store: Store;
    hubs: Hubs;
    telemetry: Telemetry;
    signals: SignalDirectory;
    relay: RelayServer;
    ca: CertificateAuthority;
    challengeKey: SecretKey;
    authorityKey: Uint8Array;
    log: Log;
    metrics: Metrics;
    now: () => number;
  },
  options: ControlPlaneOptions,
): Promise<AgentServer> {
  const { store, hubs, telemetry, ca, relay, log, metrics } = parts;
  const joins = createJoinService(parts);
  const enrolments = createEnrolmentService(parts);
  const rotations = createRotationService(parts);
  return startAgentServer({
    addresses: config.agents,
    store,
    hubs,
    telemetry,
    ca,
    joins,
    enrolments,
    rotations,
    onRelay: (socket) => relay.serve(socket),
    limits: options.limits ?? DEFAULT_LIMITS,
    log,
    metrics,
    now: monotonicNow,
  });
}

/** Made once in the life of a database, by one of its replicas; afterwards `warren apikey create` makes others. */
async function firstApiKey(store: Store): Promise<string | undefined> {
  const mark = randomBytes(16);
  const kept = await store.secret('first-api-key-made', () => mark);
  return equalBytes(kept, mark)
    ? (await store.createApiKey('admin', { scopes: ['admin'], expiresAt: null }, 'local')).secret
    : undefined;
}
