import type { IpFamily } from '@warren/base';
import { ERRNO, type Libc } from './libc.js';
import { MessageHeader } from './message-header.js';
import type { PacketMemory } from './packet-memory.js';
import { countError, MAX_DATAGRAM, type OnDatagram, type ReceivedBatch, type UdpSocket } from './udp-socket.js';

// linux/udp.h
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

/** Switches UDP_GRO on; `scratch` is the offset of room for 32 bits. @returns false on a kernel without it or without UDP_SEGMENT (before Linux 5.0). */
export function enableOffload(libc: Libc, memory: PacketMemory, scratch: number, fd: number): boolean {
  const set = (option: number, to: number): boolean => {
    memory.view.setInt32(scratch, to, true);
    return libc.setsockopt(fd, SOL_UDP, option, memory.base + scratch, 4) === 0;
  };
  // Segment length 0 is the default; setting it only asks whether the kernel knows the option.
  return set(UDP_SEGMENT, 0) && set(UDP_GRO, 1);
}

/** Many datagrams a system call: the kernel, or the card, splits what is sent and joins what is received (udp(7)). */
export class OffloadUdpSocket implements UdpSocket {
  readonly path = 'offload';
  readonly errors = new Map<string, number>();
  readonly batch: ReceivedBatch;
  readonly #receive: MessageHeader;
  readonly #send: MessageHeader;
  /** False after the kernel said that the device cannot do it. */
  #segments = true;

  constructor(
    public fd: number,
    readonly family: IpFamily,
    private readonly libc: Libc,
    private readonly memory: PacketMemory,
  ) {
    this.#receive = new MessageHeader(memory, 65_535, family);
    this.#send = new MessageHeader(memory, MAX_DATAGRAM, family);
    this.batch = { offset: this.#receive.data, segmentLength: 0, from: this.#receive.name, local: undefined, ecn: 0 };
  }

  receive(budget: number, onDatagram: OnDatagram): number {
    const { batch, memory } = this;
    let count = 0;
    while (count < budget) {
      const length = this.receiveBatch();
      if (length < 0) return count;
      const end = batch.offset + length;
      let at = batch.offset;
      do {
        const next = Math.min(at + batch.segmentLength, end);
        count++;
        onDatagram(memory.bytes.subarray(at, next), batch.from, batch.local, batch.ecn);
        at = next;
      } while (at < end);
    }
    return count;
  }

  receiveBatch(): number {
    const { libc, batch } = this;
    const header = this.#receive;
    for (;;) {
      header.prepareReceive();
      const length = libc.recvmsg(this.fd, header.address, 0);
      if (length >= 0) {
        const segment = header.control32(SOL_UDP, UDP_GRO);
        batch.local = header.localAddress();
        batch.ecn = header.ecn();
        batch.segmentLength = segment !== undefined && segment > 0 ? segment : length;
        return length;
      }
      const errno = libc.errno();
      if (errno === ERRNO.EINTR) continue;
      if (errno !== ERRNO.EAGAIN) countError(this.errors, errno);
      return -errno;
    }
  }

  send(datagram: Uint8Array, to: Uint8Array, source?: Uint8Array, ecn = 0): number {
    const { memory } = this;
    if (memory.holds(datagram)) return this.#sendOnce(datagram.byteOffset, datagram.length, 0, to, source, ecn);
    // `sendmsg` would say so too, but the copy has no room.
    if (datagram.length > MAX_DATAGRAM) return ERRNO.EMSGSIZE;
    const { data } = this.#send;
    memory.bytes.set(datagram, data);
    return this.#sendOnce(data, datagram.length, 0, to, source, ecn);
  }

  sendBatch(
    offset: number,
    length: number,
    segmentLength: number,
    to: Uint8Array,
    source?: Uint8Array,
    ecn = 0,
  ): number {
    if (length <= segmentLength) return this.#sendOnce(offset, length, 0, to, source, ecn);
    if (this.#segments) {
      const errno = this.#sendOnce(offset, length, segmentLength, to, source, ecn);
      // EIO: the device cannot. EINVAL, EMSGSIZE: too large for this path, where single datagrams may be fragmented.
      if (errno === ERRNO.EIO) this.#segments = false;
      else if (errno !== ERRNO.EINVAL && errno !== ERRNO.EMSGSIZE) return errno;
    }
    let failed = 0;
    for (let at = 0; at < length; at += segmentLength) {
      const errno = this.#sendOnce(offset + at, Math.min(segmentLength, length - at), 0, to, source, ecn);
      if (errno !== 0) failed = errno;
    }
    return failed;
  }

  flush(): void {
    // nothing is kept back: `sendBatch` is called with whole batches
  }

  /** @param segmentLength 0: one datagram. */
  #sendOnce(
    offset: number,
    length: number,
    segmentLength: number,
    to: Uint8Array,
    source: Uint8Array | undefined,
    ecn: number,
  ): number {
    const { libc } = this;
    const header = this.#send;
    header.prepareSend(to, offset, length, source, ecn);
    if (segmentLength > 0) header.addControl16(SOL_UDP, UDP_SEGMENT, segmentLength);
    for (;;) {
      if (libc.sendmsg(this.fd, header.address, 0) >= 0) return 0;
      const errno = libc.errno();
      if (errno !== ERRNO.EINTR) return errno;
    }
  }
}
