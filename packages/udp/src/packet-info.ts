import type { IpFamily } from '@warren/base';
import type { PacketMemory } from './packet-memory.js';

// linux/in.h, linux/in6.h
export const IPPROTO_IP = 0;
export const IPPROTO_IPV6 = 41;
export const IP_PKTINFO = 8;
export const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;

// struct cmsghdr on 64-bit Linux (cmsg(3)); data is aligned to 8.
const CMSGHDR = { length: 0, level: 8, type: 12, data: 16 } as const;

/** struct in_pktinfo: interface index, local address, destination address; struct in6_pktinfo: address, interface index. */
const LAYOUT = {
  4: { level: IPPROTO_IP, type: IP_PKTINFO, size: 12, address: 4, addressLength: 4 },
  6: { level: IPPROTO_IPV6, type: IPV6_PKTINFO, size: 20, address: 0, addressLength: 16 },
} as const;

/**
 * One control message in packet memory that says which address of this host a datagram came to or goes out from
 * (RFC 3542 §6; ip(7), `IP_PKTINFO`). The interface is left open: only the address is sticky, so that a changed route counts at once.
 */
export class PacketInfo {
  /** Of the whole message, padded. */
  readonly length: number;
  readonly address: number;
  readonly #offset: number;
  readonly #local: Uint8Array;

  constructor(
    private readonly memory: PacketMemory,
    private readonly family: IpFamily,
  ) {
    const { size, address, addressLength } = LAYOUT[family];
    this.length = (CMSGHDR.data + size + 7) & ~7;
    this.#offset = memory.allocate(this.length);
    this.address = memory.base + this.#offset;
    const local = this.#offset + CMSGHDR.data + address;
    this.#local = memory.bytes.subarray(local, local + addressLength);
  }

  /** @param received bytes of control data that the kernel wrote. @returns 4 or 16 bytes in packet memory. */
  localAddress(received: number): Uint8Array | undefined {
    const { view } = this.memory;
    const { level, type, size } = LAYOUT[this.family];
    if (received < CMSGHDR.data + size) return undefined;
    if (view.getUint32(this.#offset + CMSGHDR.level, true) !== level) return undefined;
    return view.getUint32(this.#offset + CMSGHDR.type, true) === type ? this.#local : undefined;
  }

  /** Fills the message for sending from `source`, an address of the family. */
  set(source: Uint8Array): void {
    const { memory } = this;
    const { level, type, size } = LAYOUT[this.family];
    memory.bytes.fill(0, this.#offset, this.#offset + this.length);
    memory.setUint64(this.#offset + CMSGHDR.length, CMSGHDR.data + size);
    memory.view.setUint32(this.#offset + CMSGHDR.level, level, true);
    memory.view.setUint32(this.#offset + CMSGHDR.type, type, true);
    this.#local.set(source);
  }
}
