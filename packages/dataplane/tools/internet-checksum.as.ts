// AssemblyScript (https://www.assemblyscript.org), compiled by build-checksum.mjs into src/gen/. Types are WebAssembly's.

/**
 * Ones' complement sum of the little-endian 16-bit words of `length` bytes at `at`, plus `initial`, folded to 16 bits
 * (RFC 1071 §2 (B): the byte order does not matter as long as the result is stored the same way). An odd last byte counts
 * as a word with a zero behind it. At most 65,535 bytes, or the lanes overflow.
 */
export function checksum(at: usize, length: u32, initial: u32): u32 {
  let lanes = i32x4.splat(0);
  const end = at + length;
  const end64 = at + (length & ~63);
  while (at < end64) {
    const low = i32x4.add(
      i32x4.extadd_pairwise_i16x8_u(v128.load(at)),
      i32x4.extadd_pairwise_i16x8_u(v128.load(at, 16)),
    );
    const high = i32x4.add(
      i32x4.extadd_pairwise_i16x8_u(v128.load(at, 32)),
      i32x4.extadd_pairwise_i16x8_u(v128.load(at, 48)),
    );
    lanes = i32x4.add(lanes, i32x4.add(low, high));
    at += 64;
  }
  const end16 = at + (<u32>(end - at) & ~15);
  while (at < end16) {
    lanes = i32x4.add(lanes, i32x4.extadd_pairwise_i16x8_u(v128.load(at)));
    at += 16;
  }
  let sum: u64 = initial;
  sum += <u64>(<u32>i32x4.extract_lane(lanes, 0)) + <u64>(<u32>i32x4.extract_lane(lanes, 1));
  sum += <u64>(<u32>i32x4.extract_lane(lanes, 2)) + <u64>(<u32>i32x4.extract_lane(lanes, 3));
  while (at + 2 <= end) {
    sum += <u64>load<u16>(at);
    at += 2;
  }
  if (at < end) sum += <u64>load<u8>(at);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return <u32>sum;
}
