import type { Endpoint, PublicKey } from '@warren/base';
import type { RelayPath, ServerId, UdpPath } from './path-manager-api.js';
import { RELAY_HEADER_LENGTH, writeSendHeader } from './relay/frames.js';
import type { ServerLink, Transport } from './server-link.js';

/** Addresses of one peer that are remembered; what WireGuard authenticated may come from many. */
const MAX_UDP_PATHS = 512;

/** The path objects of one peer: equal paths are the same object. */
export class PeerPaths {
  readonly #udp = new Map<Endpoint, UdpPath[]>();
  #udpCount = 0;
  readonly #relays = new Map<ServerId, { udp?: RelayPath; tls?: RelayPath }>();

  constructor(
    private readonly peer: PublicKey,
    private readonly relayId: Uint8Array,
  ) {}

  /** Allocates nothing once the path is known. */
  udp(socket: number, endpoint: Endpoint): UdpPath {
    const known = this.#udp.get(endpoint);
    const path = known?.find((candidate) => candidate.socket === socket);
    if (path) return path;
    if (this.#udpCount >= MAX_UDP_PATHS) this.#forgetOldest();
    const added: UdpPath = { kind: 'udp', peer: this.peer, socket, endpoint };
    if (known) known.push(added);
    else this.#udp.set(endpoint, [added]);
    this.#udpCount++;
    return added;
  }

  /** The path is in use: it is the last to be forgotten. */
  touch(path: UdpPath): void {
    const known = this.#udp.get(path.endpoint);
    if (!known?.includes(path)) return;
    this.#udp.delete(path.endpoint);
    this.#udp.set(path.endpoint, known);
  }

  /** The path over the session that the server has given us; undefined while there is none. Allocates nothing once it is known. */
  relay(link: ServerLink): RelayPath | undefined {
    const { transport } = link;
    return transport && (this.#relays.get(link.id)?.[transport] ?? this.#addRelay(link, transport));
  }

  /** The session at this server is another one: its headers say so from now on. */
  renewHeaders(link: ServerLink): void {
    const { transport, session } = link;
    const path = transport && this.#relays.get(link.id)?.[transport];
    const way = link.way;
    if (!path || !session || !way) return;
    writeSendHeader(path.header, session, this.relayId);
    path.way = way;
  }

  #addRelay(link: ServerLink, transport: Transport): RelayPath | undefined {
    const { session, way } = link;
    if (!session || !way) return undefined;
    const header = new Uint8Array(RELAY_HEADER_LENGTH);
    writeSendHeader(header, session, this.relayId);
    const path: RelayPath = { kind: 'relay', peer: this.peer, server: link.id, transport, header, way };
    const both = this.#relays.get(link.id);
    if (both) both[transport] = path;
    else this.#relays.set(link.id, { [transport]: path });
    return path;
  }

  #forgetOldest(): void {
    const oldest = this.#udp.entries().next().value;
    if (!oldest) return;
    this.#udp.delete(oldest[0]);
    this.#udpCount -= oldest[1].length;
  }
}
