import { type Endpoint, type PublicKey, parseEndpoint } from '@warren/base';
import type { Path, UdpPath, Way } from '@warren/paths';
import { encodeSocketAddress } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import type { PathTable } from '../path-table.js';
import { type Route, relayAddress, setSocketNumber, socketNumberOf } from '../route.js';

/** Remote addresses whose `Way` is kept; strangers make them too. */
const MAX_WAYS = 4_096;

/** Which `PathId` stands for which path of the path manager, and for where its frames come from and go. */
export class PathIds {
  readonly #ids = new WeakMap<Path, PathId>();
  readonly #ways = new Map<PathId, Way>();
  readonly #idsOfWays = new WeakMap<Way, PathId>();
  #relays = 0;

  constructor(private readonly paths: PathTable) {}

  /** The id of a path, made when it has none; undefined only when the table is full of paths in use. */
  idOf(path: Path): PathId | undefined {
    const known = this.#ids.get(path);
    if (known !== undefined && this.paths.route(known)?.path === path) return known;
    const id =
      path.kind === 'relay'
        ? this.paths.intern(relayAddress(++this.#relays))
        : this.#intern(path.socket, path.endpoint);
    if (id === undefined) return undefined;
    this.#ids.set(path, id);
    this.routeOf(id, path);
    return id;
  }

  /** The route of a path that has this id. Of two peers at one address it is the one's whose path was asked for last. */
  routeOf(id: PathId, path: Path): Route | undefined {
    const former = this.paths.route(id);
    if (former?.path === path) return former;
    const never = Number.NEGATIVE_INFINITY;
    this.paths.setRoute(id, { path, also: undefined, sentAt: never, receivedAt: never });
    return this.paths.route(id);
  }

  /** The path on which a peer was heard; `make` is asked for those that have no route to this peer. */
  pathAt(id: PathId, peer: PublicKey, make: (socket: number, endpoint: Endpoint) => UdpPath): Path | undefined {
    const route = this.paths.route(id);
    if (route?.path.peer === peer) return route.path;
    const endpoint = this.paths.endpoint(id);
    const address = this.paths.address(id);
    if (endpoint === undefined || !address) return undefined;
    const path = make(socketNumberOf(address), endpoint);
    if (!route) this.idOf(path);
    return path;
  }

  /** Where what came on this path came from; undefined for relays, whose content this is not asked for. */
  wayOf(id: PathId): Way | undefined {
    const known = this.#ways.get(id);
    if (known) return known;
    const address = this.paths.address(id);
    const endpoint = this.paths.endpoint(id);
    if (!address || endpoint === undefined) return undefined;
    if (this.#ways.size >= MAX_WAYS) this.#ways.clear();
    const way: Way = { kind: 'udp', socket: socketNumberOf(address), endpoint };
    this.#ways.set(id, way);
    return way;
  }

  /** The path of a UDP endpoint; undefined for a stream. */
  idOfWay(way: Way): PathId | undefined {
    const known = this.#idsOfWays.get(way);
    if (known !== undefined && this.paths.address(known)) return known;
    const id = way.kind === 'udp' ? this.#intern(way.socket, way.endpoint) : undefined;
    if (id !== undefined) this.#idsOfWays.set(way, id);
    return id;
  }

  #intern(socket: number, endpoint: Endpoint): PathId | undefined {
    const parsed = parseEndpoint(endpoint);
    if (!parsed) return undefined;
    const address = encodeSocketAddress(parsed.address, parsed.port);
    setSocketNumber(address, socket);
    return this.paths.intern(address);
  }
}
