import type { Endpoint, Instant } from '@warren/base';
import { FormerPath } from './former-path.js';
import { canPredict, canPunch } from './nat-rule.js';
import type { Peer } from './peer.js';
import type { PeerContext } from './peer-context.js';
import type { PeerMessenger } from './peer-messenger.js';
import { PortPrediction } from './port-prediction.js';
import { PunchRounds } from './punch-rounds.js';
import { kindCostOf, type RemoteCandidate, type RemoteCandidates } from './remote-candidates.js';
import type { CandidatesMessage } from './sealed-message.js';
import { delayed, soonest } from './times.js';
import { TokenBucket } from './token-bucket.js';

/** A candidate is not probed more often, whatever asks for it. */
const LEAST_PROBE_INTERVAL_MS = 40;
const TRIGGERED_PROBE_INTERVAL_MS = 200;
/** Plain punching is given so long before ports are guessed. */
const PREDICT_AFTER_MS = 600;
/** Guessing between the same addresses is tried again after so long, however often candidates are exchanged. */
const PREDICT_AGAIN_AFTER_MS = 60_000;
/**
 * Probes to addresses that are not proven, at once and a second: a peer may name anybody's, and thousands of agents would send to
 * him. 32 candidates take 256 in an exchange; one attempt at guessing takes 2,500.
 */
const PROBES_AT_ONCE = 1_500;
const PROBES_PER_SECOND = 30;
const GUESSES_AT_ONCE = 4_000;
const GUESSES_PER_SECOND = 40;

/** What the other side said of itself. */
type PunchPartner = Pick<CandidatesMessage, 'nat' | 'generation'>;

/** Sends the probes to one peer's candidates: in rounds, when something came from one, and to ports that are guessed. */
export class Prober {
  readonly #rounds = new PunchRounds();
  readonly #former = new FormerPath();
  readonly #prediction: PortPrediction;
  /** The last attempt at guessing: when, and between which generations of addresses. */
  #predictedAt: Instant | undefined;
  #predictedFor: string | undefined;
  /** The socket of the path in use. */
  #socket = 0;
  readonly #probes = new TokenBucket(PROBES_AT_ONCE, PROBES_PER_SECOND);
  readonly #guesses = new TokenBucket(GUESSES_AT_ONCE, GUESSES_PER_SECOND);

  constructor(
    private readonly candidates: RemoteCandidates,
    private readonly messenger: PeerMessenger,
    private readonly context: PeerContext,
    peer: Peer,
  ) {
    this.#prediction = new PortPrediction({
      probe: (socket: number, endpoint: Endpoint, now: Instant) => {
        if (this.#guesses.take(now)) messenger.pingGuess(socket, endpoint, now);
      },
      openSocket: () => context.openSocket(peer),
      closeSocket: (socket) => {
        candidates.forgetSocket(socket);
        context.closeSocket(socket);
      },
      random: context.options.random,
    });
  }

  /** Candidates were exchanged: both sides probe from this moment on. `direct`: a path is in use already. */
  punch(at: Instant, theirs: PunchPartner, direct: boolean): void {
    const { nat, options, generation } = this.context;
    this.#rounds.start(at, canPunch(nat, theirs.nat));
    if (direct || !options.predictPorts || !canPredict(nat, theirs.nat)) return;
    const addresses = `${generation} ${theirs.generation}`;
    if (addresses === this.#predictedFor && at < delayed(this.#predictedAt!, PREDICT_AGAIN_AFTER_MS)) return;
    this.#predictedFor = addresses;
    this.#predictedAt = at;
    this.#prediction.plan(nat, this.candidates, delayed(at, PREDICT_AFTER_MS));
  }

  /** @param current the path in use, if it is trusted: only better ones are looked for beside it. */
  step(current: RemoteCandidate | undefined, now: Instant): void {
    if (this.#rounds.take(now)) this.#probeAll(current, now);
    this.#prediction.step(now, this.#socket);
  }

  /** While there is traffic. */
  stepFormer(now: Instant): void {
    const former = this.#former.due(now);
    if (former) this.probe(former, now);
  }

  deadline(): Instant | undefined {
    return soonest(this.#rounds.deadline(), this.#prediction.deadline());
  }

  formerDeadline = (now: Instant): Instant | undefined => this.#former.deadline(now);

  /** Something came from the candidate: it is worth a probe. */
  probeSoon(candidate: RemoteCandidate, now: Instant): void {
    const { pingedAt } = candidate;
    if (pingedAt === undefined || now - pingedAt >= TRIGGERED_PROBE_INTERVAL_MS) this.probe(candidate, now);
  }

  probe(candidate: RemoteCandidate, now: Instant, preferred = false): void {
    const { pingedAt } = candidate;
    if (!preferred && pingedAt !== undefined && now - pingedAt < LEAST_PROBE_INTERVAL_MS) return;
    if (candidate !== this.candidates.inUse && !this.#probes.take(now)) return;
    candidate.pingedAt = now;
    candidate.probes++;
    this.messenger.pingCandidate(candidate, preferred, now);
  }

  /** The candidate is the path now. */
  promoted(candidate: RemoteCandidate): void {
    this.#former.forget();
    this.#socket = candidate.path.socket;
    this.#prediction.stop(this.#socket);
  }

  /** The candidate was the path, and is given up. */
  lost(candidate: RemoteCandidate, now: Instant): void {
    this.#socket = 0;
    // A guessed port is found anew: its NAT has forgotten it, and the socket is not worth keeping.
    if (candidate.path.socket !== 0) this.#prediction.stop(0);
    else this.#former.set(candidate, now);
  }

  socketOpened(socket: number, now: Instant): void {
    this.#prediction.socketOpened(socket, now);
  }

  socketFailed(socket: number): void {
    this.#prediction.socketFailed(socket);
    this.candidates.forgetSocket(socket);
  }

  close(): void {
    this.#prediction.stop(0);
  }

  #probeAll(current: RemoteCandidate | undefined, now: Instant): void {
    for (const candidate of this.candidates.inOrder()) {
      if (!this.context.hasFamily(candidate.family)) continue;
      if (current && (candidate === current || kindCostOf(candidate) >= kindCostOf(current))) continue;
      this.probe(candidate, now);
    }
  }
}
