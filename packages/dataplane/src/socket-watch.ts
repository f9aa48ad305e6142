import { type Readiness, type UdpSocket, type UdpSockets, watchReadable } from '@warren/udp';

/** Calls `pump` whenever a socket has something to receive. */
export class SocketWatch {
  #watches: Readiness[] = [];

  constructor(
    private readonly sockets: UdpSockets,
    private readonly pump: (socket: UdpSocket) => void,
  ) {}

  open(): void {
    this.#watches = [this.sockets.v4, this.sockets.v6].flatMap((socket) => {
      if (!socket) return [];
      const pump = () => this.pump(socket);
      return watchReadable(socket.fd, pump, () => {
        pump(); // receiving takes the pending error off the socket
        return 'continue';
      });
    });
  }

  /** Lets `action` give the sockets other descriptors. Throws what `action` throws. */
  during(action: () => void): void {
    this.close();
    try {
      action();
    } finally {
      this.open();
    }
  }

  close(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches = [];
  }
}
