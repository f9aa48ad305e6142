import { createSocket, type Socket } from 'node:dgram';
import { type IpFamily, parseIpAddress } from '@warren/base';
import type { TransportAddress } from '@warren/stun';

type OnDatagram = (socket: number, datagram: Uint8Array, from: TransportAddress) => void;

/** UDP sockets by number, each opened on a port of its own when something is first sent from it. */
export class DiscoverySockets {
  readonly #sockets = new Map<number, Socket>();

  constructor(
    private readonly family: IpFamily,
    private readonly onDatagram: OnDatagram,
  ) {}

  send(number: number, to: TransportAddress, datagram: Uint8Array): void {
    // A network that refuses is one that does not answer: discovery concludes from silence.
    this.#open(number).send(datagram, to.port, to.address, () => undefined);
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #open(number: number): Socket {
    const known = this.#sockets.get(number);
    if (known) return known;
    const socket = this.family === 4 ? createSocket('udp4') : createSocket({ type: 'udp6', ipv6Only: true });
    socket.on('error', () => undefined); // as with `send`
    socket.on('message', (datagram, { address, port }) => {
      const from = parseIpAddress(address);
      if (from) this.onDatagram(number, datagram, { address: from, port });
    });
    this.#sockets.set(number, socket);
    return socket;
  }
}
