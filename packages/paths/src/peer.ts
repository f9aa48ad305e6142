import type { Instant } from '@warren/base';
import { CandidateExchange } from './candidate-exchange.js';
import { ChosenPath, wantedPath } from './chosen-path.js';
import { isDirectLikely } from './common-network.js';
import { ConfiguredTrial } from './configured-trial.js';
import { DirectTrust } from './direct-trust.js';
import { keepAliveMs, staleAfterMs } from './keepalive.js';
import { isBetterPath } from './path-choice.js';
import type { NatKind, Path, PathPeer, PathReport, ServerId, UdpWay } from './path-manager-api.js';
import { explainRelay } from './path-reasons.js';
import type { PeerContext } from './peer-context.js';
import { PeerMessenger, wayOf } from './peer-messenger.js';
import { PeerPaths } from './peer-paths.js';
import { PeerRelays } from './peer-relays.js';
import { isWay } from './pending-pings.js';
import { Presence } from './presence.js';
import { Prober } from './prober.js';
import { RelayWatch } from './relay-watch.js';
import { type RemoteCandidate, RemoteCandidates } from './remote-candidates.js';
import { compareBytes } from './rendezvous.js';
import type { CandidatesMessage } from './sealed-message.js';
import type { ServerLink } from './server-link.js';
import { SilenceWatch } from './silence-watch.js';
import { delayed, soonest } from './times.js';

/** After traffic a peer is probed, kept alive and told news for so long. */
const ACTIVE_MS = 120_000;
/** The same after it sent candidates: it has traffic for us. */
const ASKED_MS = 10_000;

/** One peer: where it may be reached, what is known of each way, and which is used. */
export class Peer {
  readonly paths: PeerPaths;
  readonly relays: PeerRelays;
  readonly candidates: RemoteCandidates;
  readonly #messenger: PeerMessenger;
  readonly #prober: Prober;
  readonly #exchange = new CandidateExchange();
  readonly #configured = new ConfiguredTrial();
  readonly #relayWatch = new RelayWatch();
  readonly #silence = new SilenceWatch();
  readonly #presence = new Presence();
  readonly #chosen: ChosenPath;
  /** Ours wins when the two sides prefer different paths that are equally good. */
  readonly #ourWish: boolean;
  #direct: DirectTrust | undefined;
  #activeUntil: Instant | undefined;
  #lastSentAt: Instant | undefined;
  /** No server leads to the peer. */
  #alone = true;
  /** It was heard, and no server has denied it since. */
  #present = false;
  remoteNat: NatKind | undefined;

  constructor(
    public config: PathPeer,
    private readonly context: PeerContext,
  ) {
    this.paths = new PeerPaths(config.publicKey, config.relayId);
    this.relays = new PeerRelays(config, context.signalServers, this.paths);
    this.candidates = new RemoteCandidates(this.paths, context.options.isInside);
    this.#chosen = new ChosenPath(context.outbox);
    this.#messenger = new PeerMessenger(config, context, this.paths);
    this.#prober = new Prober(this.candidates, this.#messenger, context, this);
    this.#ourWish = compareBytes(context.options.relayId, config.relayId) < 0;
    this.candidates.setConfigured(config.endpoints);
  }

  isActive = (now: Instant): boolean => this.#activeUntil !== undefined && now < this.#activeUntil;

  setConfig(config: PathPeer, now: Instant): void {
    const same = config.endpoints.join() === this.config.endpoints.join();
    this.config = config;
    if (same) return;
    this.candidates.setConfigured(config.endpoints);
    this.#configured.reset();
    this.publish(now);
  }

  noteSent(now: Instant): void {
    const wasActive = this.isActive(now);
    this.#lastSentAt = now;
    this.#activeUntil = delayed(now, ACTIVE_MS);
    if (!wasActive) {
      this.relays.doubt(); // the peer may have moved to other servers without a word
      this.#begin(now);
      this.publish(now);
    }
    let first = false;
    if (this.#direct) {
      first = !this.#direct.waits;
      this.#direct.noteSent(now);
      if (this.#direct.isStale(now, staleAfterMs(this.context.nat)))
        this.#doubtDirect(now, 'the path was idle for long');
    } else if (this.config.endpoints.length > 0) first = this.#configured.noteSent(now);
    if (this.#chosen.path?.kind === 'relay' && this.#relayWatch.noteSent(now)) first = true;
    this.#noteRelaySent(this.#chosen.path, now);
    this.#noteRelaySent(this.#chosen.also, now);
    if (!wasActive || first) this.#wake(now);
  }

  noteReceived(path: Path, now: Instant): void {
    if (!this.isActive(now)) this.#begin(now);
    this.#activeUntil = delayed(now, ACTIVE_MS);
    this.#relayWatch.heard();
    this.#presence.heard(now);
    if (this.#silence.noteReceived(now)) this.#wake(now);
    if (path.kind === 'relay') {
      this.#heardThrough(path.server, now);
      return;
    }
    if (this.#direct?.candidate.path === path) {
      if (this.#direct.prove(now)) this.publish(now);
      return;
    }
    const candidate = this.candidates.learn(path.socket, path.endpoint);
    if (candidate) this.#prober.probeSoon(candidate, now);
  }

  /** A sealed message that came straight. */
  handleDirect(datagram: Uint8Array, from: UdpWay, now: Instant): void {
    const message = this.#messenger.open(datagram, 'direct', now);
    if (!message) return;
    this.#heard(now);
    const candidate = this.candidates.learn(from.socket, from.endpoint);
    if (message.type === 'ping') {
      this.#messenger.send({ type: 'pong', transaction: message.transaction, seen: from.endpoint }, from);
      if (candidate) this.#pinged(candidate, message.preferred, now);
    } else if (message.type === 'pong') this.#ponged(message.transaction, from, now);
    else this.#received(message, now);
    this.#wake(now);
  }

  /** A sealed message that came through a server at which we are registered. */
  handleRelayed(datagram: Uint8Array, link: ServerLink, now: Instant): void {
    const message = this.#messenger.open(datagram, 'relayed', now);
    if (!message) return;
    this.#heard(now);
    this.#heardThrough(link.id, now);
    if (message.type === 'ping') {
      const path = this.paths.relay(link);
      if (path)
        this.#messenger.sendRelayed({ type: 'pong', transaction: message.transaction, seen: undefined }, path, now);
    } else if (message.type === 'pong') this.#ponged(message.transaction, link.id, now);
    else this.#received(message, now);
    this.#wake(now);
  }

  /** The server does not know the peer. */
  notHere(link: ServerLink, now: Instant): void {
    this.relays.notHere(link.id, now);
    this.#present = false;
    if (this.isActive(now)) {
      this.relays.demand(now);
      this.#exchange.hurry(now);
    }
    this.publish(now);
    this.#wake(now);
  }

  /** A server became usable, doubtful, or was lost. */
  serversChanged(link: ServerLink, now: Instant): void {
    this.paths.renewHeaders(link);
    if (!link.transport) this.relays.doubt(link.id);
    if (this.isActive(now)) {
      this.relays.demand(now);
      if (!this.#direct || this.#direct.lapsed || this.#exchange.hasOtherHomes(this.#homes()))
        this.#exchange.hurry(now);
    }
    this.publish(now);
    this.#wake(now);
  }

  /** Our own candidates are others than before; `moved`: addresses in use may be no more. */
  localChanged(moved: boolean, now: Instant): void {
    if (moved) {
      this.#messenger.forgetPings();
      this.candidates.doubtAll();
      this.#configured.reset();
      if (this.#direct) this.#doubtDirect(now, 'our network changed');
    }
    if (this.isActive(now) && (moved || !this.#direct)) this.#begin(now);
    this.#wake(now);
  }

  socketOpened(socket: number, now: Instant): void {
    this.#prober.socketOpened(socket, now);
    this.#wake(now);
  }

  socketFailed(socket: number, now: Instant): void {
    this.#prober.socketFailed(socket);
    if (this.#direct?.candidate.path.socket === socket) this.#giveUp(now, 'its socket was closed');
    this.#wake(now);
  }

  handleTimeout(now: Instant): void {
    if (this.isActive(now)) {
      if (this.#exchange.isDue(now)) this.#sendCandidates(true, 0, now);
      this.#stepRelay(now);
      this.#prober.stepFormer(now);
      this.#keepAlive(now);
      this.#stepSilence(now);
      this.#stepConfigured(now);
      this.#stepDirect(now);
    } else if (this.#direct?.suspend(now))
      this.publish(now, 'nothing was sent for long: what comes next goes both ways');
    this.#prober.step(this.#direct?.lapsed ? undefined : this.#direct?.candidate, now);
  }

  deadline(now: Instant): Instant | undefined {
    return soonest(this.#prober.deadline(), this.isActive(now) ? this.#activeDeadline(now) : undefined);
  }

  /** Asks a silent peer whether it is there. @returns whether anything was sent. */
  inquire(now: Instant, silentMs?: number): boolean {
    if (!this.#chosen.path || !this.#presence.takeQuestion(now, silentMs)) return false;
    if (this.#direct) this.#prober.probe(this.#direct.candidate, now, true);
    else this.#probeConfigured(now);
    this.#pingRelays(now);
    return true;
  }

  report(now: Instant): PathReport {
    const path = this.#chosen.path;
    const relay = path?.kind === 'relay' ? path.server : undefined;
    const candidate = path?.kind === 'udp' ? this.candidates.get(path) : undefined;
    const why = candidate ? undefined : this.#whyNotDirect();
    const works = relay === undefined ? this.#direct?.works === true : this.relays.isProven(relay, now);
    return {
      path,
      candidateKind: candidate?.kind,
      also: this.#chosen.also,
      rttMs: relay === undefined ? candidate?.rttMs : this.relays.rttMs(relay),
      since: this.#chosen.since,
      proven: works && this.#presence.isThere(now),
      wanted: this.#lastSentAt !== undefined,
      reason: why?.reason,
      advice: why?.advice,
      candidates: this.candidates.reports((family) => this.context.hasFamily(family)),
      remoteNat: this.remoteNat,
      remoteHomes: this.relays.homes,
    };
  }

  #whyNotDirect() {
    const traffic = this.#lastSentAt !== undefined;
    const contact = { traffic, asked: traffic || this.#presence.wasAsked, present: this.#present };
    return explainRelay(this.context, this.remoteNat, contact, this.candidates);
  }

  close(): void {
    this.#prober.close();
    this.#messenger.erase();
  }

  /** Tells the shell where datagrams go, if that is somewhere else than before. */
  publish(now: Instant, reason?: string): void {
    const { config, paths, relays } = this;
    const wanted = wantedPath({ config, paths, relays, direct: this.#direct, configured: this.#configured }, now);
    this.#alone = wanted.alone;
    this.#chosen.choose(config.publicKey, wanted, now, reason);
  }

  /** Traffic begins, or everything is asked anew. */
  #begin(now: Instant): void {
    this.relays.demand(now);
    this.#exchange.begin(now);
    this.#wake(now);
  }

  #noteRelaySent(path: Path | undefined, now: Instant): void {
    if (path?.kind === 'relay') this.context.signalServers.link(path.server)?.noteSent(now);
  }

  #heard(now: Instant): void {
    this.#relayWatch.heard();
    this.#presence.heard(now);
    if (this.#present) return;
    this.#present = true;
    // Whatever WireGuard sent before went nowhere: the handshake need not wait for its timer.
    if (this.#lastSentAt !== undefined) this.context.outbox.event({ type: 'reachable', peer: this.config.publicKey });
    if (this.isActive(now) && !this.#direct) this.#exchange.hurry(now);
  }

  #heardThrough(server: string, now: Instant): void {
    const known = this.relays.isProven(server, now);
    this.relays.heard(server, now);
    if (!known) this.publish(now);
  }

  #pinged(candidate: RemoteCandidate, preferred: boolean, now: Instant): void {
    if (preferred) candidate.preferredAt = now;
    // A ping shows only that the way to us works; whether ours does, a pong has to tell.
    if (candidate !== this.#direct?.candidate || this.#direct.lapsed) this.#prober.probeSoon(candidate, now);
  }

  /** A pong counts only where its ping went: anything else may be a reflection, or another way. */
  #ponged(transaction: Uint8Array, from: UdpWay | ServerId, now: Instant): void {
    const answered = this.#messenger.takePong(transaction, now);
    if (!answered) return;
    const { target, rttMs } = answered;
    if (target.kind === 'relay' || typeof from === 'string') {
      if (target.kind === 'relay' && target.server === from) this.relays.measured(from, rttMs);
      return;
    }
    const path = this.paths.udp(from.socket, from.endpoint);
    if (target.kind === 'direct' ? target.candidate.path !== path : !isWay(target, from)) return;
    const candidate = this.candidates.get(path) ?? this.candidates.learn(from.socket, from.endpoint);
    if (!candidate) return;
    if (target.kind === 'guess' && !candidate.named) candidate.kind = 'predicted';
    this.candidates.measured(candidate, rttMs, now);
    this.#consider(candidate, now);
  }

  /** A candidate is proven: is it the better path? */
  #consider(candidate: RemoteCandidate, now: Instant): void {
    const current = this.#direct;
    if (current?.candidate === candidate) {
      if (current.prove(now)) this.publish(now, 'the direct path answers again');
      return;
    }
    if (current && !current.lapsed && !isBetterPath(candidate, current.candidate, !this.#ourWish)) return;
    this.#direct = new DirectTrust(candidate, now);
    this.candidates.inUse = candidate;
    this.paths.touch(candidate.path);
    this.#prober.promoted(candidate);
    this.#exchange.stop();
    this.publish(now, `${candidate.kind} candidate ${candidate.path.endpoint} answered`);
    this.#prober.probe(candidate, now, true); // tells the other side which one we prefer
  }

  #received(message: CandidatesMessage, now: Instant): void {
    const news = this.#exchange.takeGeneration(message.generation);
    if (news === 'old') return;
    this.remoteNat = message.nat;
    this.relays.setHomes(message.homes);
    this.candidates.setNamed(message.candidates);
    if (!this.isActive(now) && (message.answer || message.punch)) this.#activeUntil = delayed(now, ASKED_MS);
    if (news === 'moved' && this.#direct) this.#doubtDirect(now, 'the peer has other addresses');
    const likely = isDirectLikely(this.context, message);
    const roundTrip = this.#exchange.answered(now, likely, this.#direct !== undefined);
    if (message.answer && this.#exchange.takeQuestion(now)) {
      const delay = this.#oneWayMs(now);
      this.#sendCandidates(false, delay, now);
      this.#prober.punch(delayed(now, delay), message, this.#direct !== undefined);
    } else if (message.punch) {
      const onItsWay = roundTrip === undefined ? 0 : roundTrip / 2;
      this.#prober.punch(delayed(now, Math.max(0, message.punchDelay - onItsWay)), message, this.#direct !== undefined);
    }
    this.publish(now);
  }

  /** How long a message to the peer takes, as far as known: half the way over its server. */
  #oneWayMs(now: Instant): number {
    const { path } = this.relays.choose(now);
    const measured = path && this.relays.rttMs(path.server);
    const server = path && this.context.signalServers.link(path.server)?.rttMs;
    return Math.min(Math.max(Math.round(measured === undefined ? (server ?? 0) : measured / 2), 5), 300);
  }

  #sendCandidates(answer: boolean, punchDelay: number, now: Instant): void {
    const { context } = this;
    if (answer) this.#exchange.sent(now);
    const message: CandidatesMessage = {
      type: 'candidates',
      generation: context.generation,
      answer,
      punch: !answer,
      nat: context.nat,
      punchDelay,
      candidates: context.candidates,
      homes: this.#homes(),
    };
    this.#exchange.told(message.homes);
    const { path, also } = this.relays.choose(now);
    for (const relay of [path, also]) if (relay) this.#messenger.sendRelayed(message, relay, now);
    // Servers may be away, or the peer elsewhere: what is left of the direct path carries it too.
    if (this.#direct) this.#messenger.send(message, wayOf(this.#direct.candidate));
    if (answer && path && this.relays.rttMs(path.server) === undefined) this.#pingRelays(now);
  }

  #homes = (): ServerId[] => this.context.signalServers.homes().map(({ id }) => id);

  #pingRelays(now: Instant): void {
    this.#relayWatch.pinged(now);
    const { path, also } = this.relays.choose(now);
    for (const relay of [path, also]) if (relay) this.#messenger.pingRelay(relay.server, now);
  }

  #doubtDirect(now: Instant, why: string): void {
    this.#direct?.lapse(now);
    if (this.isActive(now)) this.#exchange.begin(now);
    this.publish(now, `${why}; sending on both until it is proven`);
    this.#wake(now);
  }

  #giveUp(now: Instant, why: string): void {
    const candidate = this.#direct?.candidate;
    if (!candidate) return;
    candidate.provenAt = undefined;
    this.#direct = undefined;
    this.candidates.inUse = undefined;
    this.#prober.lost(candidate, now);
    this.#configured.fail();
    this.publish(now, why);
    if (this.isActive(now)) this.#exchange.begin(now);
  }

  #stepDirect(now: Instant): void {
    if (this.#direct?.isUnanswered(now)) this.context.checkServers(now); // so that a relay is known by when it is needed
    const step = this.#direct?.step(now, this.#alone);
    if (step === 'ping') this.#prober.probe(this.#direct!.candidate, now, true);
    else if (step === 'give-up') this.#giveUp(now, 'the direct path does not answer any more');
    else if (step === 'lapse') {
      // Perhaps it is us who moved: the servers know.
      this.context.checkServers(now);
      this.#doubtDirect(now, 'the direct path does not answer');
    }
  }

  /** A relay that is not proven, or over which nothing comes back, is asked. */
  #stepRelay(now: Instant): void {
    if (this.#chosen.path?.kind !== 'relay') return;
    if (this.#relayWatch.takeDoubt(now)) {
      this.relays.doubt();
      this.context.checkServers(now);
      this.publish(now, 'nothing comes back over the relay; sending over two servers');
    }
    if (this.#present && this.#relayWatch.isPingDue(now, this.relays.isProven(this.#chosen.path.server, now)))
      this.#pingRelays(now);
  }

  #keepAlive(now: Instant): void {
    const at = this.#keepAliveAt();
    if (at !== undefined && now >= at) this.#prober.probe(this.#direct!.candidate, now, true);
  }

  /** Hosts on one LAN have nothing between them that forgets; everything else may be a NAT or a firewall. */
  #keepAliveAt(): Instant | undefined {
    const candidate = this.#direct?.candidate;
    if (!candidate || candidate.kind === 'host') return undefined;
    const last = Math.max(this.#lastSentAt ?? 0, candidate.pingedAt ?? 0) as Instant;
    return delayed(last, keepAliveMs(this.context.nat));
  }

  #stepSilence(now: Instant): void {
    if (!this.#silence.take(now)) return;
    if (this.#direct) this.#direct.question(now);
    else this.context.checkServers(now);
  }

  #stepConfigured(now: Instant): void {
    if (this.#direct) this.#configured.stop();
    const step = this.#configured.step(now);
    if (step === 'failed') this.publish(now, 'the configured endpoint does not answer');
    if (step === 'ping') this.#probeConfigured(now);
  }

  #probeConfigured(now: Instant): void {
    for (const candidate of this.candidates) if (candidate.kind === 'configured') this.#prober.probe(candidate, now);
  }

  #activeDeadline(now: Instant): Instant | undefined {
    let at = soonest(this.#exchange.deadline(), soonest(this.#configured.deadline(), this.#prober.formerDeadline(now)));
    at = soonest(at, soonest(this.#keepAliveAt(), this.#silence.deadline()));
    const proven = this.#chosen.path?.kind === 'relay' && this.relays.isProven(this.#chosen.path.server, now);
    if (this.#chosen.path?.kind === 'relay') at = soonest(at, this.#relayWatch.deadline(now, proven, this.#present));
    if (this.#direct) at = soonest(at, this.#activeUntil);
    return soonest(at, this.#direct?.deadline(this.#alone));
  }

  #wake(now: Instant): void {
    const at = this.deadline(now);
    if (at !== undefined) this.context.wakeAt(this, at);
  }
}
