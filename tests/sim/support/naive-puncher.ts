import type { Endpoint, IpAddress } from '@warren/base';
import { formatEndpoint, parseEndpoint } from '@warren/base';
import { Host, type Internet, type SimSocket, type SocketAddress } from '@warren/simnet';

const ROUND_MS = 200;
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);

/** Tells everybody where it sees him. */
export function reflector(internet: Internet, address: string): SocketAddress {
  const host = new Host(internet, `reflector ${address}`);
  host.moveTo(internet.core, address as IpAddress);
  const socket = host.openSocket(3478, (_, source) =>
    socket.send(source, bytes(`seen ${formatEndpoint(source.address, source.port)}`)),
  );
  return { address: address as IpAddress, port: 3478 };
}

/**
 * Plain simultaneous opening with nothing clever in it: sends to everything that is known of the other side, and answers
 * whatever comes from it. What it cannot cross, only guessing could.
 */
export class NaivePuncher {
  crossed = false;
  seen: Endpoint | undefined;
  private readonly known = new Set<Endpoint>();
  private readonly socket: SimSocket;

  constructor(
    private readonly host: Host,
    private readonly reflectors: readonly SocketAddress[],
  ) {
    this.socket = host.openSocket(51_820, (payload, source) => this.receive(text(payload), source));
  }

  ask(): void {
    for (const reflector of this.reflectors) this.socket.send(reflector, bytes('?'));
  }

  /** Addresses of its own, and what the reflectors saw. */
  candidates(): Endpoint[] {
    const own = this.host.addresses.map((address) => formatEndpoint(address, this.socket.port));
    return this.seen ? [...own, this.seen] : own;
  }

  punch(candidates: readonly Endpoint[], rounds: number): void {
    for (const candidate of candidates) this.known.add(candidate);
    for (let round = 0; round < rounds; round++) {
      this.host.internet.after(round * ROUND_MS, () => {
        for (const endpoint of this.known) this.socket.send(parseEndpoint(endpoint)!, bytes('ping'));
      });
    }
  }

  private receive(words: string, source: SocketAddress): void {
    if (words.startsWith('seen ')) this.seen = words.slice(5) as Endpoint;
    else if (words === 'ping') {
      this.known.add(formatEndpoint(source.address, source.port));
      this.socket.send(source, bytes('pong'));
    } else if (words === 'pong') this.crossed = true;
  }
}
