import { after, elapsed, type Instant, isDrop, millis, toHex } from '@warren/base';
import type { TransportAddress } from './attributes.js';
import { BINDING_METHOD } from './constants.js';
import type { DiscoveryTransmit } from './discovery.js';
import { Probe, type ProbePlan } from './discovery-probe.js';
import { decodeMessage } from './message.js';
import { sameEndpoint } from './nat-conclusions.js';
import type { RetransmitOptions } from './transaction.js';

/** Seconds of silence that are tried, all at the same time. The first ones are for NATs that forget before RFC 4787 lets them. */
const STEPS_S = [10, 20, 30, 45, 60, 90, 120, 180] as const;
/** As a discovery asks: a test and all its repetitions lost are rare. */
const RETRANSMIT: RetransmitOptions = { rto: 300, requests: 4, lastWait: 4 };
/**
 * A binding is used again after so long before its silence begins. Many NATs (Linux among them, after two seconds) keep one that
 * carried a single exchange much shorter than one that carried a conversation, which is what paths are.
 */
const CONVERSATION_MS = millis(3_000);
/** Sockets of a step; the numbers of the next step's follow. */
const SOCKETS_PER_STEP = 3;

export interface BindingLifetimeOptions {
  /** Supports RESPONSE-PORT, which is found out, and sees this host through the NAT. */
  readonly server: TransportAddress;
  /** Fresh random bytes, a new array each time. */
  readonly random: (length: number) => Uint8Array;
  readonly now: Instant;
}

export interface BindingLifetimeResult {
  /**
   * Longest silence, in seconds, that a UDP binding was seen to survive: 10, 20, 30, 45, 60, 90, 120 or 180, which is the last
   * one tried; 0: not even the first. undefined: not found out.
   */
  readonly atLeastS: number | undefined;
}

/**
 * How long the NAT before this host keeps a UDP binding that nothing is sent over, measured once (RFC 5780 §4.6); the shell owns
 * sockets and clock, as with `NatDiscovery`. At most 192 requests, 48 where nothing is lost.
 */
export interface BindingLifetimeMeasurement {
  /** Anything that came to a socket. Unusable bytes change nothing. */
  handleDatagram(socket: number, datagram: Uint8Array, from: TransportAddress, now: Instant): void;
  handleTimeout(now: Instant): void;
  pollTransmit(): DiscoveryTransmit | undefined;
  /** When `handleTimeout` has something to do; undefined when it is finished. */
  pollTimeout(): Instant | undefined;
  /** Undefined until it is finished: at the first silence that is too long, after 200 s at most. */
  result(): BindingLifetimeResult | undefined;
}

export function createBindingLifetimeMeasurement(options: BindingLifetimeOptions): BindingLifetimeMeasurement {
  return new Measurement(options);
}

class Measurement implements BindingLifetimeMeasurement {
  private readonly byTransaction = new Map<string, Probe>();
  private readonly steps: readonly Step[];
  private readonly transmits: DiscoveryTransmit[] = [];

  constructor(private readonly options: BindingLifetimeOptions) {
    const begin = (plan: ProbePlan, now: Instant): Probe => this.probe(plan, now);
    this.steps = STEPS_S.map((seconds, index) => new Step(seconds, index * SOCKETS_PER_STEP, options.server, begin));
    this.advance(options.now);
  }

  handleDatagram(socket: number, datagram: Uint8Array, from: TransportAddress, now: Instant): void {
    const message = decodeMessage(datagram);
    if (isDrop(message) || message.method !== BINDING_METHOD || message.class === 'request') return;
    const probe = this.byTransaction.get(toHex(message.transactionId));
    if (!probe) return;
    probe.handle(message, from, socket, now);
    this.advance(now);
  }

  handleTimeout(now: Instant): void {
    this.advance(now);
  }

  pollTransmit(): DiscoveryTransmit | undefined {
    return this.transmits.shift();
  }

  pollTimeout(): Instant | undefined {
    if (this.result()) return undefined;
    const waits = [...this.byTransaction.values()].flatMap(({ state, transaction }) =>
      state === 'pending' && transaction.deadline !== undefined ? [transaction.deadline] : [],
    );
    for (const { waitsUntil } of this.steps) if (waitsUntil !== undefined) waits.push(waitsUntil);
    return waits.reduce<Instant | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined);
  }

  result(): BindingLifetimeResult | undefined {
    let atLeastS: number | undefined;
    let certain = true;
    for (const { verdict, seconds } of this.steps) {
      if (verdict === undefined) return undefined;
      if (verdict === 'alive') atLeastS = seconds;
      // Dead at the first that could tell, and nothing lived: only if none before it was lost is it known to be shorter than all.
      if (verdict === 'dead') return { atLeastS: atLeastS ?? (certain ? 0 : undefined) };
      if (verdict === 'unknown') certain = false;
    }
    return { atLeastS };
  }

  /** Sends what is due, gives up what is over, and begins what has become possible. */
  private advance(now: Instant): void {
    if (this.result()) return;
    for (const probe of this.byTransaction.values()) this.pump(probe, now);
    for (const step of this.steps) step.advance(now);
    for (const probe of this.byTransaction.values()) this.pump(probe, now);
  }

  private pump(probe: Probe, now: Instant): void {
    if (probe.state !== 'pending') return;
    const due = probe.transaction.poll(now);
    if (due === 'send') this.transmits.push({ ...probe.plan, datagram: probe.datagram });
    if (due === 'failed') probe.state = 'lost';
  }

  private probe(plan: ProbePlan, now: Instant): Probe {
    const probe = new Probe(plan, this.options.random, now, RETRANSMIT);
    this.byTransaction.set(toHex(probe.transaction.id), probe);
    return probe;
  }
}

type Verdict = 'alive' | 'dead' | 'unknown';

/**
 * One length of silence, on sockets of its own. The *silent* one makes a binding and falls silent; then the *asker* has the server
 * answer there, and, as a control, to a *witness* whose binding is new.
 */
class Step {
  verdict: Verdict | undefined;
  /** When it goes on by itself. */
  waitsUntil: Instant | undefined;
  private readonly first: Probe[] = [];
  private asker: Probe | undefined;
  private witness: Probe | undefined;
  private test: Probe | undefined;
  private control: Probe | undefined;

  constructor(
    readonly seconds: number,
    private readonly socket: number,
    private readonly server: TransportAddress,
    private readonly begin: (plan: ProbePlan, now: Instant) => Probe,
  ) {}

  advance(now: Instant): void {
    if (this.verdict !== undefined) return;
    if (this.waitsUntil !== undefined && elapsed(this.waitsUntil, now) < 0) return;
    if (this.test && this.control) this.conclude(this.test, this.control);
    else if (this.asker && this.witness) this.ask(this.asker, this.witness, now);
    else this.bind(now);
  }

  /** Two exchanges with a pause between them, then silence. */
  private bind(now: Instant): void {
    const { socket, server: to } = this;
    const last = this.first.at(-1);
    if (last?.state === 'pending') return;
    if (last && last.state !== 'answered') this.verdict = 'unknown';
    else if (last && this.waitsUntil === undefined) {
      const pause = this.first.length === 1 ? CONVERSATION_MS : millis(this.seconds * 1_000);
      this.waitsUntil = after(now, pause);
    } else {
      this.waitsUntil = undefined;
      if (this.first.length < 2) this.first.push(this.begin({ socket, to }, now));
      else {
        this.asker = this.begin({ socket: socket + 1, to }, now);
        this.witness = this.begin({ socket: socket + 2, to }, now);
      }
    }
  }

  private ask(asker: Probe, witness: Probe, now: Instant): void {
    if (asker.state === 'pending' || witness.state === 'pending') return;
    const [before, silent] = this.first.map(({ answer }) => answer?.mapped);
    const [from, control] = [asker.answer?.mapped, witness.answer?.mapped];
    if (!before || !silent || !from || !control || !sameEndpoint(before, silent)) this.verdict = 'unknown';
    // RESPONSE-PORT keeps the address, so all three must be behind the same one.
    else if (from.address !== silent.address || control.address !== silent.address) this.verdict = 'unknown';
    // Its outer port belongs to somebody else by now.
    else if (from.port === silent.port || control.port === silent.port) this.verdict = 'dead';
    else {
      const plan = { socket: asker.plan.socket, to: this.server };
      this.test = this.begin({ ...plan, responsePort: silent.port, answerAt: this.socket }, now);
      this.control = this.begin({ ...plan, responsePort: control.port, answerAt: witness.plan.socket }, now);
    }
  }

  /** Silence means something only where the witness heard. */
  private conclude(test: Probe, control: Probe): void {
    if (test.state === 'answered') this.verdict = 'alive';
    else if (test.state === 'refused') this.verdict = 'unknown';
    else if (test.state === 'lost' && control.state !== 'pending') {
      this.verdict = control.state === 'answered' ? 'dead' : 'unknown';
    }
  }
}
