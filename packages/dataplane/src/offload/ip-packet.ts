/** Protocol numbers, and offsets in headers (RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1, RFC 768). */
export const TCP = 6;
export const UDP = 17;

export const IPV4_HEADER = 20;
export const IPV6_HEADER = 40;
export const TCP_HEADER = 20;
export const UDP_HEADER = 8;

export const IPV4 = Object.freeze({ length: 2, id: 4, fragment: 6, ttl: 8, protocol: 9, checksum: 10, source: 12 });
export const IPV6 = Object.freeze({ length: 4, nextHeader: 6, hopLimit: 7, source: 8 });
export const TCP_FIELD = Object.freeze({
  sequence: 4,
  acknowledgement: 8,
  offset: 12,
  flags: 13,
  window: 14,
  checksum: 16,
});
export const UDP_FIELD = Object.freeze({ length: 4, checksum: 6 });

export const FLAG = Object.freeze({ fin: 0x01, psh: 0x08, ack: 0x10, cwr: 0x80 });

/** Bytes of source and destination address together. */
export const IPV4_ADDRESSES = 8;
export const IPV6_ADDRESSES = 32;

export const DONT_FRAGMENT = 0x4000;
