import { type IpAddress, ipToBytes, parseEndpoint, WarrenError } from '@warren/base';
import { type BindingServer, createBindingServer, type ServerSocket } from '@warren/stun';
import {
  encodeSocketAddress,
  openUdpSockets,
  type PacketMemory,
  socketAddressEndpoint,
  socketAddressFamily,
  type UdpSocket,
  type UdpSockets,
} from '@warren/udp';
import type { WorkerOptions } from './worker-messages.js';

/** Datagrams to a socket that only STUN uses, before other events have their turn. */
const STUN_PER_TURN = 64;

/** What each of RFC 5780's sockets really is: sockets on a port, and for a wildcard the address to send from. */
interface Place {
  readonly sockets: UdpSockets;
  readonly source: Uint8Array | undefined;
}

type Places = { readonly primary: Place } & { readonly [S in ServerSocket]?: Place };

/**
 * The UDP sockets of a server: the one port for everything, and further ones from which STUN answers when it is asked to
 * (RFC 5780 §3): another port always, a second address when there is one.
 */
export class ServerSockets {
  readonly primary: UdpSockets;
  /** All but `primary`. */
  readonly others: readonly UdpSockets[];
  readonly #places: Places;
  readonly #binding: BindingServer;
  readonly #alternate: Uint8Array | undefined;

  /** @throws WarrenError of `openUdpSockets`; nothing stays open then. */
  constructor(options: Pick<WorkerOptions, 'host' | 'port' | 'alternate'>, memory: PacketMemory) {
    const { host, port, alternate } = options;
    const opened: UdpSockets[] = [];
    const open = (address: IpAddress, at: number): UdpSockets => {
      // `::` is both families, as the host has them.
      const only = address === '::' ? {} : { address };
      const sockets = openUdpSockets({ port: at, memory, path: 'offload', ...only });
      opened.push(sockets);
      return sockets;
    };
    try {
      this.primary = open(host, port);
      const secondPort = open(host, alternate?.port ?? 0);
      this.#places = placesOf(host, { primary: this.primary, secondPort, alternate: alternate?.host, open });
    } catch (error) {
      for (const sockets of opened) sockets.close();
      throw error;
    }
    this.others = opened.slice(1);
    this.#alternate = alternate && ipToBytes(alternate.host);
    this.#binding = createBindingServer({ sockets: endpointsOf(host, alternate?.host, this.#places) });
  }

  get descriptors(): number[] {
    return [this.primary, ...this.others].flatMap(({ v4, v6 }) => [v4, v6].flatMap((socket) => socket?.fd ?? []));
  }

  /** Answers a STUN request that came to `at`; anything else is ignored. */
  answer(at: UdpSockets, datagram: Uint8Array, from: Uint8Array, local: Uint8Array | undefined): boolean {
    const endpoint = parseEndpoint(socketAddressEndpoint(from));
    const name = this.#nameOf(at, local);
    const answer = endpoint && this.#binding.answer(datagram, endpoint, name);
    if (!answer) return false;
    const to = encodeSocketAddress(answer.to.address, answer.to.port);
    const place = this.#places[answer.via];
    const sameAddress = (place?.source === undefined) === (this.#places[name]?.source === undefined);
    // Back to the first address of a wildcard, which has no name: the route knows it.
    if (place) socketFor(place.sockets, to)?.send(answer.datagram, to, sameAddress ? local : place.source);
    return true;
  }

  /** What waits at a socket that is for STUN alone. */
  pumpStun(sockets: UdpSockets, socket: UdpSocket): void {
    socket.receive(STUN_PER_TURN, (datagram, from, local) => this.answer(sockets, datagram, from, local));
  }

  close(): void {
    for (const sockets of [this.primary, ...this.others]) sockets.close();
  }

  #nameOf(at: UdpSockets, local: Uint8Array | undefined): ServerSocket {
    const names = (Object.keys(this.#places) as ServerSocket[]).filter((name) => this.#places[name]?.sockets === at);
    const isAlternate = this.#alternate !== undefined && isSame(this.#alternate, local);
    const exact = names.find((name) => (this.#places[name]?.source !== undefined) === isAlternate);
    return exact ?? names[0] ?? 'primary';
  }
}

function placesOf(
  host: IpAddress,
  parts: {
    readonly primary: UdpSockets;
    readonly secondPort: UdpSockets;
    readonly alternate: IpAddress | undefined;
    readonly open: (address: IpAddress, port: number) => UdpSockets;
  },
): Places {
  const { primary, secondPort, alternate, open } = parts;
  const own = {
    primary: { sockets: primary, source: undefined },
    'alternate-port': { sockets: secondPort, source: undefined },
  };
  if (alternate === undefined) return own;
  if (alternate === host) {
    throw new WarrenError('bad-alternate', `the alternate address ${alternate} is the server's own: give another one`);
  }
  const source = ipToBytes(alternate);
  // Sockets on all addresses have the second one too.
  const wildcard = host === '::' || host === '0.0.0.0';
  const at = (sockets: UdpSockets): Place => ({ sockets: wildcard ? sockets : open(alternate, sockets.port), source });
  return { ...own, 'alternate-address': at(primary), both: at(secondPort) };
}

function endpointsOf(
  host: IpAddress,
  alternate: IpAddress | undefined,
  places: Places,
): Parameters<typeof createBindingServer>[0]['sockets'] {
  const primary = { address: host, port: places.primary.sockets.port };
  const others = Object.entries(places).map(([name, place]) => {
    const address = name === 'alternate-port' || name === 'primary' ? host : alternate!;
    return [name, { address, port: place.sockets.port }] as const;
  });
  return { primary, ...Object.fromEntries(others) };
}

const socketFor = ({ v4, v6 }: UdpSockets, to: Uint8Array): UdpSocket | undefined =>
  socketAddressFamily(to) === 4 ? v4 : v6;

const isSame = (a: Uint8Array, b: Uint8Array | undefined): boolean =>
  b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
