import { type IpAddress, WarrenError } from '@warren/base';
import { loadLibc } from './libc.js';
import { MessageHeader } from './message-header.js';
import type { PacketMemory } from './packet-memory.js';
import { SOCKET_ADDRESS_LENGTH } from './socket-address.js';
import { PlainUdpSocket, type UdpSocket } from './udp-socket.js';
import { bindSocket, openSocket, setSocketMark } from './udp-sockets.js';

/** Bytes of kernel buffer: there may be hundreds of such sockets, and most receive next to nothing. */
const SOCKET_BUFFER = 256 << 10;

const ANY_IPV4 = '0.0.0.0' as IpAddress;

/** A socket besides those of `openUdpSockets`. */
export interface FurtherSocket {
  readonly socket: UdpSocket;
  /** Really bound. */
  readonly port: number;
  close(): void;
}

/**
 * Opens further IPv4 sockets on any port, one datagram a system call. They share one buffer for each direction, which is what
 * makes hundreds of them cheap: what one has received is gone when another receives.
 */
export class FurtherSockets {
  readonly #libc = loadLibc();
  readonly #scratch: number;
  readonly #receive: MessageHeader;
  readonly #send: MessageHeader;

  /** Takes about 128 KiB of the memory. */
  constructor(private readonly memory: PacketMemory) {
    this.#scratch = memory.allocate(SOCKET_ADDRESS_LENGTH + 4);
    this.#receive = new MessageHeader(memory, 65_535, 4);
    this.#send = new MessageHeader(memory, 65_535, 4);
  }

  /** @param mark see `UdpSockets.mark`. @throws WarrenError `socket-failed`, `not-permitted`; nothing stays open then. */
  open(mark: number): FurtherSocket {
    const libc = this.#libc;
    const fd = openSocket(libc, this.memory, this.#scratch, 4, SOCKET_BUFFER);
    if (fd === undefined) throw new WarrenError('socket-failed', 'this host has no IPv4');
    try {
      if (mark !== 0) setSocketMark(libc, this.memory, this.#scratch, fd, mark);
      const port = bindSocket(libc, this.memory, this.#scratch, fd, ANY_IPV4, 0);
      const socket = new PlainUdpSocket(fd, 4, libc, this.memory, { receive: this.#receive, send: this.#send });
      let open = true;
      return {
        socket,
        port,
        close(): void {
          if (open) libc.close(fd);
          open = false;
        },
      };
    } catch (error) {
      libc.close(fd);
      throw error;
    }
  }
}
