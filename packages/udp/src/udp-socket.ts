import type { IpFamily } from '@warren/base';
import { ERRNO, errnoName, type Libc } from './libc.js';
import type { PacketMemory } from './packet-memory.js';
import { SOCKET_ADDRESS_LENGTH, socketAddressLength } from './socket-address.js';

/** Longest UDP payload over IPv4: 65,535 − 20 − 8. */
export const MAX_DATAGRAM = 65_507;

/**
 * A UDP socket of one address family, non-blocking. Batched implementations (UDP_SEGMENT, UDP_GRO) fill the same
 * interface: `receive` may hand over several datagrams of one system call, `send` may keep datagrams until `flush`.
 */
export interface UdpSocket {
  readonly family: IpFamily;
  readonly fd: number;
  /**
   * Hands over up to `budget` waiting datagrams. `datagram` and `from` (28 bytes, see `encodeSocketAddress`) are
   * memory of the socket and overwritten by the next one.
   * @returns how many there were; less than `budget` means that none waits.
   */
  receive(budget: number, onDatagram: (datagram: Uint8Array, from: Uint8Array) => void): number;
  /**
   * Sends one datagram of at most `MAX_DATAGRAM` bytes; copied only when it is not in the socket's `PacketMemory`.
   * @returns 0, or the error number (EAGAIN: send buffer full; ENETUNREACH, EMSGSIZE, ENOBUFS …): the datagram is lost then.
   */
  send(datagram: Uint8Array, to: Uint8Array): number;
  /** Sends what `send` kept back; nothing in the plain implementation. */
  flush(): void;
  /** Receive errors by name since the start. */
  readonly errors: ReadonlyMap<string, number>;
}

// struct msghdr on 64-bit Linux (recvmsg(2)).
const MSGHDR = { name: 0, nameLength: 8, iov: 16, iovLength: 24, control: 32, controlLength: 40, length: 56 } as const;
const IOVEC = { base: 0, size: 8, length: 16 } as const;

/** One datagram a system call, memory prepared once. */
export class PlainUdpSocket implements UdpSocket {
  readonly errors = new Map<string, number>();
  readonly #receive: MessageHeader;
  readonly #send: MessageHeader;

  constructor(
    readonly fd: number,
    readonly family: IpFamily,
    private readonly libc: Libc,
    private readonly memory: PacketMemory,
  ) {
    this.#receive = new MessageHeader(memory, 65_535);
    this.#send = new MessageHeader(memory, 65_535);
  }

  receive(budget: number, onDatagram: (datagram: Uint8Array, from: Uint8Array) => void): number {
    const { libc, memory } = this;
    const header = this.#receive;
    for (let count = 0; count < budget; count++) {
      header.prepareReceive();
      const length = libc.recvmsg(this.fd, header.address, 0);
      if (length < 0) {
        const errno = libc.errno();
        if (errno === ERRNO.EINTR) continue;
        if (errno !== ERRNO.EAGAIN) this.#countError(errno);
        return count;
      }
      onDatagram(memory.bytes.subarray(header.data, header.data + length), header.name);
    }
    return budget;
  }

  send(datagram: Uint8Array, to: Uint8Array): number {
    const { libc, memory } = this;
    const header = this.#send;
    let offset = datagram.byteOffset;
    if (!memory.holds(datagram)) {
      memory.bytes.set(datagram, header.data);
      offset = header.data;
    }
    header.prepareSend(to, offset, datagram.length);
    for (;;) {
      if (libc.sendmsg(this.fd, header.address, 0) >= 0) return 0;
      const errno = libc.errno();
      if (errno !== ERRNO.EINTR) return errno;
    }
  }

  flush(): void {
    // every datagram went out in `send`
  }

  #countError(errno: number): void {
    const name = errnoName(errno);
    this.errors.set(name, (this.errors.get(name) ?? 0) + 1);
  }
}

/** A `msghdr` with one `iovec`, a socket address and a data area, all in packet memory. No control data yet. */
class MessageHeader {
  readonly address: number;
  readonly data: number;
  /** The socket address, 28 bytes in packet memory. */
  readonly name: Uint8Array;
  readonly #offset: number;
  readonly #iov: number;

  constructor(
    private readonly memory: PacketMemory,
    room: number,
  ) {
    this.#offset = memory.allocate(MSGHDR.length);
    this.#iov = memory.allocate(IOVEC.length);
    const name = memory.allocate(SOCKET_ADDRESS_LENGTH);
    this.data = memory.allocate(room);
    this.name = memory.bytes.subarray(name, name + SOCKET_ADDRESS_LENGTH);
    this.address = memory.base + this.#offset;
    memory.setUint64(this.#offset + MSGHDR.name, memory.base + name);
    memory.setUint64(this.#offset + MSGHDR.iov, memory.base + this.#iov);
    memory.setUint64(this.#offset + MSGHDR.iovLength, 1);
    memory.setUint64(this.#iov + IOVEC.base, memory.base + this.data);
    memory.setUint64(this.#iov + IOVEC.size, room);
  }

  prepareReceive(): void {
    // The kernel overwrote it with the length of the last sender's address.
    this.memory.view.setUint32(this.#offset + MSGHDR.nameLength, SOCKET_ADDRESS_LENGTH, true);
  }

  prepareSend(to: Uint8Array, dataOffset: number, length: number): void {
    this.name.set(to);
    this.memory.view.setUint32(this.#offset + MSGHDR.nameLength, socketAddressLength(to), true);
    this.memory.setUint64(this.#iov + IOVEC.base, this.memory.base + dataOffset);
    this.memory.setUint64(this.#iov + IOVEC.size, length);
  }
}
