import { type Drop, equalBytes, type Instant } from '@warren/base';
import { type CryptoProvider, MAC_LENGTH, XNONCE_LENGTH } from '@warren/crypto';
import { COOKIE_REFRESH_TIME } from '../constants.js';
import { DROPS } from '../drops.js';
import { type CookieReply, encodeCookieReply, MACS_LENGTH, readUint32 } from './messages.js';

const LABEL_MAC1 = Uint8Array.from('mac1----', (character) => character.charCodeAt(0));
const LABEL_COOKIE = Uint8Array.from('cookie--', (character) => character.charCodeAt(0));
const SECRET_LENGTH = 32;

/**
 * The receiver's half of the cookies: checks mac1 and mac2 of initiations and responses that are sent to `publicKey`,
 * and makes cookie replies. Keeps nothing per sender. WireGuard paper §5.3, §5.4.4, §5.4.7.
 */
export class CookieChecker {
  readonly #mac1Key: Uint8Array;
  readonly #replyKey: Uint8Array;
  #secret: Uint8Array | undefined;
  #secretSince = 0;

  constructor(
    private readonly crypto: CryptoProvider,
    private readonly random: (length: number) => Uint8Array,
    publicKey: Uint8Array,
  ) {
    this.#mac1Key = crypto.hash(LABEL_MAC1, publicKey);
    this.#replyKey = crypto.hash(LABEL_COOKIE, publicKey);
  }

  /** Whether the sender knows our public key. `datagram` is an initiation or response of the right length. */
  checkMac1(datagram: Uint8Array): boolean {
    return equalBytes(this.crypto.mac(this.#mac1Key, beforeMac1(datagram)), mac1Of(datagram));
  }

  /**
   * Whether the sender has a cookie for `source`: address and port, so that one behind the same NAT cannot borrow it.
   */
  checkMac2(datagram: Uint8Array, source: Uint8Array, now: Instant): boolean {
    if (!this.#secret || now - this.#secretSince >= COOKIE_REFRESH_TIME) return false;
    const cookie = this.crypto.mac(this.#secret, source);
    return equalBytes(this.crypto.mac(cookie, beforeMac2(datagram)), mac2Of(datagram));
  }

  /** A new cookie reply for the sender of `datagram`, bound to its mac1. The secret changes every two minutes. */
  createReply(datagram: Uint8Array, source: Uint8Array, now: Instant): Uint8Array {
    if (!this.#secret || now - this.#secretSince >= COOKIE_REFRESH_TIME) {
      this.#secret?.fill(0);
      this.#secret = this.random(SECRET_LENGTH);
      this.#secretSince = now;
    }
    const nonce = this.random(XNONCE_LENGTH);
    const cookie = this.crypto.mac(this.#secret, source);
    const sealedCookie = this.crypto.xseal(this.#replyKey, nonce, cookie, mac1Of(datagram));
    return encodeCookieReply({ receiverIndex: readUint32(datagram, 4), nonce, sealedCookie });
  }

  erase(): void {
    this.#secret?.fill(0);
    this.#secret = undefined;
  }
}

/** The sender's half, one per peer: puts the macs on what is sent to `publicKey`, and takes cookie replies. */
export class CookieGenerator {
  readonly #mac1Key: Uint8Array;
  readonly #replyKey: Uint8Array;
  #cookie: Uint8Array | undefined;
  #cookieSince = 0;
  /** mac1 of the last message sent, until one cookie reply to it was taken. */
  #lastMac1: Uint8Array | undefined;

  constructor(
    private readonly crypto: CryptoProvider,
    publicKey: Uint8Array,
  ) {
    this.#mac1Key = crypto.hash(LABEL_MAC1, publicKey);
    this.#replyKey = crypto.hash(LABEL_COOKIE, publicKey);
  }

  /** Writes mac1, and with a fresh cookie mac2, into the last 32 bytes of an initiation or response. */
  addMacs(datagram: Uint8Array, now: Instant): void {
    const mac1 = this.crypto.mac(this.#mac1Key, beforeMac1(datagram));
    datagram.set(mac1, datagram.length - MACS_LENGTH);
    this.#lastMac1 = mac1;
    if (!this.#cookie || now - this.#cookieSince >= COOKIE_REFRESH_TIME) return;
    datagram.set(this.crypto.mac(this.#cookie, beforeMac2(datagram)), datagram.length - MAC_LENGTH);
  }

  /**
   * Keeps the cookie for the next two minutes. @returns a drop for a reply that nothing was sent for, or a forged
   * one.
   */
  consumeReply(reply: CookieReply, now: Instant): Drop | undefined {
    if (!this.#lastMac1) return DROPS.cookieUnexpected;
    const cookie = this.crypto.xopen(this.#replyKey, reply.nonce, reply.sealedCookie, this.#lastMac1);
    if (!cookie) return DROPS.cookieAuthentication;
    this.#cookie?.fill(0);
    this.#cookie = cookie;
    this.#cookieSince = now;
    this.#lastMac1 = undefined;
    return undefined;
  }

  erase(): void {
    this.#cookie?.fill(0);
    this.#cookie = undefined;
    this.#lastMac1 = undefined;
  }
}

const beforeMac1 = (datagram: Uint8Array): Uint8Array => datagram.subarray(0, datagram.length - MACS_LENGTH);
const beforeMac2 = (datagram: Uint8Array): Uint8Array => datagram.subarray(0, datagram.length - MAC_LENGTH);
const mac1Of = (datagram: Uint8Array): Uint8Array =>
  datagram.subarray(datagram.length - MACS_LENGTH, datagram.length - MAC_LENGTH);
const mac2Of = (datagram: Uint8Array): Uint8Array => datagram.subarray(datagram.length - MAC_LENGTH);
