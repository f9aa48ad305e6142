const IPV4_MIN_HEADER = 20;
const IPV6_HEADER = 40;

/** Where the addresses of an IP packet are. Two frozen singletons, one a family. */
export interface InnerHeader {
  readonly addressLength: 4 | 16;
  readonly sourceOffset: number;
  readonly destinationOffset: number;
}

const IPV4: InnerHeader = Object.freeze({ addressLength: 4, sourceOffset: 12, destinationOffset: 16 });
const IPV6: InnerHeader = Object.freeze({ addressLength: 16, sourceOffset: 8, destinationOffset: 24 });

/** @returns undefined for what is no IP packet, or too short for its fixed header. The packet is the `length` bytes at `at`. */
export function readInnerHeader(bytes: Uint8Array, at = 0, length = bytes.length): InnerHeader | undefined {
  const version = length > 0 ? bytes[at]! >> 4 : 0;
  if (version === 4 && length >= IPV4_MIN_HEADER) return IPV4;
  if (version === 6 && length >= IPV6_HEADER) return IPV6;
  return undefined;
}

/**
 * The packet's length by its own header, which tells it from the padding; RFC 791 §3.1, RFC 8200 §3.
 * @returns undefined when the header claims more than is there, or less than a header.
 */
export function innerLength(
  bytes: Uint8Array,
  header: InnerHeader,
  at = 0,
  available = bytes.length,
): number | undefined {
  const length = header === IPV4 ? word(bytes, at + 2) : IPV6_HEADER + word(bytes, at + 4);
  const least = header === IPV4 ? IPV4_MIN_HEADER : IPV6_HEADER;
  return length >= least && length <= available ? length : undefined;
}

const word = (bytes: Uint8Array, offset: number): number => (bytes[offset]! << 8) | bytes[offset + 1]!;
