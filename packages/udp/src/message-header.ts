import type { IpFamily } from '@warren/base';
import type { PacketMemory } from './packet-memory.js';
import { SOCKET_ADDRESS_LENGTH, socketAddressLength } from './socket-address.js';

// struct msghdr on 64-bit Linux (recvmsg(2)).
const MSGHDR = { name: 0, nameLength: 8, iov: 16, iovLength: 24, control: 32, controlLength: 40, length: 56 } as const;
const IOVEC = { base: 0, size: 8, length: 16 } as const;
// struct cmsghdr on 64-bit Linux (cmsg(3)): length of header and data, level, type, then data, padded to 8.
const CMSGHDR = { size: 0, level: 8, type: 12, data: 16 } as const;

// linux/in.h, linux/in6.h
export const IPPROTO_IP = 0;
export const IPPROTO_IPV6 = 41;
export const IP_PKTINFO = 8;
export const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
export const IP_RECVTOS = 13;
export const IPV6_RECVTCLASS = 66;

/**
 * Which address of this host a datagram came to or goes out from (RFC 3542 §6; ip(7), `IP_PKTINFO`). struct in_pktinfo:
 * interface index, local address, destination; struct in6_pktinfo: address, interface index. The index stays 0 when
 * sending: only the address is sticky, so that a changed route counts at once.
 */
const PKTINFO = {
  4: { level: IPPROTO_IP, type: IP_PKTINFO, size: 12, address: 4, addressLength: 4 },
  6: { level: IPPROTO_IPV6, type: IPV6_PKTINFO, size: 20, address: 0, addressLength: 16 },
} as const;

/** The byte with DSCP and ECN (RFC 2474, RFC 3168): one byte of a received IPv4 datagram, else an integer of 32 bits. */
const TRAFFIC_CLASS = {
  4: { level: IPPROTO_IP, type: 1, received: 1 },
  6: { level: IPPROTO_IPV6, type: 67, received: 4 },
} as const;
const ECN_MASK = 3;

/** Room for control messages. */
const CONTROL_ROOM = 128;

/** A `msghdr` with one `iovec`, a socket address, room for control messages and a data area, all in packet memory. */
export class MessageHeader {
  /** For the system call. */
  readonly address: number;
  /** Offset of the data area. */
  readonly data: number;
  /** The socket address, 28 bytes in packet memory. */
  readonly name: Uint8Array;
  readonly #offset: number;
  readonly #iov: number;
  readonly #control: number;
  /** Bytes of control messages to send. */
  #controlEnd = 0;
  /** Where the last local address lay, and the view of it. */
  #localAt = -1;
  #local: Uint8Array | undefined;

  /** @param room bytes of data area. */
  constructor(
    private readonly memory: PacketMemory,
    room: number,
    private readonly family: IpFamily,
  ) {
    this.#offset = memory.allocate(MSGHDR.length);
    this.#iov = memory.allocate(IOVEC.length);
    this.#control = memory.allocate(CONTROL_ROOM);
    const name = memory.allocate(SOCKET_ADDRESS_LENGTH);
    this.data = memory.allocate(room);
    this.name = memory.bytes.subarray(name, name + SOCKET_ADDRESS_LENGTH);
    this.address = memory.base + this.#offset;
    memory.setUint64(this.#offset + MSGHDR.name, memory.base + name);
    memory.setUint64(this.#offset + MSGHDR.iov, memory.base + this.#iov);
    memory.setUint64(this.#offset + MSGHDR.iovLength, 1);
    memory.setUint64(this.#offset + MSGHDR.control, memory.base + this.#control);
    memory.setUint64(this.#iov + IOVEC.base, memory.base + this.data);
    memory.setUint64(this.#iov + IOVEC.size, room);
  }

  /** The kernel overwrites both lengths with those of what it received. */
  prepareReceive(): void {
    const { view } = this.memory;
    view.setUint32(this.#offset + MSGHDR.nameLength, SOCKET_ADDRESS_LENGTH, true);
    view.setUint32(this.#offset + MSGHDR.controlLength, CONTROL_ROOM, true);
  }

  /** @param source address of this host to send from, 4 or 16 bytes as the family has it. */
  prepareSend(to: Uint8Array, dataOffset: number, length: number, source: Uint8Array | undefined, ecn: number): void {
    this.name.set(to);
    this.memory.view.setUint32(this.#offset + MSGHDR.nameLength, socketAddressLength(to), true);
    this.#controlEnd = 0;
    if (source) this.#addSource(source);
    if (ecn !== 0) this.#addEcn(ecn);
    this.memory.view.setUint32(this.#offset + MSGHDR.controlLength, this.#controlEnd, true);
    this.memory.setUint64(this.#iov + IOVEC.base, this.memory.base + dataOffset);
    this.memory.setUint64(this.#iov + IOVEC.size, length);
  }

  /** After `prepareSend`: sends one control message of 16 bits along. */
  addControl16(level: number, type: number, value: number): void {
    const { view } = this.memory;
    view.setUint16(this.#addControl(level, type, 2), value, true);
    view.setUint32(this.#offset + MSGHDR.controlLength, this.#controlEnd, true);
  }

  /** After receiving: the address of this host that the datagram was sent to, 4 or 16 bytes in packet memory. */
  localAddress(): Uint8Array | undefined {
    const { level, type, size, address, addressLength } = PKTINFO[this.family];
    const found = this.#find(level, type, size);
    if (found === undefined) return undefined;
    if (found !== this.#localAt) {
      this.#localAt = found;
      this.#local = this.memory.bytes.subarray(found + address, found + address + addressLength);
    }
    return this.#local;
  }

  /** After receiving: ECN as the datagram's IP header had it, 0 to 3; 0 when the kernel does not say. */
  ecn(): number {
    const { level, type, received } = TRAFFIC_CLASS[this.family];
    const found = this.#find(level, type, received);
    return found === undefined ? 0 : this.memory.bytes[found]! & ECN_MASK;
  }

  /** After receiving: the control message's 32-bit integer, or undefined when there is no such message. */
  control32(level: number, type: number): number | undefined {
    const found = this.#find(level, type, 4);
    return found === undefined ? undefined : this.memory.view.getInt32(found, true);
  }

  #addSource(source: Uint8Array): void {
    const { level, type, size, address } = PKTINFO[this.family];
    const at = this.#addControl(level, type, size);
    this.memory.bytes.fill(0, at, at + size);
    this.memory.bytes.set(source, at + address);
  }

  /** DSCP stays 0. */
  #addEcn(ecn: number): void {
    const { level, type } = TRAFFIC_CLASS[this.family];
    this.memory.view.setInt32(this.#addControl(level, type, 4), ecn, true);
  }

  /** Appends the header of a control message. @returns the offset of its data, `size` bytes. */
  #addControl(level: number, type: number, size: number): number {
    const { view } = this.memory;
    const at = this.#control + this.#controlEnd;
    this.memory.setUint64(at + CMSGHDR.size, CMSGHDR.data + size);
    view.setInt32(at + CMSGHDR.level, level, true);
    view.setInt32(at + CMSGHDR.type, type, true);
    this.#controlEnd += (CMSGHDR.data + size + 7) & ~7;
    return at + CMSGHDR.data;
  }

  /** @returns the offset of the data of a received control message with at least `least` bytes. */
  #find(level: number, type: number, least: number): number | undefined {
    const { view } = this.memory;
    const end = this.#control + view.getUint32(this.#offset + MSGHDR.controlLength, true);
    for (let at = this.#control; at + CMSGHDR.data <= end; ) {
      const size = view.getUint32(at + CMSGHDR.size, true);
      const isIt = view.getInt32(at + CMSGHDR.level, true) === level && view.getInt32(at + CMSGHDR.type, true) === type;
      if (isIt && size >= CMSGHDR.data + least) return at + CMSGHDR.data;
      if (size < CMSGHDR.data) return undefined;
      at += (size + 7) & ~7;
    }
    return undefined;
  }
}
