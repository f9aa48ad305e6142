/** RFC 8489 §5. */
export const HEADER_LENGTH = 20;
export const MAGIC_COOKIE = 0x2112a442;
export const TRANSACTION_ID_LENGTH = 12;
/** RFC 8489 §18.2: the one method of plain STUN. */
export const BINDING_METHOD = 0x001;

/** A message of ours has five at most; one that has more than this is noise. */
export const MAX_ATTRIBUTES = 64;
/** RFC 8489 §14.8 allows 509 bytes of UTF-8 for 127 characters; longer reasons are cut. */
export const MAX_REASON_LENGTH = 509;

/** Attribute types by their names in RFC 8489 §18.3 and RFC 5780 §7. Those below 0x8000 must be understood. */
export const ATTRIBUTE = {
  'MAPPED-ADDRESS': 0x0001,
  'CHANGE-REQUEST': 0x0003,
  USERNAME: 0x0006,
  'MESSAGE-INTEGRITY': 0x0008,
  'ERROR-CODE': 0x0009,
  'UNKNOWN-ATTRIBUTES': 0x000a,
  REALM: 0x0014,
  NONCE: 0x0015,
  'MESSAGE-INTEGRITY-SHA256': 0x001c,
  'PASSWORD-ALGORITHM': 0x001d,
  USERHASH: 0x001e,
  'XOR-MAPPED-ADDRESS': 0x0020,
  PADDING: 0x0026,
  'RESPONSE-PORT': 0x0027,
  SOFTWARE: 0x8022,
  FINGERPRINT: 0x8028,
  'RESPONSE-ORIGIN': 0x802b,
  'OTHER-ADDRESS': 0x802c,
} as const;

/** RFC 8489 §6.2.1, in milliseconds and counts. */
export const INITIAL_RTO = 500;
export const MAX_REQUESTS = 7;
export const LAST_WAIT_FACTOR = 16;

/** A response is at most this many times as long as its request: what an IPv6 answer to the shortest request needs. */
export const MAX_RESPONSE_RATIO = 2.2;
/** RESPONSE-PORT below it is refused: no answer of ours goes to a well-known service that did not ask. */
export const MIN_RESPONSE_PORT = 1024;
