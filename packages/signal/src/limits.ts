// What a signal server gives, and to whom. None of it is on the wire but `KEEPALIVE_SECONDS`, which `registered` names.

/** Sessions at a time: a session's slot has sixteen bits. */
export const MAX_SESSIONS = 65_536;
/** Shorter than the 30 s after which the hastiest NATs forget a binding. */
export const KEEPALIVE_SECONDS = 25;
/** A session ends after three missed keepalives, and a little for the way. */
export const SESSION_TIMEOUT = 3 * KEEPALIVE_SECONDS * 1_000 + 5_000;
/** After an agent registered anew, what it had sent in its former session is relayed for so long. */
export const FORMER_GRACE = 2_000;
/** How often ended sessions are looked for. */
export const SWEEP_INTERVAL = 5_000;

/** What one agent may have relayed, unless the options say otherwise: 2.5 Gbit/s, after a burst of 16 MiB. */
export const CLIENT_BYTES_PER_SECOND = 312_500_000;
export const CLIENT_BURST_BYTES = 16 << 20;
/** What a datagram costs beside its bytes, so that small ones are not free. */
export const DATAGRAM_OVERHEAD = 64;

/** Answers to frames that are wrong, a second: *not here* per session, *unknown session* per address. */
export const NOT_HERE_PER_SECOND = 10;
export const NOT_HERE_BURST = 20;
export const UNKNOWN_SESSION_PER_SECOND = 5;
export const UNKNOWN_SESSION_BURST = 10;
/** Registrations cost a signature and a Diffie-Hellman: a second and address, behind which a large NAT may be. */
export const REGISTRATIONS_PER_SECOND = 100;
export const REGISTRATION_BURST = 500;
/** Tombstones that one agent may bring to be verified, a second. */
export const TOMBSTONES_PER_SECOND = 10;
export const TOMBSTONE_BURST = 50;
/** Tombstones kept, of all networks; the oldest goes first. */
export const MAX_TOMBSTONES = 100_000;
/** The newest of its network that an agent is told when it registers. */
export const TOMBSTONES_TOLD = 16;

/** What waits for one agent while the socket is full, and for all: the oldest goes first. */
export const MAX_PENDING_BYTES = 256 << 10;
export const MAX_PENDING_TOTAL = 64 << 20;

/** TLS connections at a time, and how long one may be without a session. */
export const MAX_STREAMS = 16_384;
/** Of these from one address, behind which a large NAT may be, or one IPv6 site: nobody alone takes all of them. */
export const MAX_STREAMS_OF_ADDRESS = 1_024;
export const STREAM_PATIENCE = 15_000;
/** What waits for one TLS connection that does not read: the oldest goes first. */
export const MAX_STREAM_PENDING_BYTES = 1 << 20;
/** The same for all of them: strangers are answered too. A frame that waits costs so much beside its bytes. */
export const MAX_STREAMS_PENDING_TOTAL = 64 << 20;
export const PENDING_FRAME_OVERHEAD = 256;
/** Bytes on their way between the threads; above, streams are paused, and what is for them is dropped. */
export const MAX_BYTES_BETWEEN_THREADS = 16 << 20;
