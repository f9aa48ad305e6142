/** ECN field values (RFC 3168 §5). */
export const ECN = Object.freeze({ notEct: 0, ect1: 1, ect0: 2, ce: 3 });

const MASK = 3;
const IPV4_CHECKSUM = 10;

/** ECN of the IP packet at `at`, which is what the outer header gets (RFC 6040 §4.1, normal mode). 0 to 3. */
export const outerEcn = (bytes: Uint8Array, at: number): number =>
  bytes[at]! >> 4 === 6 ? (bytes[at + 1]! >> 4) & MASK : bytes[at + 1]! & MASK;

/**
 * Gives the IP packet at `at`, just opened, the ECN that RFC 6040 §4.2 has for it under an outer header with `outer`: congestion
 * on the way, or ECT(1), shows in a packet that takes part in ECN. One that does not stays as it is, where the RFC
 * would drop it on CE: so does Linux's WireGuard. The IPv4 header's checksum stays as right or wrong as it was.
 */
export function applyOuterEcn(bytes: Uint8Array, at: number, outer: number): void {
  const inner = outerEcn(bytes, at);
  const combined = combine(inner, outer);
  if (combined === inner) return;
  if (bytes[at]! >> 4 === 6) {
    bytes[at + 1] = (bytes[at + 1]! & ~(MASK << 4)) | (combined << 4);
    return;
  }
  bytes[at + 1] = (bytes[at + 1]! & ~MASK) | combined;
  // RFC 1624 §3, equation 3: HC' = ~(~HC + ~m + m').
  const field = at + IPV4_CHECKSUM;
  const sum = (~((bytes[field]! << 8) | bytes[field + 1]!) & 0xffff) + (~inner & 0xffff) + combined;
  const folded = (sum & 0xffff) + (sum >>> 16);
  const checksum = ~((folded & 0xffff) + (folded >>> 16)) & 0xffff;
  bytes[field] = checksum >> 8;
  bytes[field + 1] = checksum & 0xff;
}

function combine(inner: number, outer: number): number {
  if (inner === ECN.notEct || inner === ECN.ce) return inner;
  if (outer === ECN.ce) return ECN.ce;
  return inner === ECN.ect0 && outer === ECN.ect1 ? ECN.ect1 : inner;
}
