import type { PacketMemory } from './packet-memory.js';
import { SOCKET_ADDRESS_LENGTH, socketAddressLength } from './socket-address.js';

// struct msghdr on 64-bit Linux (recvmsg(2)).
const MSGHDR = { name: 0, nameLength: 8, iov: 16, iovLength: 24, control: 32, controlLength: 40, length: 56 } as const;
const IOVEC = { base: 0, size: 8, length: 16 } as const;
// struct cmsghdr on 64-bit Linux (cmsg(3)): length of header and data, level, type, then data, padded to 8.
const CMSGHDR = { size: 0, level: 8, type: 12, data: 16 } as const;
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

  /** @param room bytes of data area. */
  constructor(
    private readonly memory: PacketMemory,
    room: number,
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
    memory.setUint64(this.#iov + IOVEC.base, memory.base + this.data);
    memory.setUint64(this.#iov + IOVEC.size, room);
  }

  /** The kernel overwrites both lengths with those of what it received. */
  prepareReceive(withControl = false): void {
    const { view } = this.memory;
    view.setUint32(this.#offset + MSGHDR.nameLength, SOCKET_ADDRESS_LENGTH, true);
    if (!withControl) return;
    this.memory.setUint64(this.#offset + MSGHDR.control, this.memory.base + this.#control);
    view.setUint32(this.#offset + MSGHDR.controlLength, CONTROL_ROOM, true);
  }

  prepareSend(to: Uint8Array, dataOffset: number, length: number): void {
    this.name.set(to);
    this.memory.view.setUint32(this.#offset + MSGHDR.nameLength, socketAddressLength(to), true);
    this.memory.view.setUint32(this.#offset + MSGHDR.controlLength, 0, true);
    this.memory.setUint64(this.#iov + IOVEC.base, this.memory.base + dataOffset);
    this.memory.setUint64(this.#iov + IOVEC.size, length);
  }

  /** After `prepareSend`: sends one control message of 16 bits along. */
  addControl16(level: number, type: number, value: number): void {
    const { view } = this.memory;
    const at = this.#control;
    this.memory.setUint64(at + CMSGHDR.size, CMSGHDR.data + 2);
    view.setInt32(at + CMSGHDR.level, level, true);
    view.setInt32(at + CMSGHDR.type, type, true);
    view.setUint16(at + CMSGHDR.data, value, true);
    this.memory.setUint64(this.#offset + MSGHDR.control, this.memory.base + at);
    view.setUint32(this.#offset + MSGHDR.controlLength, CMSGHDR.data + 8, true);
  }

  /** After receiving: the control message's 32-bit integer, or undefined when there is no such message. */
  control32(level: number, type: number): number | undefined {
    const { view } = this.memory;
    const end = this.#control + view.getUint32(this.#offset + MSGHDR.controlLength, true);
    for (let at = this.#control; at + CMSGHDR.data <= end; ) {
      const size = view.getUint32(at + CMSGHDR.size, true);
      const isIt = view.getInt32(at + CMSGHDR.level, true) === level && view.getInt32(at + CMSGHDR.type, true) === type;
      if (isIt && size >= CMSGHDR.data + 4) return view.getInt32(at + CMSGHDR.data, true);
      if (size < CMSGHDR.data) return undefined;
      at += (size + 7) & ~7;
    }
    return undefined;
  }
}
