import { after, type Endpoint, elapsed, type Instant, type Millis, millis } from '@warren/base';
import { BOX_NONCE_LENGTH, precomputeBoxKey } from '@warren/crypto/boxes';
import { registrationKeepAliveMs } from '../keepalive.js';
import { TokenBucket } from '../token-bucket.js';
import { AGENT_NONCE_LENGTH, decodeFrame, encodeFrame, hasBytesAt, type RelayFrame } from './frames.js';
import { openRegistered, sealRegister } from './registration-box.js';
import type { RelayClient, RelayClientEvent, RelayClientOptions } from './relay-client-api.js';

/** First pause before something is sent again; doubled each time, at most `RETRANSMIT_MAX`. A stream loses nothing. */
const RETRANSMIT_FIRST = { udp: 250, tls: 1_000 } as const;
const RETRANSMIT_MAX = 4_000;
/** So many hellos or registers without an answer mean that nobody is there (750 ms over UDP). */
const LOST_AFTER = 2;
/** So many registers, and the cookie may be too old: begin with a hello. */
const REGISTERS_PER_COOKIE = 3;
/** How long `check` waits for an answer, and how often it asks. */
const CHECK_TIMEOUT = 400;
const CHECK_ATTEMPTS = 2;
/** The same for a keepalive, where nobody waits. */
const KEEPALIVE_TIMEOUT = 1_000;
const KEEPALIVE_ATTEMPTS = 3;
/** Longest timeout for a far server: twice its round trip, at most this. */
const TIMEOUT_MAX = 2_000;
/** What a server may ask for, seconds. */
const KEEPALIVE_LEAST = 5;
const KEEPALIVE_MOST = 120;
/** A refused agent asks again after so long, or with another ticket. */
const REFUSED_PAUSE = 30_000;
/** A session that is younger does not end by *unknown session*, which anybody on the way can forge. */
const SESSION_LEAST_AGE = 1_000;
/** Weight of a new measurement in the smoothed round trip (RFC 6298 §2). */
const RTT_WEIGHT = 1 / 8;
const MAX_EVENTS = 64;
/** Tombstones at once, and a second: each costs us a signature to verify, and whoever is on the way can send them. */
const TOMBSTONES_AT_ONCE = 256;
const TOMBSTONES_PER_SECOND = 10;
const MAX_TRANSMITS = 16;

/** What has happened: nothing; a hello or a register went out; a session stands; the server refused. */
type State =
  | { readonly name: 'idle' }
  | { readonly name: 'asked'; readonly nonce: Uint8Array; sent: number; sentAt: Instant }
  | {
      readonly name: 'challenged';
      readonly nonce: Uint8Array;
      readonly register: Uint8Array;
      sent: number;
      sentAt: Instant;
    }
  | {
      readonly name: 'registered';
      readonly session: Uint8Array;
      readonly keepalive: Millis;
      readonly since: Instant;
      question: Question | undefined;
    }
  | { readonly name: 'refused' };

/** An *alive?* that waits for its answer. */
interface Question {
  readonly sequence: number;
  readonly timeout: number;
  readonly attempts: number;
  sent: number;
  sentAt: Instant;
}

const IDLE: State = { name: 'idle' };

/** A registration that has not begun. Await `boxesReady` before. @throws WarrenError `boxes-not-ready`. */
export function createRelayClient(options: RelayClientOptions): RelayClient {
  return new Registrar(options);
}

class Registrar implements RelayClient {
  #state: State = IDLE;
  #started = false;
  #ticket: Uint8Array | undefined;
  /** undefined for a server key of low order: no box can be made, and the server is as good as dead. */
  readonly #boxKey: Uint8Array | undefined;
  #deadline: Instant | undefined;
  #rttMs: number | undefined;
  #reflexive: Endpoint | undefined;
  #sequence = 0;
  /** Hellos and registers since something was heard. */
  #unanswered = 0;
  #saidLost = false;
  readonly #tombstones = new TokenBucket(TOMBSTONES_AT_ONCE, TOMBSTONES_PER_SECOND);
  readonly #transmits: Uint8Array[] = [];
  readonly #events: RelayClientEvent[] = [];

  constructor(private readonly options: RelayClientOptions) {
    this.#boxKey = precomputeBoxKey(options.serverKey, options.pathKey.expose());
  }

  get registered(): boolean {
    return this.#state.name === 'registered';
  }

  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  get session(): Uint8Array | undefined {
    return this.#state.name === 'registered' ? this.#state.session : undefined;
  }

  start(now: Instant): void {
    if (this.#started) return;
    this.#started = true;
    this.#saidLost = false;
    this.#begin(now);
  }

  stop(): void {
    this.#started = false;
    this.#state = IDLE;
    this.#deadline = undefined;
    this.#transmits.length = 0;
    this.#events.length = 0;
  }

  setTicket(ticket: Uint8Array, now: Instant): void {
    const same =
      this.#ticket !== undefined && ticket.length === this.#ticket.length && hasBytesAt(ticket, 0, this.#ticket);
    if (same) return;
    this.#ticket = copyOf(ticket);
    // A session that stands goes on; the new ticket counts from the next registration.
    if (this.#started && (this.#state.name === 'idle' || this.#state.name === 'refused')) this.#begin(now);
  }

  check(now: Instant): void {
    if (this.#state.name === 'registered') this.#ask(this.#state, CHECK_TIMEOUT, CHECK_ATTEMPTS, now);
    else if (this.#state.name === 'asked' || this.#state.name === 'challenged') this.#askSooner(this.#state, now);
  }

  sendTombstone(tombstone: Uint8Array, signature: Uint8Array): void {
    if (this.#state.name !== 'registered') return;
    this.#transmit(encodeFrame({ type: 'tombstone', session: this.#state.session, tombstone, signature }));
  }

  handleFrame(bytes: Uint8Array, now: Instant): boolean {
    const frame = this.#started ? decodeFrame(bytes) : undefined;
    if (!frame) return false;
    switch (frame.type) {
      case 'challenge':
        return this.#challenged(frame, now);
      case 'registered':
        return this.#handleRegistered(frame, now);
      case 'refused':
        return this.#handleRefused(frame, now);
      case 'alive':
      case 'unknown-session':
      case 'not-here':
      case 'tombstone':
        return this.#handleOfSession(frame, now);
      default:
        return false; // what only agents send, and `deliver`, which is the data plane's
    }
  }

  handleTimeout(now: Instant): void {
    if (this.#deadline === undefined || elapsed(this.#deadline, now) < 0) return;
    this.#deadline = undefined;
    const state = this.#state;
    switch (state.name) {
      case 'idle':
        return;
      case 'refused':
        this.#begin(now);
        return;
      case 'asked':
      case 'challenged':
        this.#repeat(state, now);
        return;
      case 'registered':
        if (state.question) this.#repeatQuestion(state, state.question, now);
        else this.#ask(state, KEEPALIVE_TIMEOUT, KEEPALIVE_ATTEMPTS, now);
    }
  }

  pollTransmit(): Uint8Array | undefined {
    return this.#transmits.shift();
  }

  pollEvent(): RelayClientEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.#deadline;
  }

  /** With a new nonce, so that answers to former hellos count no more. */
  #begin(now: Instant): void {
    this.#state = IDLE;
    this.#deadline = undefined;
    if (!this.#ticket) return;
    if (!this.#boxKey) {
      this.#sayLost();
      return;
    }
    this.#unanswered = 0;
    this.#sayHello(now);
  }

  #sayHello(now: Instant): void {
    const nonce = this.options.random(AGENT_NONCE_LENGTH);
    this.#state = { name: 'asked', nonce, sent: 0, sentAt: now };
    this.#send(this.#state, encodeFrame({ type: 'hello', nonce }), now);
  }

  #send(state: { sent: number; sentAt: Instant }, frame: Uint8Array, now: Instant): void {
    state.sent++;
    state.sentAt = now;
    this.#transmit(frame);
    const pause = RETRANSMIT_FIRST[this.options.transport] * 2 ** Math.min(this.#unanswered, 10);
    this.#deadline = after(now, millis(Math.min(pause, RETRANSMIT_MAX)));
  }

  /** Nothing came back in time. */
  #repeat(state: State & { readonly name: 'asked' | 'challenged' }, now: Instant): void {
    this.#unanswered++;
    if (this.#unanswered >= LOST_AFTER) this.#sayLost();
    if (state.name === 'asked') this.#send(state, encodeFrame({ type: 'hello', nonce: state.nonce }), now);
    else if (state.sent < REGISTERS_PER_COOKIE) this.#send(state, state.register, now);
    else this.#sayHello(now);
  }

  /** The way may have come back while the pauses had grown long. */
  #askSooner(state: State & { readonly name: 'asked' | 'challenged' }, now: Instant): void {
    if (elapsed(state.sentAt, now) < RETRANSMIT_FIRST[this.options.transport]) return;
    this.#unanswered = Math.min(this.#unanswered + 1, LOST_AFTER);
    if (this.#unanswered >= LOST_AFTER) this.#sayLost();
    this.#sayHello(now);
  }

  #challenged(frame: RelayFrame & { readonly type: 'challenge' }, now: Instant): boolean {
    const state = this.#state;
    if (state.name === 'challenged') return hasBytesAt(frame.nonce, 0, state.nonce); // a second answer
    if (state.name !== 'asked' || !hasBytesAt(frame.nonce, 0, state.nonce)) return false;
    if (state.sent === 1) this.#measured(elapsed(state.sentAt, now));
    const { nonce } = state;
    const cookie = copyOf(frame.cookie);
    const terms = { nonce, cookie, ticket: this.#ticket! };
    const box = sealRegister(this.#boxKey!, this.options.random(BOX_NONCE_LENGTH), terms);
    const register = encodeFrame({ type: 'register', ...terms, box });
    this.#unanswered = 0;
    const challenged: State = { name: 'challenged', nonce, register, sent: 0, sentAt: now };
    this.#state = challenged;
    this.#send(challenged, register, now);
    return true;
  }

  #handleRegistered(frame: RelayFrame & { readonly type: 'registered' }, now: Instant): boolean {
    const state = this.#state;
    if (state.name !== 'challenged' || !hasBytesAt(frame.nonce, 0, state.nonce)) return false;
    const registration = openRegistered(this.#boxKey!, frame.box, state.nonce);
    if (!registration) return false;
    if (state.sent === 1) this.#measured(elapsed(state.sentAt, now));
    const { session, keepaliveSeconds, seen } = registration;
    const seconds = Math.min(Math.max(keepaliveSeconds, KEEPALIVE_LEAST), KEEPALIVE_MOST);
    const keepalive = millis(seconds * 1_000);
    this.#state = { name: 'registered', session, keepalive, since: now, question: undefined };
    this.#deadline = after(now, this.#pause(keepalive));
    this.#unanswered = 0;
    this.#saidLost = false;
    this.#reflexive = seen;
    this.#say({ type: 'registered', session, reflexive: seen });
    return true;
  }

  /** A stream is kept by TCP, whose bindings live long. */
  #pause(asked: Millis): Millis {
    const { nat, transport } = this.options;
    return transport === 'udp' ? millis(registrationKeepAliveMs(asked, nat?.())) : asked;
  }

  #handleRefused(frame: RelayFrame & { readonly type: 'refused' }, now: Instant): boolean {
    const state = this.#state;
    if (state.name !== 'asked' && state.name !== 'challenged') return false;
    if (!hasBytesAt(frame.nonce, 0, state.nonce)) return false;
    this.#state = { name: 'refused' };
    this.#deadline = after(now, millis(REFUSED_PAUSE));
    this.#say({ type: 'refused', reason: frame.reason });
    return true;
  }

  #handleOfSession(
    frame: RelayFrame & { readonly type: 'alive' | 'unknown-session' | 'not-here' | 'tombstone' },
    now: Instant,
  ): boolean {
    const state = this.#state;
    if (state.name !== 'registered' || !hasBytesAt(frame.session, 0, state.session)) return false;
    switch (frame.type) {
      case 'alive':
        return this.#answered(state, frame, now);
      case 'unknown-session':
        if (elapsed(state.since, now) >= SESSION_LEAST_AGE) this.#begin(now);
        return true;
      case 'not-here':
        this.#say({ type: 'not-here', destination: copyOf(frame.destination) });
        return true;
      case 'tombstone':
        if (this.#tombstones.take(now))
          this.#say({ type: 'tombstone', tombstone: copyOf(frame.tombstone), signature: copyOf(frame.signature) });
        return true;
    }
  }

  #answered(
    state: State & { readonly name: 'registered' },
    frame: RelayFrame & { readonly type: 'alive' },
    now: Instant,
  ): boolean {
    const { question } = state;
    if (question?.sequence !== frame.sequence) return true; // a late one says nothing new
    if (question.sent === 1) this.#measured(elapsed(question.sentAt, now));
    state.question = undefined;
    this.#deadline = after(now, this.#pause(state.keepalive));
    // *alive* is not authenticated: what it says about our address is only a reason to ask properly.
    if (this.options.transport === 'udp' && frame.seen !== this.#reflexive) this.#begin(now);
    return true;
  }

  #ask(state: State & { readonly name: 'registered' }, timeout: number, attempts: number, now: Instant): void {
    const patient = Math.max(timeout, Math.min(2 * (this.#rttMs ?? 0), TIMEOUT_MAX));
    // A check that runs already is not begun anew: asking often must not put the answer off.
    if (state.question && state.question.timeout <= patient) return;
    this.#sequence = (this.#sequence + 1) >>> 0;
    state.question = { sequence: this.#sequence, timeout: patient, attempts, sent: 0, sentAt: now };
    this.#sendQuestion(state, state.question, now);
  }

  #sendQuestion(state: State & { readonly name: 'registered' }, question: Question, now: Instant): void {
    question.sent++;
    question.sentAt = now;
    this.#transmit(encodeFrame({ type: 'alive?', session: state.session, sequence: question.sequence }));
    this.#deadline = after(now, millis(question.timeout));
  }

  #repeatQuestion(state: State & { readonly name: 'registered' }, question: Question, now: Instant): void {
    if (question.sent < question.attempts) {
      this.#sendQuestion(state, question, now);
      return;
    }
    this.#begin(now);
    this.#sayLost();
  }

  #measured(rtt: Millis): void {
    this.#rttMs = this.#rttMs === undefined ? rtt : this.#rttMs + (rtt - this.#rttMs) * RTT_WEIGHT;
  }

  /** Once, until a session stands again. */
  #sayLost(): void {
    if (this.#saidLost) return;
    this.#saidLost = true;
    this.#say({ type: 'lost' });
  }

  /** What would be one too many is left out: the server's to limit, and nobody waits for it. */
  #say(event: RelayClientEvent): void {
    if (this.#events.length < MAX_EVENTS || event.type === 'registered' || event.type === 'lost')
      this.#events.push(event);
  }

  #transmit(frame: Uint8Array): void {
    if (this.#transmits.length < MAX_TRANSMITS) this.#transmits.push(frame);
  }
}

/** Not `slice`: a Buffer's shares memory. */
const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);
