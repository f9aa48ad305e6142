/*
 * From the specification (WireGuard paper §6.1, table of constants). Times in milliseconds.
 */

/** Age at which the initiator of a session starts a new handshake when it sends. §6.2. */
export const REKEY_AFTER_TIME = 120_000;
/** Age from which a session neither seals nor opens. §6.2. */
export const REJECT_AFTER_TIME = 180_000;
/** How long a handshake is tried before giving up. §6.4. */
export const REKEY_ATTEMPT_TIME = 90_000;
/** Least time between two initiations, and between an initiation and its repetition. §6.1, §6.4. */
export const REKEY_TIMEOUT = 5_000;
/** Silence after received data that is broken by a keepalive. §6.5. */
export const KEEPALIVE_TIMEOUT = 10_000;
/** Age of a cookie, and of the secret that it is made with, beyond which neither is used. §5.4.7. */
export const COOKIE_REFRESH_TIME = 120_000;

/*
 * Messages. The paper has 2^60 and 2^64 - 2^13 - 1. Counters here are JavaScript numbers, exact to 2^53 - 1, so both
 * limits are lower: stricter than the rule, invisible to peers. At ten million packets a second 2^53 takes 28 years.
 */

/** Packets sealed with one key after which a new handshake starts. */
export const REKEY_AFTER_MESSAGES = 2 ** 52;
/** Counters from here on are neither sealed nor opened. */
export const REJECT_AFTER_MESSAGES = 2 ** 53 - 2 ** 13 - 1;

/*
 * From the implementations (wireguard-go, Linux), for what the paper leaves open.
 */

/** Random part added to `REKEY_TIMEOUT`, so that two initiators fall out of step: 0 to 333 ms. */
export const REKEY_TIMEOUT_JITTER = 334;
/** Least time between two consumed initiations of one peer. */
export const MIN_INITIATION_INTERVAL = 20;
/** Transport payloads are padded with zeros to a multiple of this, in bytes. Paper §5.4.6. */
export const PADDING_MULTIPLE = 16;
/** Packets that wait for a peer's handshake; the oldest goes first. */
export const MAX_STAGED_PACKETS = 128;
/** Counters that the replay window remembers, in bits. RFC 6479. */
export const REPLAY_WINDOW_BITS = 8192;
/** How long load once seen is believed to last. */
export const UNDER_LOAD_AFTER_TIME = 1_000;

/*
 * Our own limits of what a remote party can make grow, and of what a shell that does not drain leaves behind.
 */

/**
 * Handshake messages with a valid mac1 in one second beyond which the device is under load, if the shell names no other: at 1 to
 * 2 ms each, as cryptography in JavaScript takes, a sixth of a processor.
 */
export const MAX_HANDSHAKES_PER_SECOND = 100;
/** Datagrams waiting for `pollTransmit`; further ones are dropped. */
export const MAX_PENDING_TRANSMITS = 4096;
/** Events waiting for `pollEvent`; the oldest goes first. */
export const MAX_PENDING_EVENTS = 4096;
/** Session indices in use: four for each of a quarter million peers. */
export const MAX_INDICES = 2 ** 20;
/** Sources that the rate limiter remembers; the one unseen for longest goes first. */
export const MAX_RATE_LIMITED_SOURCES = 8192;
/** Handshakes per second and source under load, and how many at once. */
export const HANDSHAKES_PER_SECOND_AND_SOURCE = 20;
export const HANDSHAKE_BURST_PER_SOURCE = 5;
