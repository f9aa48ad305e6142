import { type Checksum, pseudoHeaderWords } from './internet-checksum.js';
import {
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
import {
  checksumOffsetOf,
  checksumStartOf,
  flagsOf,
  GSO,
  gsoSizeOf,
  gsoTypeOf,
  NEEDS_CHECKSUM,
  VIRTIO_HEADER_LENGTH,
} from './virtio-header.js';

/** Longest headers of a packet to be split: IPv6 with extensions, TCP with options. */
export const MAX_HEADERS = 512;

/**
 * Splits what a TUN with offloads gives into the packets that it stands for: TCP (RFC 9293) and UDP super-packets by the virtio
 * header's segment size, and completes checksums. In place: each segment's headers are written over the end of the
 * one before, which must have been used by then.
 *
 * The life of it: `begin` with one read, then `next` until false; `offset` and `length` are the segment at hand.
 */
export class Segmenter {
  /** The segment at hand. */
  offset = 0;
  length = 0;
  #packet = 0;
  #isV6 = false;
  #isTcp = false;
  #transport = 0;
  #headers = 0;
  #segment = 0;
  #payload = 0;
  #done = 0;
  #isWhole = false;
  #addresses = 0;
  #sequence = 0;
  #id = 0;
  #flags = 0;

  /** @param scratch offset of `MAX_HEADERS` bytes of the same memory, which are the segmenter's. */
  constructor(
    private readonly bytes: Uint8Array,
    private readonly view: DataView,
    private readonly checksum: Checksum,
    private readonly scratch: number,
  ) {}

  /**
   * Takes `length` bytes at `at`: virtio header and packet.
   * @returns false for what is no such thing, and nothing is split then: the kernel makes none.
   */
  begin(at: number, length: number): boolean {
    const { view } = this;
    const packet = at + VIRTIO_HEADER_LENGTH;
    const packetLength = length - VIRTIO_HEADER_LENGTH;
    this.#payload = 0;
    this.#done = 0;
    this.#isWhole = false;
    if (packetLength < IPV4_HEADER) return false;
    this.#packet = packet;
    const gsoType = gsoTypeOf(view, at);
    const start = checksumStartOf(view, at);
    if (gsoType !== GSO.none) return this.#beginSplit(gsoType, start, gsoSizeOf(view, at), packetLength);
    if ((flagsOf(view, at) & NEEDS_CHECKSUM) !== 0) {
      const field = start + checksumOffsetOf(view, at);
      if (field + 2 > packetLength || start > packetLength) return false;
      this.#completeChecksum(packet, packetLength, start, field);
    }
    this.#isWhole = true;
    this.length = packetLength;
    return true;
  }

  /** Makes the next segment. @returns false when there is none. */
  next(): boolean {
    if (this.#isWhole) {
      this.#isWhole = false;
      this.offset = this.#packet;
      return true;
    }
    const done = this.#done;
    if (done >= this.#payload) return false;
    const rest = this.#payload - done;
    const length = Math.min(rest, this.#segment);
    this.offset = this.#packet + done;
    this.length = this.#headers + length;
    if (done > 0) this.bytes.copyWithin(this.offset, this.scratch, this.scratch + this.#headers);
    this.#done = done + length;
    this.#writeIp();
    if (this.#isTcp) this.#writeTcp(done, length === rest);
    else this.#writeUdp(length);
    return true;
  }

  #beginSplit(gsoType: number, transport: number, segment: number, length: number): boolean {
    const { bytes, view } = this;
    const packet = this.#packet;
    const isTcp = gsoType !== GSO.udp;
    if (isTcp && gsoType !== GSO.tcp4 && gsoType !== GSO.tcp6) return false;
    const isV6 = bytes[packet]! >> 4 === 6;
    const least = transport + (isTcp ? TCP_HEADER : UDP_HEADER);
    if (transport < (isV6 ? IPV6_HEADER : IPV4_HEADER) || least > length || segment === 0) return false;
    const transportHeader = isTcp ? (bytes[packet + transport + TCP_FIELD.offset]! >> 4) * 4 : UDP_HEADER;
    const headers = transport + transportHeader;
    if (headers < least || headers > length || headers > MAX_HEADERS) return false;
    this.#isV6 = isV6;
    this.#isTcp = isTcp;
    this.#transport = transport;
    this.#headers = headers;
    this.#segment = segment;
    this.#payload = length - headers;
    this.#addresses = isV6
      ? this.checksum(packet + IPV6.source, IPV6_ADDRESSES, 0)
      : this.checksum(packet + IPV4.source, IPV4_ADDRESSES, 0);
    this.#id = isV6 ? 0 : view.getUint16(packet + IPV4.id, false);
    this.#sequence = isTcp ? view.getUint32(packet + transport + TCP_FIELD.sequence, false) : 0;
    this.#flags = isTcp ? bytes[packet + transport + TCP_FIELD.flags]! : 0;
    bytes.copyWithin(this.scratch, packet, packet + headers);
    return true;
  }

  #completeChecksum(packet: number, length: number, start: number, field: number): void {
    const sum = ~this.checksum(packet + start, length - start, 0) & 0xffff;
    // 0 means “none” in UDP (RFC 768), and the same as 0xffff elsewhere.
    this.view.setUint16(packet + field, sum === 0 ? 0xffff : sum, true);
  }

  #writeIp(): void {
    const { view, offset, length } = this;
    if (this.#isV6) {
      view.setUint16(offset + IPV6.length, length - IPV6_HEADER, false);
      return;
    }
    view.setUint16(offset + IPV4.length, length, false);
    view.setUint16(offset + IPV4.id, this.#id, false);
    this.#id = (this.#id + 1) & 0xffff;
    view.setUint16(offset + IPV4.checksum, 0, true);
    const header = (this.bytes[offset]! & 0x0f) * 4;
    view.setUint16(offset + IPV4.checksum, ~this.checksum(offset, header, 0) & 0xffff, true);
  }

  #writeTcp(done: number, isLast: boolean): void {
    const { bytes, view } = this;
    const at = this.offset + this.#transport;
    view.setUint32(at + TCP_FIELD.sequence, (this.#sequence + done) >>> 0, false);
    let flags = this.#flags;
    if (!isLast) flags &= ~(FLAG.fin | FLAG.psh);
    if (done > 0) flags &= ~FLAG.cwr;
    bytes[at + TCP_FIELD.flags] = flags;
    this.#writeChecksum(at + TCP_FIELD.checksum, TCP);
  }

  #writeUdp(payload: number): void {
    const at = this.offset + this.#transport;
    this.view.setUint16(at + UDP_FIELD.length, UDP_HEADER + payload, false);
    this.#writeChecksum(at + UDP_FIELD.checksum, UDP);
  }

  #writeChecksum(field: number, protocol: number): void {
    const { view } = this;
    const length = this.length - this.#transport;
    view.setUint16(field, 0, true);
    const initial = this.#addresses + pseudoHeaderWords(protocol, length);
    const sum = ~this.checksum(this.offset + this.#transport, length, initial) & 0xffff;
    view.setUint16(field, sum === 0 && protocol === UDP ? 0xffff : sum, true);
  }
}
