import { type NetworkId, type NodeId, publicKeyBytes } from '@warren/base';
import { BOX_NONCE_LENGTH, precomputeBoxKey } from '@warren/crypto/boxes';
import { relayIdOf, type SignalTicket, type SignedTombstone } from '@warren/identity';
import { encodeFrame, opensRegister, type RefusalReason, type RelayFrame, sealRegistered } from '@warren/paths';
import { AddressLimiter } from './address-limiter.js';
import type { Authorities } from './authorities.js';
import { Cookies } from './cookies.js';
import type { DropCounts } from './drop-counts.js';
import {
  KEEPALIVE_SECONDS,
  MAX_TOMBSTONES,
  REGISTRATION_BURST,
  REGISTRATIONS_PER_SECOND,
  SESSION_TIMEOUT,
  TOMBSTONES_TOLD,
  UNKNOWN_SESSION_BURST,
  UNKNOWN_SESSION_PER_SECOND,
} from './limits.js';
import { isSameOrigin, keepOrigin, type Origin, originEndpoint } from './origin.js';
import { type Registrant, type Session, type Sessions, words } from './sessions.js';
import { Tombstones } from './tombstones.js';

export interface RegistrationsOptions {
  /** X25519 private key of this server, 32 bytes; a reference is kept. */
  readonly key: Uint8Array;
  readonly authorities: Authorities;
  readonly sessions: Sessions;
  readonly drops: DropCounts;
  readonly random: (length: number) => Uint8Array;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Unix milliseconds, which tickets expire by. */
  readonly wallClock: () => number;
  /** Answers where the question came from, and tells agents; the frame is nobody else's. */
  readonly send: (to: Origin, frame: Uint8Array) => void;
  /** An agent brought a tombstone, new and verified. */
  readonly onTombstone: (tombstone: SignedTombstone) => void;
}

type Frame<T extends RelayFrame['type']> = RelayFrame & { readonly type: T };

/** Admits agents, keeps their sessions, and ends those of revoked nodes: everything but relaying. */
export class Registrations {
  readonly #cookies: Cookies;
  readonly #tombstones = new Tombstones(MAX_TOMBSTONES);
  readonly #registrationLimit: AddressLimiter;
  readonly #unknownLimit: AddressLimiter;

  constructor(private readonly options: RegistrationsOptions) {
    const { random, now } = options;
    this.#cookies = new Cookies(random, now());
    const key = (): number => words(random(8))[0];
    this.#registrationLimit = new AddressLimiter(REGISTRATIONS_PER_SECOND, REGISTRATION_BURST, key());
    this.#unknownLimit = new AddressLimiter(UNKNOWN_SESSION_PER_SECOND, UNKNOWN_SESSION_BURST, key());
  }

  /** A decoded frame of any type but `send`. Nothing of it is kept. */
  handle(frame: RelayFrame, from: Origin): void {
    switch (frame.type) {
      case 'hello':
        this.#handleHello(frame, from);
        return;
      case 'register':
        this.#handleRegister(frame, from);
        return;
      case 'alive?':
        this.#handleAlive(frame, from);
        return;
      case 'tombstone':
        this.#handleTombstone(frame, from);
        return;
      default:
        this.options.drops.add('unexpected-frame'); // what only servers say
    }
  }

  /** The session of that name, if the frame came from where it registered; else says that it is unknown. */
  sessionOf(name: Uint8Array, from: Origin): Session | undefined {
    const session = this.options.sessions.find(...words(name));
    if (session?.endsAt === undefined && session && isSameOrigin(session.who.origin, from)) return session;
    this.unknownSession(name, from);
    return undefined;
  }

  unknownSession(name: Uint8Array, to: Origin): void {
    const { drops, now, send } = this.options;
    drops.add('unknown-session');
    if (!this.#unknownLimit.take(to.address, now())) return;
    send(to, encodeFrame({ type: 'unknown-session', session: name }));
  }

  /** Verified by the caller: ends sessions, and tells the agents of the network. */
  addTombstones(tombstones: readonly SignedTombstone[]): void {
    for (const tombstone of tombstones) {
      const revoked = this.#tombstones.add(tombstone, undefined);
      if (revoked) this.#revoke(revoked, tombstone);
    }
  }

  /** Ends what was not kept alive, and whose ticket has expired. */
  sweep(): void {
    const { sessions, now, wallClock } = this.options;
    const [oldest, today] = [now() - SESSION_TIMEOUT, wallClock()];
    for (const session of sessions.all()) {
      const replaced = session.endsAt !== undefined && session.endsAt <= now();
      if (replaced || session.heardAt < oldest || session.who.expiresAt <= today) sessions.remove(session);
    }
  }

  #handleHello({ nonce }: Frame<'hello'>, from: Origin): void {
    const { send, now } = this.options;
    send(from, encodeFrame({ type: 'challenge', nonce, cookie: this.#cookies.make(from, nonce, now()) }));
  }

  #handleRegister(frame: Frame<'register'>, from: Origin): void {
    const { drops, send } = this.options;
    const outcome = this.#register(frame, from);
    if (outcome === undefined) return;
    if (typeof outcome === 'string') {
      drops.add(`refused-${outcome}`);
      send(from, encodeFrame({ type: 'refused', nonce: frame.nonce, reason: outcome }));
      return;
    }
    this.#welcome(outcome);
    const { network, authority } = outcome.who;
    for (const told of this.#tombstones.newest(network, authority, TOMBSTONES_TOLD)) this.#tell(outcome, told);
  }

  /**
   * Cheap checks first: nobody makes us verify signatures who does not receive at his address. @returns undefined when there is no
   * answer.
   */
  #register(frame: Frame<'register'>, from: Origin): Session | RefusalReason | undefined {
    const { authorities, drops, now } = this.options;
    if (!this.#cookies.isValid(frame.cookie, from, frame.nonce, now())) {
      drops.add('bad-cookie');
      return undefined;
    }
    const ticket = authorities.readTicket(frame.ticket);
    if (!ticket) return 'ticket-bad';
    if (!this.#registrationLimit.take(from.address, now())) {
      drops.add('registration-limit');
      return undefined;
    }
    const authority = authorities.ticketSigner(frame.ticket);
    if (authority === undefined) return 'ticket-bad';
    const who = this.#registrant(frame, ticket, authority, from);
    return typeof who === 'string' ? who : (this.#admit(who) ?? 'full');
  }

  #registrant(
    frame: Frame<'register'>,
    ticket: SignalTicket,
    authority: number,
    from: Origin,
  ): Registrant | RefusalReason {
    const { key, sessions, wallClock } = this.options;
    const { networkId: network, nodeId: node, expiresAt } = ticket;
    if (expiresAt <= wallClock()) return 'ticket-expired';
    if (this.#tombstones.has(network, node, authority)) return 'revoked';
    const boxKey = precomputeBoxKey(publicKeyBytes(ticket.pathKey), key);
    if (!boxKey || !opensRegister(boxKey, frame.box, frame)) return 'ticket-bad';
    const relayId = relayIdOf(network, node);
    const holder = sessions.ofAgent(relayId)[0]?.who;
    // Ids are chosen by hosts: another network, or another authority, must not take over what this one holds.
    if (holder && (holder.network !== network || holder.node !== node || holder.authority !== authority)) {
      return 'relay-id-taken';
    }
    return {
      network,
      node,
      authority,
      relayId,
      expiresAt,
      boxKey,
      nonce: frame.nonce.slice(),
      origin: keepOrigin(from),
    };
  }

  /** A register that comes twice, because the answer was lost, gets the same session. */
  #admit(who: Registrant): Session | undefined {
    const { sessions, now } = this.options;
    const same = sessions
      .ofAgent(who.relayId)
      .find(
        ({ who: known }) =>
          isSameOrigin(known.origin, who.origin) && known.nonce.every((byte, i) => byte === who.nonce[i]),
      );
    return same ?? sessions.add(who, now());
  }

  #welcome({ who, name }: Session): void {
    const { send, random } = this.options;
    const registration = { session: name, keepaliveSeconds: KEEPALIVE_SECONDS, seen: originEndpoint(who.origin) };
    const box = sealRegistered(who.boxKey, random(BOX_NONCE_LENGTH), who.nonce, registration);
    send(who.origin, encodeFrame({ type: 'registered', nonce: who.nonce, box }));
  }

  #handleAlive({ session: name, sequence }: Frame<'alive?'>, from: Origin): void {
    const { send, now } = this.options;
    const session = this.sessionOf(name, from);
    if (!session) return;
    session.heardAt = now();
    send(from, encodeFrame({ type: 'alive', session: name, sequence, seen: originEndpoint(from) }));
  }

  #handleTombstone({ session: name, tombstone, signature }: Frame<'tombstone'>, from: Origin): void {
    const { onTombstone } = this.options;
    const session = this.sessionOf(name, from);
    if (!session || !this.#mayBring(session, { tombstone, signature })) return;
    const { authority } = session.who;
    const signed = { tombstone: tombstone.slice(), signature: signature.slice() };
    const revoked = this.#tombstones.add(signed, authority);
    if (!revoked) return;
    this.#revoke(revoked, signed, authority);
    onTombstone(signed);
  }

  /** Whether it is of the agent's own network, which others have no say in. */
  #mayBring(session: Session, signed: SignedTombstone): boolean {
    const { authorities, drops, now } = this.options;
    session.heardAt = now();
    const { authority, network } = session.who;
    if (!session.tombstones.take(now())) drops.add('tombstone-limit');
    else if (authorities.verifyTombstone(authority, signed)?.networkId === network) return true;
    else drops.add('bad-tombstone');
    return false;
  }

  #revoke({ network, node }: { network: NetworkId; node: NodeId }, signed: SignedTombstone, authority?: number): void {
    const { sessions } = this.options;
    for (const session of sessions.ofAgent(relayIdOf(network, node))) {
      const { who } = session;
      if (who.node === node && who.network === network && (authority ?? who.authority) === who.authority) {
        sessions.remove(session);
      }
    }
    for (const session of sessions.ofNetwork(network, authority)) this.#tell(session, signed);
  }

  #tell(session: Session, { tombstone, signature }: SignedTombstone): void {
    this.options.send(
      session.who.origin,
      encodeFrame({ type: 'tombstone', session: session.name, tombstone, signature }),
    );
  }
}
