import type { IpFamily } from '@warren/base';
import { ERRNO, errnoName, type Libc } from './libc.js';
import { MessageHeader } from './message-header.js';
import type { PacketMemory } from './packet-memory.js';

/** Longest UDP payload over IPv4: 65,535 − 20 − 8. */
export const MAX_DATAGRAM = 65_507;

/**
 * A UDP socket of one address family, non-blocking. Batched implementations (UDP_SEGMENT, UDP_GRO) fill the same
 * interface: `receive` may hand over several datagrams of one system call, `send` may keep datagrams until `flush`.
 */
export interface UdpSocket {
  readonly family: IpFamily;
  /** Another one after `UdpSockets.rebind`. */
  readonly fd: number;
  /**
   * Hands over up to `budget` waiting datagrams, and what came with the last of them in one batch. `datagram`, `from` (28
   * bytes, see `encodeSocketAddress`) and `local` are memory of the socket and overwritten by the next one.
   * @returns how many there were; less than `budget` means that none waits.
   */
  receive(budget: number, onDatagram: OnDatagram): number;
  /**
   * Sends one datagram of at most `MAX_DATAGRAM` bytes; copied only when it is not in the socket's `PacketMemory`.
   * @param source address of this host to send from, 4 or 16 bytes; absent: the one that the route prefers.
   * @param ecn of its IP header (RFC 3168 §5), 0 to 3; absent: 0. DSCP is 0 always.
   * @returns 0, or the error number (EAGAIN: send buffer full; ENETUNREACH, EMSGSIZE, ENOBUFS …): the datagram is lost then.
   * EINVAL or ENETUNREACH with a `source`: this host may not have that address any more.
   */
  send(datagram: Uint8Array, to: Uint8Array, source?: Uint8Array, ecn?: number): number;
  /** Sends what `send` kept back; nothing in the plain implementation. */
  flush(): void;
  /** Receive errors by name since the start. */
  readonly errors: ReadonlyMap<string, number>;

  /** `offload`: several datagrams a system call where sender and sizes allow it. */
  readonly path: 'plain' | 'offload';
  /** What the last successful `receiveBatch` found; overwritten by the next. */
  readonly batch: ReceivedBatch;
  /**
   * One system call: receives one or more datagrams of one sender into memory of the socket, which the next call overwrites.
   * @returns the bytes received (0: one empty datagram), or the negative error number (−EAGAIN: none waits).
   */
  receiveBatch(): number;
  /**
   * Sends the `length` bytes at `offset` of the packet memory as datagrams of `segmentLength` bytes each, only the last of
   * which may be shorter: at most `MAX_BATCH` of them and `MAX_DATAGRAM` bytes. `source` and `ecn` as in `send`.
   * @returns 0, or the error number of the last datagram that is lost.
   */
  sendBatch(
    offset: number,
    length: number,
    segmentLength: number,
    to: Uint8Array,
    source?: Uint8Array,
    ecn?: number,
  ): number;
}

/** See `UdpSocket.receive`; `local` and `ecn`: see `ReceivedBatch`. */
export type OnDatagram = (datagram: Uint8Array, from: Uint8Array, local: Uint8Array | undefined, ecn: number) => void;

/** Datagrams of one sender, one after the other in packet memory. */
export interface ReceivedBatch {
  /** Offset of the first one. */
  readonly offset: number;
  /** Bytes of each but the last, which may be shorter; at least 1 unless the batch is one empty datagram. */
  segmentLength: number;
  /** The sender's address, 28 bytes. */
  readonly from: Uint8Array;
  /** The address of this host that they were sent to, 4 or 16 bytes; undefined when the kernel does not say. */
  local: Uint8Array | undefined;
  /** ECN of all of them as they arrived (RFC 3168 §5), 0 to 3: the kernel joins only what has the same. */
  ecn: number;
}

/** Most datagrams of one batch: what every kernel with UDP_SEGMENT takes. */
export const MAX_BATCH = 64;

/** One datagram a system call, memory prepared once. */
export class PlainUdpSocket implements UdpSocket {
  readonly path = 'plain';
  readonly errors = new Map<string, number>();
  readonly batch: ReceivedBatch;
  readonly #receive: MessageHeader;
  readonly #send: MessageHeader;

  constructor(
    public fd: number,
    readonly family: IpFamily,
    private readonly libc: Libc,
    private readonly memory: PacketMemory,
    /** Shared with other sockets of the family; absent: its own. */
    headers?: { readonly receive: MessageHeader; readonly send: MessageHeader },
  ) {
    this.#receive = headers?.receive ?? new MessageHeader(memory, 65_535, family);
    this.#send = headers?.send ?? new MessageHeader(memory, 65_535, family);
    this.batch = { offset: this.#receive.data, segmentLength: 0, from: this.#receive.name, local: undefined, ecn: 0 };
  }

  receive(budget: number, onDatagram: OnDatagram): number {
    const { offset, from } = this.batch;
    for (let count = 0; count < budget; count++) {
      const length = this.receiveBatch();
      if (length < 0) return count;
      onDatagram(this.memory.bytes.subarray(offset, offset + length), from, this.batch.local, this.batch.ecn);
    }
    return budget;
  }

  receiveBatch(): number {
    const { libc } = this;
    const header = this.#receive;
    for (;;) {
      header.prepareReceive();
      const length = libc.recvmsg(this.fd, header.address, 0);
      if (length >= 0) {
        this.batch.segmentLength = length;
        this.batch.local = header.localAddress();
        this.batch.ecn = header.ecn();
        return length;
      }
      const errno = libc.errno();
      if (errno === ERRNO.EINTR) continue;
      if (errno !== ERRNO.EAGAIN) countError(this.errors, errno);
      return -errno;
    }
  }

  sendBatch(
    offset: number,
    length: number,
    segmentLength: number,
    to: Uint8Array,
    source?: Uint8Array,
    ecn = 0,
  ): number {
    let failed = 0;
    for (let at = 0; at < length; at += segmentLength) {
      const errno = this.#sendOne(offset + at, Math.min(segmentLength, length - at), to, source, ecn);
      if (errno !== 0) failed = errno;
    }
    return failed;
  }

  send(datagram: Uint8Array, to: Uint8Array, source?: Uint8Array, ecn = 0): number {
    const { memory } = this;
    if (memory.holds(datagram)) return this.#sendOne(datagram.byteOffset, datagram.length, to, source, ecn);
    const { data } = this.#send;
    memory.bytes.set(datagram, data);
    return this.#sendOne(data, datagram.length, to, source, ecn);
  }

  #sendOne(offset: number, length: number, to: Uint8Array, source: Uint8Array | undefined, ecn: number): number {
    const { libc } = this;
    const header = this.#send;
    header.prepareSend(to, offset, length, source, ecn);
    for (;;) {
      if (libc.sendmsg(this.fd, header.address, 0) >= 0) return 0;
      const errno = libc.errno();
      if (errno !== ERRNO.EINTR) return errno;
    }
  }

  flush(): void {
    // every datagram went out in `send`
  }
}

/** Adds one to what `UdpSocket.errors` shows. */
export function countError(errors: Map<string, number>, errno: number): void {
  const name = errnoName(errno);
  errors.set(name, (errors.get(name) ?? 0) + 1);
}
