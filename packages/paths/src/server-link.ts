import { type Endpoint, type Instant, ipFamily, parseEndpoint } from '@warren/base';
import { AnswerWatch } from './answer-watch.js';
import { HelloProbe } from './hello-probe.js';
import type { LinkHooks } from './link-hooks.js';
import type { Outbox } from './outbox.js';
import type { PathManagerOptions, ServerId, ServerReport, SignalServer, Way } from './path-manager-api.js';
import { AGENT_NONCE_LENGTH, hasBytesAt, isDeliver, SESSION_OFFSET } from './relay/frames.js';
import { REFUSALS } from './relay/refusals.js';
import { createRelayClient } from './relay/relay-client.js';
import type { RefusalReason, RelayClient, RelayClientEvent } from './relay/relay-client-api.js';
import { delayed, soonest } from './times.js';

/** How long UDP may take to be answered until the stream is opened beside it. */
const STREAM_AFTER_MS = 700;
/** How long an address of a server with two families is tried. */
const OTHER_FAMILY_AFTER_MS = 1_500;
/** A server that has not answered for so long, and by no stream either, counts as dead. */
const DEAD_AFTER_MS = 2_000;
/** What is still in a stream that is no longer needed may take so long. */
const LINGER_MS = 2_000;
/** The family that shows our NAT is tried for so long beside the one that works. */
const PREFERRED_FOR_MS = 5_000;

export type Transport = 'udp' | 'tls';

/** The registration at one server: over UDP, and over a TLS stream for as long as UDP gets no answer. */
export class ServerLink {
  #startedAt: Instant | undefined;
  #udp: RelayClient | undefined;
  #udpIndex = 0;
  #udpSince: Instant | undefined;
  /** The session in use, and the one that was before it. */
  #current: { readonly transport: Transport; readonly session: Uint8Array } | undefined;
  #former: { readonly transport: Transport; readonly session: Uint8Array } | undefined;
  /** The registration over the other family, while it is tried. */
  #preferred: RelayClient | undefined;
  #preferredUntil: Instant | undefined;
  #udpUp = false;
  #udpLost = false;
  #tls: RelayClient | undefined;
  #tlsUp = false;
  #streamWanted = false;
  #streamOpen = false;
  #closeStreamAt: Instant | undefined;
  #ticket: Uint8Array | undefined;
  reflexive: Endpoint | undefined;
  failure: string | undefined;
  refused: RefusalReason | undefined;
  readonly #answers = new AnswerWatch();
  readonly #probe = new HelloProbe();

  constructor(
    readonly server: SignalServer,
    private readonly options: PathManagerOptions,
    private readonly outbox: Outbox,
    private readonly hooks: LinkHooks,
    private readonly preferIpv6: boolean,
  ) {}

  get id(): ServerId {
    return this.server.id;
  }

  get transport(): Transport | undefined {
    if (this.#udpUp) return 'udp';
    return this.#tlsUp ? 'tls' : undefined;
  }

  /** It was asked, and has not answered in time. */
  get suspect(): boolean {
    return this.#answers.suspect;
  }

  get started(): boolean {
    return this.#startedAt !== undefined;
  }

  get session(): Uint8Array | undefined {
    return this.#client()?.session;
  }

  /** Whether a `deliver` names our session there, or the one before: what was under way when it changed still arrives. */
  isOurs(frame: Uint8Array, transport: Transport): boolean {
    const { session } = this;
    if (session && this.transport === transport && hasBytesAt(frame, SESSION_OFFSET, session)) return true;
    // May overtake the answer that names the session. What it carries is authenticated by the peer in any case.
    if (transport === 'udp' && this.#udp?.registered === false) return isDeliver(frame);
    const former = this.#former;
    return former !== undefined && former.transport === transport && hasBytesAt(frame, SESSION_OFFSET, former.session);
  }

  get rttMs(): number | undefined {
    return this.#client()?.rttMs ?? this.#udp?.rttMs ?? this.#probe.rttMs;
  }

  /** Whether something was sent over it since then. */
  usedSince = (since: number): boolean => this.#answers.usedSince(since);

  /** Asks a server at which we are not registered how far it is; the answer is half a registration that nobody finishes. */
  measure(now: Instant): void {
    const way = this.#wayOf('udp');
    if (this.started || !way) return;
    this.outbox.transmit(way, this.#probe.begin(this.options.random(AGENT_NONCE_LENGTH), now));
  }

  /** Whether UDP has been tried here for a while, in vain. */
  get udpFails(): boolean {
    return this.#udpLost && !this.#udpUp;
  }

  /** Where frames to this server go now; undefined while it is not registered. */
  get way(): Way | undefined {
    const { transport } = this;
    return transport && this.#wayOf(transport);
  }

  /** Whether it cannot be counted on as a home: asked for a while, or refused. */
  isDead(now: Instant): boolean {
    if (this.transport || this.#startedAt === undefined) return false;
    if (this.refused) return true;
    const waiting = now - this.#startedAt;
    return waiting >= DEAD_AFTER_MS || (this.#udpLost && !this.#streamWanted && this.server.tls.length === 0);
  }

  start(now: Instant): void {
    if (this.#startedAt !== undefined) return;
    this.#startedAt = now;
    this.#startUdp(now);
    if (this.server.udp.length === 0) this.#wantStream(true);
  }

  /** Ends both registrations without a word. */
  stop(): void {
    this.#udp?.stop();
    this.#tls?.stop();
    this.#udp = undefined;
    this.#tls = undefined;
    this.#stopPreferred();
    this.#udpUp = this.#tlsUp = this.#udpLost = false;
    this.#answers.settle();
    this.#startedAt = undefined;
    this.reflexive = this.failure = this.refused = undefined;
    this.#wantStream(false);
  }

  setTicket(ticket: Uint8Array, now: Instant): void {
    this.#ticket = ticket;
    this.refused = undefined;
    this.#preferred?.setTicket(ticket, now);
    this.#udp?.setTicket(ticket, now);
    this.#tls?.setTicket(ticket, now);
    this.#pump(now);
  }

  /** Asks at once whether the session stands, over UDP also when a stream is in use. */
  check(now: Instant): void {
    this.#answers.asked(this.transport !== undefined, now);
    this.#udp?.check(now);
    this.#lookForPreferred(now);
    if (this.#tlsUp) this.#tls?.check(now);
    this.#pump(now);
  }

  sendTombstone(tombstone: Uint8Array, signature: Uint8Array, now: Instant): void {
    this.#client()?.sendTombstone(tombstone, signature);
    this.#pump(now);
  }

  handleFrame(frame: Uint8Array, from: Way, now: Instant): void {
    if (!this.started && this.#probe.take(frame, now)) this.hooks.linkMeasured(this, now);
    const client = from.kind === 'tls' ? this.#tls : this.#udpClientAt(from.endpoint);
    if (!client) return;
    if (client.handleFrame(frame, now)) this.heard(now);
    this.#pump(now);
  }

  streamOpened(now: Instant): void {
    if (!this.#streamWanted || this.#startedAt === undefined) return;
    this.#streamOpen = true;
    // As long as UDP is only doubted, the server must not send elsewhere.
    if (!this.#udpUp) this.#startTls(now);
  }

  streamClosed(reason: string, now: Instant): void {
    if (!this.#tls && !this.#streamWanted) return;
    this.#streamOpen = false;
    this.#tls?.stop();
    this.#tls = undefined;
    if (!this.#udpUp) this.failure = `no stream over TLS: ${reason}`;
    this.#setUp('tls', false, now);
  }

  /** A datagram goes out over this server. Cheap. */
  noteSent(now: Instant): void {
    this.#answers.noteSent(now);
  }

  /** Something came that only this server can have sent. */
  heard(now: Instant): void {
    if (!this.#answers.settle()) return;
    if (this.#udpUp && this.#closeStreamAt === undefined) this.#wantStream(false);
    this.hooks.linkDoubted(this, now);
  }

  handleTimeout(now: Instant): void {
    if (this.#startedAt === undefined) return;
    this.#udp?.handleTimeout(now);
    this.#tls?.handleTimeout(now);
    this.#preferred?.handleTimeout(now);
    this.#pump(now);
    if (this.#preferredUntil !== undefined && now >= this.#preferredUntil) this.#stopPreferred();
    if (this.#closeStreamAt !== undefined && now >= this.#closeStreamAt) this.#wantStream(false);
    if (!this.#udpUp) this.#lookForOtherWays(now);
    if (this.transport) this.#checkWhenSilent(now);
    else if (this.#answers.takeAskAgain(now)) this.check(now);
  }

  deadline(): Instant | undefined {
    if (this.#startedAt === undefined) return undefined;
    let at = soonest(this.#udp?.pollTimeout(), this.#tls?.pollTimeout());
    at = soonest(at, soonest(this.#preferred?.pollTimeout(), soonest(this.#preferredUntil, this.#closeStreamAt)));
    if (!this.#udpUp) at = soonest(at, this.#otherWayAt());
    at = soonest(at, this.#answers.deadline(this.transport !== undefined, this.rttMs));
    if (!this.transport && !this.#saidDead) at = soonest(at, delayed(this.#startedAt, DEAD_AFTER_MS));
    return at;
  }

  report(home: boolean): ServerReport {
    return {
      id: this.id,
      name: this.server.name,
      registered: this.transport !== undefined,
      transport: this.transport,
      home,
      rttMs: this.rttMs,
      reflexive: this.transport === 'udp' ? this.reflexive : undefined,
      failure: this.transport ? undefined : (this.failure ?? (this.started ? 'no answer yet' : 'not needed')),
    };
  }

  #saidDead = false;
  #tellDeath(now: Instant): void {
    if (this.#saidDead || !this.isDead(now)) return;
    this.#saidDead = true;
    this.failure ??= 'no answer';
    this.hooks.linkDown(this, now);
  }

  #client(): RelayClient | undefined {
    return this.#udpUp ? this.#udp : this.#tlsUp ? this.#tls : undefined;
  }

  #wayOf(transport: Transport): Way | undefined {
    if (transport === 'tls') return { kind: 'tls', server: this.id };
    const endpoint = this.#udpEndpoint();
    return endpoint && { kind: 'udp', socket: 0, endpoint };
  }

  /** IPv4 first, because it is there that our NAT is seen; IPv6 addresses are known without a server. */
  #udpEndpoint(index = this.#udpIndex): Endpoint | undefined {
    const { udp } = this.server;
    const first = udp.findIndex((endpoint) => {
      const parsed = parseEndpoint(endpoint);
      return parsed && (ipFamily(parsed.address) === 6) === this.preferIpv6;
    });
    return udp[(Math.max(first, 0) + index) % Math.max(udp.length, 1)];
  }

  #newClient(transport: Transport, now: Instant): RelayClient {
    const { pathKey, random } = this.options;
    const about = { server: this.id, serverKey: this.server.key, transport, nat: () => this.hooks.nat };
    const client = createRelayClient({ ...about, pathKey, random });
    if (this.#ticket) client.setTicket(this.#ticket, now);
    client.start(now);
    return client;
  }

  #startUdp(now: Instant): void {
    if (this.server.udp.length === 0) return;
    this.#udp?.stop();
    this.#udpSince = now;
    this.#udp = this.#newClient('udp', now);
    this.#pump(now);
  }

  #startTls(now: Instant): void {
    this.#tls?.stop();
    this.#tlsUp = false;
    this.#tls = this.#newClient('tls', now);
    this.#pump(now);
  }

  #otherWayAt(): Instant | undefined {
    if (this.#udpSince === undefined) return undefined;
    const stream =
      this.server.tls.length > 0 && !this.#streamWanted ? delayed(this.#startedAt!, STREAM_AFTER_MS) : undefined;
    const family = this.server.udp.length > 1 ? delayed(this.#udpSince, OTHER_FAMILY_AFTER_MS) : undefined;
    return soonest(stream, family);
  }

  #lookForOtherWays(now: Instant): void {
    if (now - this.#startedAt! >= STREAM_AFTER_MS) this.#wantStream(true);
    if (this.server.udp.length > 1 && this.#udpSince !== undefined && now - this.#udpSince >= OTHER_FAMILY_AFTER_MS) {
      this.#udpIndex++;
      this.#startUdp(now);
    }
    this.#tellDeath(now);
  }

  #checkWhenSilent(now: Instant): void {
    const step = this.#answers.step(this.rttMs, now);
    if (step === 'ask') this.check(now);
    if (step !== 'suspect') return;
    this.#wantStream(true); // so that it is there when UDP turns out to be lost
    this.hooks.linkDoubted(this, now);
  }

  #wantStream(wanted: boolean): void {
    if (wanted) this.#closeStreamAt = undefined;
    if (this.#streamWanted === wanted || (wanted && this.server.tls.length === 0)) return;
    this.#streamWanted = wanted;
    this.#streamOpen = false;
    this.#closeStreamAt = undefined;
    this.outbox.event({ type: wanted ? 'open-stream' : 'close-stream', server: this.id });
  }

  /** Nobody answers in the stream, and it need not end: a server that began anew, or a NAT, may have forgotten it. */
  #renewStream(): void {
    this.#tls?.stop();
    this.#tls = undefined;
    this.#wantStream(false);
    this.#wantStream(true);
  }

  #udpClientAt(endpoint: Endpoint): RelayClient | undefined {
    if (endpoint === this.#udpEndpoint()) return this.#udp;
    return endpoint === this.#udpEndpoint(0) ? this.#preferred : undefined;
  }

  /** Registered over the family that does not show our NAT: asks for a while whether the other one works again. */
  #lookForPreferred(now: Instant): void {
    if (!this.#udpUp || this.#udpIndex % this.server.udp.length === 0) return;
    this.#preferredUntil = delayed(now, PREFERRED_FOR_MS);
    this.#preferred ??= this.#newClient('udp', now);
  }

  #stopPreferred(): void {
    this.#preferred?.stop();
    this.#preferred = this.#preferredUntil = undefined;
  }

  #pumpPreferred(now: Instant): void {
    const client = this.#preferred;
    const endpoint = this.#udpEndpoint(0);
    if (!client || !endpoint) return;
    const way: Way = { kind: 'udp', socket: 0, endpoint };
    for (let frame = client.pollTransmit(); frame; frame = client.pollTransmit()) this.outbox.transmit(way, frame);
    for (let event = client.pollEvent(); event; event = client.pollEvent()) {
      if (event.type !== 'registered') continue;
      this.#udp?.stop();
      this.#udp = client;
      this.#udpIndex = 0;
      this.#preferred = this.#preferredUntil = undefined;
      this.#handle('udp', event, now);
    }
  }

  #pump(now: Instant): void {
    this.#pumpPreferred(now);
    this.#pumpClient('udp', this.#udp, now);
    this.#pumpClient('tls', this.#tls, now);
  }

  #pumpClient(transport: Transport, client: RelayClient | undefined, now: Instant): void {
    const way = client && this.#wayOf(transport);
    if (!client || !way) return;
    for (let frame = client.pollTransmit(); frame; frame = client.pollTransmit()) this.outbox.transmit(way, frame);
    for (let event = client.pollEvent(); event; event = client.pollEvent()) this.#handle(transport, event, now);
  }

  #handle(transport: Transport, event: RelayClientEvent, now: Instant): void {
    switch (event.type) {
      case 'registered':
        this.#registered(transport, event.reflexive, now);
        return;
      case 'lost':
        if (transport === 'udp') this.#udpLost = true;
        else if (this.#tlsUp) this.#renewStream();
        this.failure = 'no answer';
        this.#setUp(transport, false, now);
        return;
      case 'refused':
        this.refused = event.reason;
        this.failure = `refused: ${REFUSALS[event.reason]}`;
        this.#setUp(transport, false, now);
        this.hooks.linkDown(this, now);
        return;
      case 'not-here':
        this.hooks.notHere(this, event.destination, now);
        return;
      case 'tombstone':
        this.outbox.event(event);
    }
  }

  #registered(transport: Transport, reflexive: Endpoint, now: Instant): void {
    this.failure = this.refused = undefined;
    this.#saidDead = false;
    if (transport === 'udp') {
      this.#udpUp = true;
      this.#udpLost = false;
      this.#tls?.stop();
      this.#tls = undefined;
      if (this.#tlsUp) this.#closeStreamAt = delayed(now, LINGER_MS);
      else this.#wantStream(false);
      this.#tlsUp = false;
      this.#lookForPreferred(now);
    } else if (!this.#udpUp) {
      this.#tlsUp = true;
      this.#udp?.check(now); // the network is back, perhaps for UDP too: it is asked at once, not at the end of its pause
    }
    const { session } = this;
    if (session && this.transport === transport) {
      this.#former = this.#current;
      this.#current = { transport, session };
    }
    this.heard(now);
    this.hooks.linkUp(this, now);
    if (transport !== 'udp' || this.reflexive === reflexive) return;
    const before = this.reflexive;
    this.reflexive = reflexive;
    this.hooks.reflexiveChanged(this, before, now);
  }

  #setUp(transport: Transport, up: boolean, now: Instant): void {
    const before = this.transport;
    if (transport === 'udp') this.#udpUp = up;
    else this.#tlsUp = up;
    if (transport === 'udp' && !up) this.#stopPreferred(); // the families take turns from here
    if (!this.#udpUp && this.#startedAt !== undefined && transport === 'udp' && before === 'udp') {
      this.#startedAt = now; // lives again from here: the stream is opened at once, and death is told later
      this.#wantStream(true);
      if (this.#streamOpen) this.#startTls(now);
      this.#saidDead = false;
    }
    if (before && !this.transport) {
      this.#answers.settle();
      this.hooks.linkDown(this, now);
    }
  }
}
