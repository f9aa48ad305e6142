import { type Checksum, pseudoHeaderWords } from './internet-checksum.js';
import {
  DONT_FRAGMENT,
  FLAG,
  IPV4,
  IPV4_ADDRESSES,
  IPV4_HEADER,
  IPV6,
  IPV6_ADDRESSES,
  IPV6_HEADER,
  TCP,
  TCP_FIELD,
  TCP_HEADER,
  UDP,
  UDP_FIELD,
  UDP_HEADER,
} from './ip-packet.js';
import { GSO, writeGsoHeader, writePlainHeader } from './virtio-header.js';

/** Most packets of one group: what a UDP super-packet may have, and few enough for one `writev`. */
export const MAX_PARTS = 64;
/** Longest IP packet. */
const MAX_LENGTH = 65_535;

/** One or more packets as the TUN takes them: the virtio header, then the parts one after the other. */
export interface Group {
  /** Packets in it. */
  count: number;
  /** Offset and length of each part: the first packet whole, of the others what follows their headers. */
  readonly offsets: Int32Array;
  readonly lengths: Int32Array;
}

export interface CoalescerOptions {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly checksum: Checksum;
  /** Offset of 10 bytes for the virtio header. */
  readonly header: number;
  /** Whether the TUN takes UDP super-packets (USO). */
  readonly udp: boolean;
  /** Called with each group when it is complete; the group is overwritten afterwards. */
  readonly write: (group: Group) => void;
}

/**
 * Joins packets of one TCP or UDP flow that follow each other, as the kernel's GRO does, so that the TUN takes them in one
 * write. Only what gives the same packets when it is split again is joined (IPv4 ids of unfragmentable packets aside, RFC 6864
 * §4.1), and **only packets whose checksums were verified**: the group gets new ones, and a damaged packet would become a sound one.
 * Order is kept. Packets stay where they are until `flush`.
 */
export class Coalescer {
  readonly #group: Group = { count: 0, offsets: new Int32Array(MAX_PARTS), lengths: new Int32Array(MAX_PARTS) };
  /** The first packet of the group at hand, and what its successor must have. */
  #first = 0;
  #isV6 = false;
  #protocol = 0;
  #transportHeader = 0;
  #segment = 0;
  #length = 0;
  #nextSequence = 0;
  #nextId = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #checksum: Checksum;

  constructor(private readonly options: CoalescerOptions) {
    this.#bytes = options.bytes;
    this.#view = options.view;
    this.#checksum = options.checksum;
  }

  /** Takes an IP packet whose header says `length`. */
  add(offset: number, length: number): void {
    const isV6 = this.#bytes[offset]! >> 4 === 6;
    const protocol = isV6 ? this.#protocolOfV6(offset, length) : this.#protocolOfV4(offset, length);
    if (protocol === TCP) this.#addTcp(offset, length, isV6);
    else if (protocol === UDP && this.options.udp) this.#addUdp(offset, length, isV6);
    else this.#addAlone(offset, length);
  }

  /** Writes the group at hand. Call it before the packets' memory is used for something else. */
  flush(): void {
    const group = this.#group;
    if (group.count === 0) return;
    if (group.count === 1) writePlainHeader(this.#view, this.options.header);
    else this.#finishHeaders();
    this.options.write(group);
    group.count = 0;
  }

  #addAlone(offset: number, length: number): void {
    this.flush();
    this.#start(offset, length);
    this.flush();
  }

  #addTcp(offset: number, length: number, isV6: boolean): void {
    const bytes = this.#bytes;
    const ip = isV6 ? IPV6_HEADER : IPV4_HEADER;
    const at = offset + ip;
    const header = (bytes[at + TCP_FIELD.offset]! >> 4) * 4;
    const flags = bytes[at + TCP_FIELD.flags]!;
    const payload = length - ip - header;
    const isPlain = header >= TCP_HEADER && payload > 0 && (flags & ~FLAG.psh) === FLAG.ack;
    if (!isPlain || !this.#isSound(offset, length, isV6, TCP)) {
      this.#addAlone(offset, length);
      return;
    }
    const sequence = this.#view.getUint32(at + TCP_FIELD.sequence, false);
    const follows =
      this.#canFollow(offset, isV6, TCP, header, payload) &&
      sequence === this.#nextSequence &&
      this.#sameTcp(offset + ip, this.#first + ip, header);
    if (follows) {
      this.#append(offset + ip + header, payload);
      bytes[this.#first + ip + TCP_FIELD.flags]! |= flags & FLAG.psh;
    } else {
      this.flush();
      this.#start(offset, length);
      this.#describe(offset, isV6, TCP, header, payload);
    }
    this.#nextSequence = (sequence + payload) >>> 0;
    // Only the last segment has PSH when it is split again.
    if (payload < this.#segment || (flags & FLAG.psh) !== 0) this.flush();
  }

  #addUdp(offset: number, length: number, isV6: boolean): void {
    const ip = isV6 ? IPV6_HEADER : IPV4_HEADER;
    const view = this.#view;
    const payload = length - ip - UDP_HEADER;
    const isPlain =
      payload > 0 &&
      view.getUint16(offset + ip + UDP_FIELD.length, false) === payload + UDP_HEADER &&
      view.getUint16(offset + ip + UDP_FIELD.checksum, true) !== 0;
    if (!isPlain || !this.#isSound(offset, length, isV6, UDP)) {
      this.#addAlone(offset, length);
      return;
    }
    const ports = view.getUint32(offset + ip);
    if (this.#canFollow(offset, isV6, UDP, UDP_HEADER, payload) && ports === view.getUint32(this.#first + ip)) {
      this.#append(offset + ip + UDP_HEADER, payload);
    } else {
      this.flush();
      this.#start(offset, length);
      this.#describe(offset, isV6, UDP, UDP_HEADER, payload);
    }
    if (payload < this.#segment) this.flush();
  }

  /** The protocol of an IPv4 packet without options that is no fragment, else 0. */
  #protocolOfV4(offset: number, length: number): number {
    const bytes = this.#bytes;
    if (bytes[offset] !== 0x45) return 0;
    if ((this.#view.getUint16(offset + IPV4.fragment, false) & ~DONT_FRAGMENT) !== 0) return 0;
    const protocol = bytes[offset + IPV4.protocol]!;
    return length >= IPV4_HEADER + (protocol === TCP ? TCP_HEADER : UDP_HEADER) ? protocol : 0;
  }

  /** The protocol of an IPv6 packet without extension headers, else something that is neither TCP nor UDP. */
  #protocolOfV6(offset: number, length: number): number {
    const protocol = this.#bytes[offset + IPV6.nextHeader]!;
    return length >= IPV6_HEADER + (protocol === TCP ? TCP_HEADER : UDP_HEADER) ? protocol : 0;
  }

  /** Whether all checksums are right. */
  #isSound(offset: number, length: number, isV6: boolean, protocol: number): boolean {
    const checksum = this.#checksum;
    const ip = isV6 ? IPV6_HEADER : IPV4_HEADER;
    if (!isV6 && checksum(offset, IPV4_HEADER, 0) !== 0xffff) return false;
    const initial = this.#addressSum(offset, isV6) + pseudoHeaderWords(protocol, length - ip);
    return checksum(offset + ip, length - ip, initial) === 0xffff;
  }

  #addressSum(offset: number, isV6: boolean): number {
    return isV6
      ? this.#checksum(offset + IPV6.source, IPV6_ADDRESSES, 0)
      : this.#checksum(offset + IPV4.source, IPV4_ADDRESSES, 0);
  }

  /** Whether the packet has the same IP header as the group, and room in it. */
  #canFollow(offset: number, isV6: boolean, protocol: number, transportHeader: number, payload: number): boolean {
    const group = this.#group;
    if (group.count === 0 || group.count === MAX_PARTS || this.#protocol !== protocol || this.#isV6 !== isV6)
      return false;
    if (transportHeader !== this.#transportHeader || payload > this.#segment) return false;
    if (this.#length + payload > MAX_LENGTH) return false;
    return isV6 ? this.#sameV6(offset, this.#first) : this.#sameV4(offset, this.#first);
  }

  #sameV4(a: number, b: number): boolean {
    const view = this.#view;
    const fragment = view.getUint16(a + IPV4.fragment, false);
    if (fragment !== view.getUint16(b + IPV4.fragment, false)) return false;
    // Without DF the id matters (RFC 6864 §4.2), and splitting again counts it up.
    if ((fragment & DONT_FRAGMENT) === 0 && view.getUint16(a + IPV4.id, false) !== this.#nextId) return false;
    return (
      this.#bytes[a + 1] === this.#bytes[b + 1] &&
      this.#bytes[a + IPV4.ttl] === this.#bytes[b + IPV4.ttl] &&
      view.getInt32(a + IPV4.source) === view.getInt32(b + IPV4.source) &&
      view.getInt32(a + IPV4.source + 4) === view.getInt32(b + IPV4.source + 4)
    );
  }

  #sameV6(a: number, b: number): boolean {
    const view = this.#view;
    if (view.getInt32(a) !== view.getInt32(b)) return false;
    if (this.#bytes[a + IPV6.hopLimit] !== this.#bytes[b + IPV6.hopLimit]) return false;
    for (let i = IPV6.source; i < IPV6_HEADER; i += 4) if (view.getInt32(a + i) !== view.getInt32(b + i)) return false;
    return true;
  }

  /** Ports, acknowledgement, window, urgent pointer and options; sequence, flags and checksum are looked at elsewhere. */
  #sameTcp(a: number, b: number, header: number): boolean {
    const view = this.#view;
    if (view.getInt32(a) !== view.getInt32(b)) return false;
    if (view.getInt32(a + TCP_FIELD.acknowledgement) !== view.getInt32(b + TCP_FIELD.acknowledgement)) return false;
    if (view.getInt16(a + TCP_FIELD.window) !== view.getInt16(b + TCP_FIELD.window)) return false;
    if (view.getInt16(a + TCP_HEADER - 2) !== view.getInt16(b + TCP_HEADER - 2)) return false;
    // The reserved bits, which newer protocols use, share their byte with the header's length.
    if (view.getInt8(a + TCP_FIELD.offset) !== view.getInt8(b + TCP_FIELD.offset)) return false;
    for (let i = TCP_HEADER; i < header; i += 4) if (view.getInt32(a + i) !== view.getInt32(b + i)) return false;
    return true;
  }

  #start(offset: number, length: number): void {
    const group = this.#group;
    group.count = 1;
    group.offsets[0] = offset;
    group.lengths[0] = length;
    this.#first = offset;
    this.#length = length;
    this.#protocol = 0;
  }

  #describe(offset: number, isV6: boolean, protocol: number, transportHeader: number, payload: number): void {
    this.#isV6 = isV6;
    this.#protocol = protocol;
    this.#transportHeader = transportHeader;
    this.#segment = payload;
    this.#nextId = isV6 ? 0 : (this.#view.getUint16(offset + IPV4.id, false) + 1) & 0xffff;
  }

  #append(payloadOffset: number, payload: number): void {
    const group = this.#group;
    group.offsets[group.count] = payloadOffset;
    group.lengths[group.count] = payload;
    group.count++;
    this.#length += payload;
    this.#nextId = (this.#nextId + 1) & 0xffff;
  }

  /** Lengths and checksums of the whole group into the first packet's headers. */
  #finishHeaders(): void {
    const view = this.#view;
    const first = this.#first;
    const isV6 = this.#isV6;
    const ip = isV6 ? IPV6_HEADER : IPV4_HEADER;
    const isTcp = this.#protocol === TCP;
    const transportLength = this.#length - ip;
    if (isV6) view.setUint16(first + IPV6.length, transportLength, false);
    else {
      view.setUint16(first + IPV4.length, this.#length, false);
      view.setUint16(first + IPV4.checksum, 0, true);
      view.setUint16(first + IPV4.checksum, ~this.#checksum(first, IPV4_HEADER, 0) & 0xffff, true);
    }
    if (!isTcp) view.setUint16(first + ip + UDP_FIELD.length, transportLength, false);
    const field = isTcp ? TCP_FIELD.checksum : UDP_FIELD.checksum;
    const sum = this.#addressSum(first, isV6) + pseudoHeaderWords(this.#protocol, transportLength);
    // The kernel wants the pseudo-header's sum, folded, not complemented.
    view.setUint16(first + ip + field, this.#checksum(first, 0, sum), true);
    const type = isTcp ? (isV6 ? GSO.tcp6 : GSO.tcp4) : GSO.udp;
    writeGsoHeader(view, this.options.header, type, ip + this.#transportHeader, this.#segment, ip, field);
  }
}
