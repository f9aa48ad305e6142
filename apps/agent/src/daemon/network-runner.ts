import { equalBytes, WarrenError } from '@warren/base';
import type { SignedTombstone } from '@warren/identity';
import type { SyncRequest, SyncResponse } from '@warren/proto';
import { acknowledge, positionFromWire, samePosition, ZERO_POSITION } from '../codec/sync.js';
import { createBackoff } from '../control/backoff.js';
import { createControlClient } from '../control/client.js';
import { Credentials } from '../control/credentials.js';
import { exchangeRotation } from '../control/key-rotation-exchange.js';
import { leaveNetwork } from '../control/leave.js';
import { type Reply, Session, type SessionEnd, type Verdict } from '../control/session.js';
import { describeError } from '../errors.js';
import type { Log } from '../log.js';
import type { Membership } from '../state/membership.js';
import type { NodeKeys } from '../state/node-keys.js';
import { Contact } from './contact.js';
import { DataPlaneKeeper } from './data-plane-keeper.js';
import { helloOf } from './hello.js';
import { HostAddressing } from './host-addressing.js';
import { inquireOf } from './inquiry.js';
import { KeyRotation, type Rotated } from './key-rotation.js';
import { sessionEndpoints } from './last-endpoints.js';
import { choosePort } from './listen-port.js';
import { namedLog } from './named-log.js';
import { NetworkView } from './network-view.js';
import { PathSupport } from './path-support.js';
import { PathHistory, type PingRecord } from './peer-status.js';
import { type RunnerEnd, runnerEnd } from './runner-end.js';
import type { RunnerOptions } from './runner-options.js';
import { createTelemetry } from './runner-telemetry.js';
import { StandingLog, stateOf } from './standing.js';
import type { AgentState } from './status-types.js';
import type { Telemetry } from './telemetry.js';
import { Waiters } from './waiters.js';

/** Milliseconds between two looks at certificate age and offline tolerance, and two notes of the last contact. */
const CHORE_INTERVAL = 10_000;
const DATA_PLANE_RETRY = 2_000;
/** Tombstones from signal servers that wait to be verified: a server that floods us costs no more than this. */
const MAX_WAITING_TOMBSTONES = 32;
/** How long it is worth trying to find a peer where it was last, milliseconds: NATs forget. */
const ENDPOINT_LIFE = 600_000;

/**
 * Runs one joined network: data plane from last known state at once, then the session with the control plane, which
 * keeps it current. All changes go through one queue, so that disk, data plane and acknowledgement agree.
 */
export class NetworkRunner {
  readonly pings = new Map<string, PingRecord>();
  readonly history = new PathHistory();
  readonly ended: Promise<RunnerEnd | undefined>;
  rotation!: KeyRotation;
  view!: NetworkView;
  addressing!: HostAddressing;
  support!: PathSupport;
  connected = false;
  since = new Date().toISOString();
  address: string;
  /** Why the last attempt to reach the control plane failed. */
  failure: string | undefined;
  #membership: Membership;
  #end!: (end: RunnerEnd | undefined) => void;
  #finished: RunnerEnd | undefined;
  #keeper!: DataPlaneKeeper;
  #credentials!: Credentials;
  #session: Session | undefined;
  #chores: NodeJS.Timeout | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #startGeneration = 0;
  #certificateRefused = false;
  #stopping = false;
  readonly #standing: StandingLog;
  #everConnected = false;
  /** The data plane may differ from the view: a change failed half way. */
  #dirty = false;
  #contact!: Contact;
  #waitingTombstones = 0;
  /** Port of our signal server that the control plane was told. */
  #announcedPort = 0;
  readonly #waiters = new Waiters();
  /** Of the last message. */
  #reply: Reply | undefined;
  readonly #telemetry: Telemetry;
  readonly #log: Log;

  constructor(private readonly options: RunnerOptions) {
    this.#log = options.log;
    this.#standing = new StandingLog(options.log);
    this.#telemetry = createTelemetry(this, options.log);
    this.#membership = options.network.membership;
    this.address = this.#membership.control.addresses[0] ?? '';
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get membership(): Membership {
    return this.#membership;
  }

  get keys(): NodeKeys {
    return this.rotation.keys;
  }

  get plane() {
    return this.#keeper?.plane;
  }

  get state(): AgentState {
    const known = this.#everConnected || (this.view?.position.revision ?? 0) > 0;
    const { connected, view } = this;
    const facts = {
      stopping: this.#stopping,
      up: this.plane !== undefined,
      connected,
      known,
      expired: this.#contact?.expired ?? false,
    };
    return stateOf({ ended: this.#finished?.state, ...facts, self: view?.self });
  }

  /**
   * Puts the interface up from last known state and begins to follow the control plane, reached or not.
   * @throws what the data plane or forwarding refuse; nothing is left up then.
   */
  async start(): Promise<void> {
    const { state } = this.options.network;
    this.rotation = await this.#openRotation();
    this.view = new NetworkView(this.membership, () => this.rotation.publicKey, this.#log);
    this.addressing = this.#createAddressing();
    const lastKnown = await state.lastKnown();
    if (!lastKnown || !this.view.restore(lastKnown)) this.#log('warn', 'last known state is missing or damaged');
    this.#contact = await Contact.open(state, this.membership.joinedAt);
    this.#startGeneration = await state.nextStartGeneration();
    this.#credentials = new Credentials(state, this.membership, this.keys, Date.now);
    this.support = new PathSupport({
      ...this.options,
      keys: this.keys,
      predictPorts: this.options.predictPorts && this.membership.predictPorts !== false,
      onTombstone: (signed) => void this.#noteTombstone(signed).catch((error: unknown) => this.#warn(error)),
    });
    this.#keeper = new DataPlaneKeeper({
      start: this.options.startDataPlane,
      keys: () => this.rotation.dataPlaneKeys(),
      signalling: this.support.dataPlaneOptions(),
      log: namedLog(this.#log, this.view.names),
      onStarted: (plane) => this.support.signalling.attach(plane),
      onNetworkChange: () => this.addressing.networkChanged(),
      onPathChange: () => this.#telemetry.pathsChanged(),
      onLost: (reason) => void this.#dataPlaneLost(reason),
    });
    this.#checkTolerance();
    await this.support.restore();
    // Revoked, and killed before that could be written down.
    if (this.view.isRevoked()) return void this.#endAsRevoked().catch((error: unknown) => this.#warn(error));
    if (this.view.self) await this.support.follow(this.view.self, this.view.tombstones());
    this.#keeper.remembered = await state.lastEndpoints(Date.now() - ENDPOINT_LIFE);
    // The interface comes first in the queue; meanwhile the control plane is dialled.
    const up = this.#enqueue(() => this.#putUp());
    this.#follow();
    try {
      await up;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  #createAddressing(): HostAddressing {
    const { run, others } = this.options;
    return new HostAddressing({
      ...{ interfaceName: this.membership.interfaceName, run, others, log: this.#log },
      view: () => this.view,
      plane: () => this.plane,
      tell: (request) => this.#reply?.(request),
      onChange: () => void this.#enqueue(() => this.#putUpAgain()).catch((error: unknown) => this.#warn(error)),
    });
  }

  async #openRotation(): Promise<KeyRotation> {
    const { state } = this.options.network;
    const parts = {
      state,
      exchange: (request: Parameters<typeof exchangeRotation>[2]) =>
        exchangeRotation(this.#credentials, this.membership, request),
      apply: (keys: Parameters<DataPlaneKeeper['setKeys']>[0]) => this.#keeper.setKeys(keys),
      serialise: <T>(action: () => Promise<T>) => this.#enqueue(action),
      ...{ now: Date.now, random: Math.random, log: this.#log },
    };
    return KeyRotation.open(parts, await state.keys(), Date.parse(this.membership.joinedAt));
  }

  /** Changes the WireGuard key. @throws as the call. */
  rotateKey(compromised: boolean): Promise<Rotated> {
    return this.rotation.rotate(compromised);
  }

  /** Takes everything down; the state on disk stays. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.addressing?.close();
    this.#session?.stop();
    clearInterval(this.#chores);
    await this.#enqueue(() => this.#takeDown());
    this.#waiters.notify();
    this.#end(undefined);
  }

  /** Tells the control plane that this node goes for good, and takes everything down. @throws as the call. */
  async leave(): Promise<void> {
    this.#stopping = true;
    try {
      await leaveNetwork(this.#credentials, this.membership);
    } catch (error) {
      this.#stopping = false;
      throw error;
    }
    await this.stop();
  }

  /** Where the control plane is from the next attempt on. */
  moveControl(membership: Membership): void {
    this.#membership = membership;
    if (!this.connected) this.address = membership.control.addresses[0] ?? '';
  }

  /** Settles when connected (true) or ended (false), or after the time (false). */
  waitConnected(milliseconds: number): Promise<boolean> {
    const isOver = (): boolean => this.connected || this.#finished !== undefined || this.#stopping;
    return this.#waiters.wait(isOver, () => this.connected, milliseconds);
  }

  stats() {
    return this.#keeper.stats();
  }

  paths() {
    return this.#keeper.paths();
  }

  /** Asks agents that were silent lately whether they are there, and gives them a moment to answer. */
  inquire(): Promise<void> {
    return inquireOf(this.#keeper);
  }

  /** Asks agents that were heard before, but not for so many milliseconds, whether they are still there. */
  refresh(silentMs: number): Promise<number> {
    return this.#keeper.inquire(silentMs);
  }

  #follow(): void {
    this.#session = new Session({
      openClient: (address) => this.#openClient(address),
      addresses: () => this.membership.control.addresses,
      hello: (fresh) => this.#hello(fresh),
      heartbeat: () => this.view.heartbeat(),
      handle: (message, reply) => this.#enqueue(() => this.#handle(message, reply)),
      onConnection: (connected, address) => this.#setConnected(connected, address),
      onCertificateRefused: () => {
        this.#certificateRefused = true;
      },
      onFailure: (message) => {
        this.failure = message;
      },
      backoff: createBackoff(Math.random),
      log: this.#log,
      ...(this.options.heartbeatInterval && { heartbeatInterval: this.options.heartbeatInterval }),
    });
    this.#chores = setInterval(() => this.#doChores(), CHORE_INTERVAL);
    this.#session.run().then(
      (end) => (end && !this.#stopping ? this.#finish(end) : undefined),
      (error: unknown) => this.#fail(error),
    );
  }

  #hello(fresh: boolean): SyncRequest {
    this.#announcedPort = this.support.signalPort;
    this.#telemetry.reset();
    this.rotation.noteStream();
    return helloOf({
      membership: this.membership,
      keys: this.keys,
      startGeneration: this.#startGeneration,
      position: fresh ? ZERO_POSITION : this.view.position,
      digest: () => this.view.digest(),
      listenPort: this.plane?.listenPort,
      signalPort: this.#announcedPort,
    });
  }

  async #openClient(address: string) {
    await this.support.signalServerSettled();
    if (this.#certificateRefused || (await this.#credentials.hasExpired())) {
      await this.#credentials.renew(address);
      this.#certificateRefused = false;
    }
    return createControlClient(await this.#credentials.target(address));
  }

  async #handle(message: SyncResponse, reply: Reply): Promise<Verdict> {
    if (this.#stopping) return 'applied';
    this.#reply = reply;
    const verdict = this.#telemetry.handle(message, reply) ? 'applied' : await this.#apply(message, reply);
    // The port is said in the first message of a stream only: so begin another.
    return this.support.signalPort === this.#announcedPort ? verdict : 'resync';
  }

  async #apply(message: SyncResponse, reply: Reply): Promise<Verdict> {
    const content = message.message;
    if (content?.$case === 'heartbeatReply') {
      const { position, digest } = content.value;
      const comparable = samePosition(positionFromWire(position), this.view.position);
      return comparable && !equalBytes(digest, this.view.digest()) ? 'resync' : 'applied';
    }
    if (content?.$case === 'signalTicket') {
      await this.support.noteTicket(content.value.ticket);
      return 'applied';
    }
    if (content?.$case !== 'snapshot' && content?.$case !== 'delta') return 'applied'; // of a later version
    const applied = this.addressing.changing(() =>
      content.$case === 'snapshot' ? this.view.applySnapshot(content.value) : this.view.applyDelta(content.value),
    );
    if (!applied) return 'resync';
    this.#contact.distrusted = false;
    // The data plane first: a revoked peer is gone before the disk has turned once.
    await this.#putUp();
    if (content.value.self && this.view.self) await this.rotation.follow(this.view.self);
    await this.#save();
    await this.#contact.note();
    this.rotation.tick();
    reply(acknowledge(this.view.position));
    return 'applied';
  }

  /** Brings data plane and forwarding to what the view says. */
  async #putUp(): Promise<void> {
    const { membership, view } = this;
    this.#dirty = true;
    const self = view.self;
    if (!self) throw new WarrenError('state-damaged', 'nothing is known of this network: leave it and join again');
    const { addresses, peers, forward } = this.addressing.plan(this.#contact.distrusted ? [] : view.peers());
    const listenPort = this.plane?.listenPort ?? (await choosePort(membership, this.options.findPort));
    const mtu = membership.mtu ?? self.mtu;
    const { interfaceName } = membership;
    await this.support.follow(self, view.tombstones());
    await this.#keeper.apply({ interfaceName, listenPort, mtu, addresses }, peers);
    if (this.plane) await this.support.mapPort(this.plane);
    this.history.keepOnly(peers);
    const { forwarding } = this.options;
    if (self.role === 'bounce' && forward.length > 0) await forwarding.putUp(interfaceName, forward);
    else await forwarding.takeDown(interfaceName);
    this.#dirty = false;
    this.#standing.look(self, Date.now());
  }

  async #putUpAgain(): Promise<void> {
    if (!this.#stopping && !this.#finished) await this.#putUp();
  }

  async #takeDown(): Promise<void> {
    await this.#noteEndpoints().catch((error: unknown) => this.#warn(error));
    const support = this.support.close().catch((error: unknown) => this.#warn(error));
    try {
      await this.#keeper.close();
    } finally {
      // Last: a host that forwards anyway would pass the members' packets on to anywhere without the rules.
      await this.options.forwarding.takeDown(this.membership.interfaceName);
    }
    await support;
    if (this.connected) await this.#contact.note();
  }

  async #save(): Promise<void> {
    const bytes = this.view.encode();
    if (bytes) await this.options.network.state.saveLastKnown(bytes);
  }

  /** A tombstone by way of a signal server: as good as from the control plane, once its signature is verified. */
  async #noteTombstone(signed: SignedTombstone): Promise<void> {
    if (this.#waitingTombstones >= MAX_WAITING_TOMBSTONES) return;
    this.#waitingTombstones++;
    const revoked = await this.#enqueue(async () => {
      this.#waitingTombstones--;
      if (this.#stopping || this.#finished || this.view.addTombstone(signed) !== 'new') return false;
      this.#log('info', 'a signal server passed on a revocation');
      if (this.view.isRevoked()) return true;
      await this.#putUp();
      await this.#save();
      return false;
    });
    if (revoked) await this.#endAsRevoked();
  }

  async #endAsRevoked(): Promise<void> {
    this.#session?.stop();
    await this.#finish({
      code: 'node-revoked',
      message: 'the network revoked this node; a signal server passed it on',
    });
  }

  /** Peers that come to us cannot know that we restarted: we greet them where they were. */
  async #noteEndpoints(): Promise<void> {
    const endpoints = sessionEndpoints(await this.stats(), Date.now());
    if (this.plane) await this.options.network.state.saveLastEndpoints(endpoints, Date.now());
  }

  #setConnected(connected: boolean, address: string): void {
    this.connected = connected;
    this.address = address;
    this.since = new Date().toISOString();
    this.failure = undefined;
    this.#everConnected ||= connected;
    if (connected && this.#reply) this.#telemetry.streamBegan(this.#reply);
    else this.#telemetry.streamEnded();
    this.#log('info', connected ? `connected to ${address}` : `lost ${address}: running on last known state`);
    const follow = (): Promise<void> => (connected ? this.#trustAgain() : this.support.signalling.askServers());
    void this.#enqueue(follow).catch((error: unknown) => this.#warn(error));
    this.#waiters.notify();
  }

  /** A stream that resumes where we stand has nothing to send: its answer alone says that last known state is right. */
  async #trustAgain(): Promise<void> {
    this.rotation.tick();
    this.addressing.connected();
    await this.#contact.revive();
    await this.#contact.note();
    if (!this.#contact.distrusted || this.#stopping) return;
    this.#contact.distrusted = false;
    await this.#putUp();
  }

  /** The control plane says for good that this node is out, or that it runs twice. */
  async #finish(said: SessionEnd): Promise<void> {
    if (this.#finished) return;
    this.#finished = runnerEnd(said);
    const { code, message } = said;
    const { state } = this.#finished;
    const removed = code === 'node-removed';
    this.#log('error', this.#finished.error.message);
    clearInterval(this.#chores);
    const warn = (error: unknown): void => this.#warn(error);
    if (state === 'revoked' || state === 'expired') {
      // A full disk must not keep a revoked node up; at its next start it hears it again.
      const terminal = { state, ...(removed && { removed }), message, at: new Date().toISOString() };
      await this.options.network.state.saveTerminal(terminal).catch(warn);
    }
    await this.#enqueue(() => this.#takeDown()).catch(warn);
    this.#waiters.notify();
    this.#end(this.#finished);
  }

  async #fail(error: unknown): Promise<void> {
    const { code, message } = describeError(error);
    await this.#finish({ code, message }).catch((again: unknown) => this.#warn(again));
  }

  /** Somebody deleted the interface, or its worker died: put it up again, without hurry. */
  async #dataPlaneLost(reason: Error | undefined): Promise<void> {
    this.#log('error', `the data plane ended: ${reason?.message ?? 'no reason given'}; starting it again`);
    while (!this.#stopping && !this.#finished && !this.plane) {
      await new Promise((resolve) => setTimeout(resolve, DATA_PLANE_RETRY));
      await this.#enqueue(async () => {
        if (!this.plane) await this.#putUpAgain();
      }).catch((error: unknown) => this.#warn(error));
    }
  }

  #doChores(): void {
    void this.#enqueue(async () => {
      if (this.#stopping || this.#finished) return;
      this.#standing.look(this.view.self, Date.now());
      await this.#noteEndpoints().catch((error: unknown) => this.#warn(error));
      this.support.noteServers((await this.paths())?.servers ?? []);
      if (this.connected) {
        this.rotation.tick();
        await this.#contact.note();
        if ((await this.#credentials.renewAt()) <= Date.now()) await this.#credentials.renew(this.address);
      }
      if (this.#checkTolerance() || this.#dirty) await this.#putUp();
    }).catch((error: unknown) => this.#warn(error));
  }

  /** @returns whether last known state has just become too old to be trusted. */
  #checkTolerance(): boolean {
    if (this.connected || !this.#contact.lapses(this.view.self?.offlineToleranceMs ?? 0)) return false;
    this.#log('error', 'the control plane was not reached for longer than the network allows: peers are taken out');
    return true;
  }

  #enqueue<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => undefined); // the caller has the error; the next action starts all the same
    return result;
  }

  #warn(error: unknown): void {
    this.#log('warn', describeError(error).message);
  }
}
