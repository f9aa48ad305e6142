import { type Readiness, type UdpSocket, type UdpSockets, watchReadable } from '@warren/udp';

/** Calls `pump` whenever a socket has something to receive, with its number: 0 for the data plane's own. */
export class SocketWatch {
  #watches: Readiness[] = [];
  /** Sockets that came later, by number. */
  readonly #further = new Map<number, Readiness>();

  constructor(
    private readonly sockets: UdpSockets,
    private readonly pump: (socket: UdpSocket, number: number) => void,
  ) {}

  open(): void {
    this.#watches = [this.sockets.v4, this.sockets.v6].flatMap((socket) => (socket ? this.#watch(socket, 0) : []));
  }

  /** Lets `action` give the sockets other descriptors. Throws what `action` throws. */
  during(action: () => void): void {
    this.#closeOwn();
    try {
      action();
    } finally {
      this.open();
    }
  }

  add(number: number, socket: UdpSocket): void {
    this.remove(number);
    this.#further.set(number, this.#watch(socket, number));
  }

  remove(number: number): void {
    this.#further.get(number)?.close();
    this.#further.delete(number);
  }

  close(): void {
    this.#closeOwn();
    for (const number of [...this.#further.keys()]) this.remove(number);
  }

  #closeOwn(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches = [];
  }

  #watch(socket: UdpSocket, number: number): Readiness {
    const pump = () => this.pump(socket, number);
    return watchReadable(socket.fd, pump, () => {
      pump(); // receiving takes the pending error off the socket
      return 'continue';
    });
  }
}
