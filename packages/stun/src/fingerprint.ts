/** Bytes of the whole attribute. */
export const FINGERPRINT_LENGTH = 8;
/** RFC 8489 §14.7: tells it from the CRC of a protocol inside. */
const FINGERPRINT_XOR = 0x5354554e;

/** ITU V.42, the polynomial 0xEDB88320 reflected. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The value of FINGERPRINT for a message up to, and without, that attribute; its length field counts it already. */
export function fingerprintOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff ^ FINGERPRINT_XOR) >>> 0;
}
