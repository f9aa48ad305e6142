import fc from 'fast-check';

/** A TCP or UDP packet by its fields, for tests. */
export interface PacketFields {
  readonly version: 4 | 6;
  readonly protocol: 'tcp' | 'udp';
  /** Tells flows apart: addresses and ports. */
  readonly flow: number;
  readonly trafficClass: number;
  readonly hopLimit: number;
  readonly id: number;
  readonly dontFragment: boolean;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly flags: number;
  readonly window: number;
  /** Multiple of 4 bytes. */
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

export const ipHeaderLength = ({ version }: PacketFields): number => (version === 4 ? 20 : 40);
export const headerLength = (fields: PacketFields): number =>
  ipHeaderLength(fields) + (fields.protocol === 'tcp' ? 20 + fields.options.length : 8);
export const checksumField = ({ protocol }: PacketFields): number => (protocol === 'tcp' ? 16 : 6);

/** RFC 1071, word by word in network byte order. */
export function naiveChecksum(...parts: readonly Uint8Array[]): number {
  const all = Buffer.concat([...parts]);
  let sum = 0;
  for (let i = 0; i < all.length; i += 2) {
    sum += (all[i]! << 8) | (all[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** The addresses, protocol and length that transport checksums cover. */
export function pseudoHeader(packet: Uint8Array, ip: number, length: number, protocol: number): Uint8Array {
  const addresses = ip === 20 ? packet.subarray(12, 20) : packet.subarray(8, 40);
  return Buffer.concat([addresses, Uint8Array.of(length >> 8, length & 0xff, 0, protocol)]);
}

/** The packet with all checksums. */
export function encodePacket(fields: PacketFields): Uint8Array {
  const { version, protocol, flow, payload, options } = fields;
  const ip = ipHeaderLength(fields);
  const packet = Buffer.alloc(headerLength(fields) + payload.length);
  const number = protocol === 'tcp' ? 6 : 17;
  if (version === 4) {
    packet[0] = 0x45;
    packet[1] = fields.trafficClass;
    packet.writeUInt16BE(packet.length, 2);
    packet.writeUInt16BE(fields.id, 4);
    packet.writeUInt16BE(fields.dontFragment ? 0x4000 : 0, 6);
    packet[8] = fields.hopLimit;
    packet[9] = number;
    packet.set([10, 0, 0, flow & 1, 10, 0, 1, 2], 12);
    packet.writeUInt16BE(~naiveChecksum(packet.subarray(0, 20)) & 0xffff, 10);
  } else {
    packet.writeUInt32BE(((6 << 28) | (fields.trafficClass << 20) | 0x12345) >>> 0, 0);
    packet.writeUInt16BE(packet.length - 40, 4);
    packet[6] = number;
    packet[7] = fields.hopLimit;
    packet.set([0xfd, flow & 1], 8);
    packet.set([0xfd, 9], 24);
  }
  packet.writeUInt16BE(5000 + (flow >> 1), ip);
  packet.writeUInt16BE(80, ip + 2);
  if (protocol === 'tcp') {
    packet.writeUInt32BE(fields.sequence, ip + 4);
    packet.writeUInt32BE(fields.acknowledgement, ip + 8);
    packet[ip + 12] = (5 + options.length / 4) << 4;
    packet[ip + 13] = fields.flags;
    packet.writeUInt16BE(fields.window, ip + 14);
    packet.set(options, ip + 20);
  } else packet.writeUInt16BE(8 + payload.length, ip + 4);
  packet.set(payload, headerLength(fields));
  const length = packet.length - ip;
  const sum = ~naiveChecksum(pseudoHeader(packet, ip, length, number), packet.subarray(ip)) & 0xffff;
  packet.writeUInt16BE(sum === 0 && protocol === 'udp' ? 0xffff : sum, ip + checksumField(fields));
  return Uint8Array.from(packet);
}

/** The fields of the packets that a super-packet stands for: RFC 9293 for TCP, one datagram a segment for UDP. */
export function naiveSegments(fields: PacketFields, size: number): PacketFields[] {
  const segments: PacketFields[] = [];
  for (let at = 0; at < fields.payload.length; at += size) {
    const isLast = at + size >= fields.payload.length;
    segments.push({
      ...fields,
      payload: fields.payload.subarray(at, at + size),
      sequence: (fields.sequence + at) >>> 0,
      id: (fields.id + segments.length) & 0xffff,
      // FIN and PSH belong to the end, CWR to the begin.
      flags: fields.flags & (isLast ? 0xff : ~0x09) & (at === 0 ? 0xff : ~0x80),
    });
  }
  return segments;
}

export const anyPacket: fc.Arbitrary<PacketFields> = fc.record({
  version: fc.constantFrom(4, 6),
  protocol: fc.constantFrom('tcp', 'udp'),
  flow: fc.nat({ max: 3 }),
  trafficClass: fc.constantFrom(0, 0, 2, 255),
  hopLimit: fc.constantFrom(64, 64, 63),
  id: fc.constantFrom(0, 7, 65_534),
  dontFragment: fc.boolean(),
  sequence: fc.constantFrom(0, 1000, 0xffff_fff0),
  acknowledgement: fc.constantFrom(1, 1, 0xffff_ffff),
  flags: fc.constantFrom(0x10, 0x18, 0x11, 0x90, 0x19),
  window: fc.constantFrom(500, 501),
  options: fc.constantFrom(
    new Uint8Array(0),
    Uint8Array.from({ length: 12 }, (_, i) => i + 1),
  ),
  payload: fc.uint8Array({ minLength: 1, maxLength: 3000 }),
}) as fc.Arbitrary<PacketFields>;
