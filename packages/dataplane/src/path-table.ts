import { randomBytes } from 'node:crypto';
import type { Endpoint } from '@warren/base';
import { SOCKET_ADDRESS_LENGTH, socketAddressAndPort, socketAddressEndpoint } from '@warren/udp';
import type { PathId } from '@warren/wireguard';
import { isRelayAddress, type Route } from './route.js';

/** Most paths known at once; a power of two. Strangers' datagrams make paths too, so this is what they can fill. */
export const MAX_PATHS = 65_536;

/** Of an IPv6 address. */
const MAX_SOURCE_LENGTH = 16;

const NONE = -1;
/** Addresses in one bucket beyond which somebody is choosing them: with honest ones even a full table has fewer than 12. */
const MAX_CHAIN = 48;

/**
 * Gives remote addresses a `PathId` and finds them again, without allocating per packet: those of UDP, and what stands for a
 * relay or for an address on a socket of its own (`route.ts`). Bounded: when it is full,
 * all paths that nobody uses go at once. An id is `generation × MAX_PATHS + slot`, so the id of a path that has gone
 * never means another one.
 */
export class PathTable {
  readonly #capacity: number;
  readonly #addresses: Uint8Array;
  /** 16 bytes for each slot, of which IPv4 has 4: the address of this host that datagrams go out from. */
  readonly #sources: Uint8Array;
  /** Length of each slot's source; 0: whichever the route prefers. */
  readonly #sourceLengths: Uint8Array;
  readonly #generations: Float64Array;
  readonly #present: Uint8Array;
  /** Hash chains: first slot of each bucket, next slot of each slot. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  /** One view of each slot's address, made when it is first asked for. */
  readonly #views: (Uint8Array | undefined)[] = [];
  readonly #sourceViews: (Uint8Array | undefined)[] = [];
  /** What is known of paths of agents; empty for all others. */
  readonly #routes: (Route | undefined)[] = [];
  /** Secret, so that strangers cannot choose addresses that share a bucket. */
  #seed: Uint32Array;
  #free: number[] = [];
  #unused = 0;
  #size = 0;

  /**
   * @param inUse the paths that must stay, asked when the table is full.
   * @param capacity a power of two; more than the paths ever in use at once.
   */
  constructor(
    private readonly inUse: () => Iterable<PathId>,
    capacity: number = MAX_PATHS,
    private readonly random: (length: number) => Uint8Array = randomBytes,
  ) {
    this.#seed = this.#newSeed();
    this.#capacity = capacity;
    this.#addresses = new Uint8Array(capacity * SOCKET_ADDRESS_LENGTH);
    this.#sources = new Uint8Array(capacity * MAX_SOURCE_LENGTH);
    this.#sourceLengths = new Uint8Array(capacity);
    this.#generations = new Float64Array(capacity);
    this.#present = new Uint8Array(capacity);
    this.#heads = new Int32Array(capacity).fill(NONE);
    this.#next = new Int32Array(capacity).fill(NONE);
  }

  get size(): number {
    return this.#size;
  }

  /** The path of a socket address (28 bytes, copied when new); undefined only when every path of a full table is in use. */
  intern(address: Uint8Array): PathId | undefined {
    const bucket = this.#bucketOf(address);
    let chain = 0;
    for (let slot = this.#heads[bucket]!; slot !== NONE; slot = this.#next[slot]!) {
      if (this.#equals(slot, address)) return this.#idOf(slot);
      chain++;
    }
    if (chain > MAX_CHAIN) {
      this.#rehash();
      return this.intern(address);
    }
    const slot = this.#takeSlot();
    if (slot === undefined) return undefined;
    this.#addresses.set(address, slot * SOCKET_ADDRESS_LENGTH);
    this.#present[slot] = 1;
    this.#sourceLengths[slot] = 0;
    if (slot < this.#routes.length) this.#routes[slot] = undefined;
    this.#next[slot] = this.#heads[bucket]!;
    this.#heads[bucket] = slot;
    this.#size++;
    return this.#idOf(slot);
  }

  /** The 28 bytes of a path's socket address, memory of the table; undefined for a path that has gone. */
  address(path: PathId): Uint8Array | undefined {
    const slot = path % this.#capacity;
    if (this.#present[slot] !== 1 || this.#idOf(slot) !== path) return undefined;
    this.#views[slot] ??= this.#addressAt(slot);
    return this.#views[slot];
  }

  /** undefined for a relay, and for a path that has gone. */
  endpoint(path: PathId): Endpoint | undefined {
    const address = this.address(path);
    return address && !isRelayAddress(address) ? socketAddressEndpoint(address) : undefined;
  }

  /** undefined for paths that are a socket address and nothing else, and for a path that has gone. */
  route(path: PathId): Route | undefined {
    if (this.#routes.length === 0) return undefined;
    const slot = path % this.#capacity;
    const route = this.#routes[slot];
    return route !== undefined && this.#idOf(slot) === path ? route : undefined;
  }

  setRoute(path: PathId, route: Route): void {
    if (!this.address(path)) return;
    const slot = path % this.#capacity;
    while (this.#routes.length <= slot) this.#routes.push(undefined);
    this.#routes[slot] = route;
  }

  /** Where datagrams of the path go out from: a view of 4 or 16 bytes; undefined while the route decides. */
  source(path: PathId): Uint8Array | undefined {
    const slot = path % this.#capacity;
    const length = this.#sourceLengths[slot]!;
    if (length === 0 || this.#present[slot] !== 1 || this.#idOf(slot) !== path) return undefined;
    const view = this.#sourceViews[slot];
    if (view?.length === length) return view;
    const start = slot * MAX_SOURCE_LENGTH;
    const made = this.#sources.subarray(start, start + length);
    this.#sourceViews[slot] = made;
    return made;
  }

  /** From now on the path's datagrams go out from `source`, copied; absent: from where the route prefers. */
  setSource(path: PathId, source: Uint8Array | undefined): void {
    const slot = path % this.#capacity;
    if (this.#present[slot] !== 1 || this.#idOf(slot) !== path) return;
    if (source) this.#sources.set(source, slot * MAX_SOURCE_LENGTH);
    this.#sourceLengths[slot] = source?.length ?? 0;
  }

  /** All datagrams go out from where the route prefers, until something arrives: this host's addresses have changed. */
  clearSources(): void {
    this.#sourceLengths.fill(0);
  }

  /** Address and port for cookies (`DeviceOptions.pathBytes`); empty for a path that has gone. */
  pathBytes(path: PathId): Uint8Array {
    const address = this.address(path);
    if (!address) return new Uint8Array(0);
    return isRelayAddress(address) ? address.slice() : socketAddressAndPort(address);
  }

  #idOf(slot: number): PathId {
    return (this.#generations[slot]! * this.#capacity + slot) as PathId;
  }

  #addressAt(slot: number): Uint8Array {
    return this.#addresses.subarray(slot * SOCKET_ADDRESS_LENGTH, (slot + 1) * SOCKET_ADDRESS_LENGTH);
  }

  #takeSlot(): number | undefined {
    if (this.#free.length === 0 && this.#unused === this.#capacity) this.#evictUnused();
    const freed = this.#free.pop();
    if (freed !== undefined) return freed;
    return this.#unused < this.#capacity ? this.#unused++ : undefined;
  }

  #evictUnused(): void {
    const keep = new Uint8Array(this.#capacity);
    for (const path of this.inUse()) if (this.address(path)) keep[path % this.#capacity] = 1;
    this.#heads.fill(NONE);
    this.#size = 0;
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (keep[slot] === 1) {
        const bucket = this.#bucketOf(this.#addressAt(slot));
        this.#next[slot] = this.#heads[bucket]!;
        this.#heads[bucket] = slot;
        this.#size++;
      } else {
        this.#present[slot] = 0;
        if (slot < this.#routes.length) this.#routes[slot] = undefined;
        this.#generations[slot]!++;
        this.#free.push(slot);
      }
    }
  }

  #equals(slot: number, address: Uint8Array): boolean {
    const offset = slot * SOCKET_ADDRESS_LENGTH;
    for (let i = 0; i < SOCKET_ADDRESS_LENGTH; i++) if (this.#addresses[offset + i] !== address[i]) return false;
    return true;
  }

  /** Another seed, and every path in the bucket that it belongs to by then. Ids stay. */
  #rehash(): void {
    this.#seed = this.#newSeed();
    this.#heads.fill(NONE);
    for (let slot = 0; slot < this.#unused; slot++) {
      if (this.#present[slot] !== 1) continue;
      const bucket = this.#bucketOf(this.#addressAt(slot));
      this.#next[slot] = this.#heads[bucket]!;
      this.#heads[bucket] = slot;
    }
  }

  #newSeed(): Uint32Array {
    const bytes = this.random(8);
    return Uint32Array.from([0, 4], (at) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at));
  }

  /** Multiplications by a secret odd number between rotations, of 32-bit words. */
  #bucketOf(address: Uint8Array): number {
    const factor = this.#seed[0]! | 1;
    let hash = this.#seed[1]! | 0;
    for (let i = 0; i < SOCKET_ADDRESS_LENGTH; i += 4) {
      const word = address[i]! | (address[i + 1]! << 8) | (address[i + 2]! << 16) | (address[i + 3]! << 24);
      hash = Math.imul(hash ^ word, factor);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, factor);
    return ((hash ^ (hash >>> 16)) >>> 0) & (this.#capacity - 1);
  }
}
