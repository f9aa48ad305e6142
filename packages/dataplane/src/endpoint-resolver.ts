import { lookup } from 'node:dns/promises';
import {
  type Endpoint,
  formatEndpoint,
  type HostPort,
  ipFamily,
  type PublicKey,
  parseEndpoint,
  parseHostPort,
  parseIpAddress,
} from '@warren/base';

/** First and longest pause after a failed look-up, milliseconds. */
const RETRY_FIRST = 1_000;
const RETRY_MAX = 60_000;
/** getaddrinfo runs in Node's pool of four threads: a dead name server must not take them all. */
const MAX_LOOKUPS = 2;

export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

export interface EndpointResolverOptions {
  /** Families with a socket. */
  readonly families: readonly (4 | 6)[];
  readonly onResolved: (peer: PublicKey, endpoint: Endpoint) => void;
  readonly log: (level: 'debug' | 'warn', message: string) => void;
  /** Replaced in tests. */
  readonly lookup?: Lookup;
}

interface Watched {
  /** By its key of now. */
  peer: PublicKey;
  readonly endpoint: HostPort;
  /** Rises with each failed handshake, so that every address of a name has its turn. */
  attempt: number;
  /** The look-up under way or waiting for a slot. */
  pending: boolean;
  retryDelay: number;
  retryTimer?: NodeJS.Timeout;
}

/**
 * Turns the configured endpoints of peers into addresses: literal ones at once, names by look-up, again whenever the
 * peer's handshakes fail. A name that does not resolve is tried again with growing pauses and never holds up other peers.
 */
export class EndpointResolver {
  readonly #watched = new Map<PublicKey, Watched>();
  readonly #queue: (() => Promise<void>)[] = [];
  #running = 0;
  #closed = false;

  constructor(private readonly options: EndpointResolverOptions) {}

  /**
   * The peer has this endpoint from now on; undefined: none.
   * @returns its address when it is a literal; a name's comes through `onResolved`.
   */
  set(peer: PublicKey, endpoint: HostPort | undefined): Endpoint | undefined {
    const former = this.#watched.get(peer);
    if (endpoint === undefined || former?.endpoint !== endpoint) this.remove(peer);
    if (endpoint === undefined) return undefined;
    const literal = literalEndpoint(endpoint);
    if (former?.endpoint === endpoint) return literal;
    const watched: Watched = { peer, endpoint, attempt: 0, pending: false, retryDelay: RETRY_FIRST };
    this.#watched.set(peer, watched);
    if (literal === undefined) this.#resolve(watched);
    return literal;
  }

  /** The peer has another key; a look-up that is under way is its own all the same. */
  rename(from: PublicKey, to: PublicKey): void {
    const watched = this.#watched.get(from);
    if (!watched) return;
    this.#watched.delete(from);
    watched.peer = to;
    this.#watched.set(to, watched);
  }

  remove(peer: PublicKey): void {
    clearTimeout(this.#watched.get(peer)?.retryTimer);
    this.#watched.delete(peer);
  }

  /** Looks the peer's name up again and goes on to its next address; a literal endpoint is simply set again. */
  handshakeFailing(peer: PublicKey): void {
    const watched = this.#watched.get(peer);
    if (!watched) return;
    watched.attempt++;
    const literal = literalEndpoint(watched.endpoint);
    if (literal !== undefined) this.options.onResolved(peer, literal);
    else this.#resolve(watched);
  }

  close(): void {
    this.#closed = true;
    for (const peer of [...this.#watched.keys()]) this.remove(peer);
    this.#queue.length = 0;
  }

  #resolve(watched: Watched): void {
    if (watched.pending) return;
    watched.pending = true;
    clearTimeout(watched.retryTimer);
    this.#queue.push(() => this.#lookUp(watched));
    this.#pump();
  }

  #pump(): void {
    while (this.#running < MAX_LOOKUPS) {
      const job = this.#queue.shift();
      if (!job) return;
      this.#running++;
      void job().finally(() => {
        this.#running--;
        this.#pump();
      });
    }
  }

  async #lookUp(watched: Watched): Promise<void> {
    const { host, port } = parseHostPort(watched.endpoint)!;
    let found: readonly { readonly address: string }[] = [];
    let problem = 'it has no address of a family that this host has';
    try {
      found = await (this.options.lookup ?? lookupAll)(host);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
    watched.pending = false;
    // Removed or given another endpoint in the meantime.
    if (this.#closed || this.#watched.get(watched.peer) !== watched) return;
    const addresses = found
      .map(({ address }) => parseIpAddress(address))
      .filter((address) => address !== undefined && this.options.families.includes(ipFamily(address)));
    const address = addresses[watched.attempt % Math.max(addresses.length, 1)];
    if (address === undefined) {
      this.#retry(watched, host, problem);
      return;
    }
    watched.retryDelay = RETRY_FIRST;
    this.options.log('debug', `${host} is ${address}`);
    this.options.onResolved(watched.peer, formatEndpoint(address, port));
  }

  #retry(watched: Watched, host: string, problem: string): void {
    this.options.log('warn', `cannot resolve ${host}: ${problem}; trying again in ${watched.retryDelay / 1000} s`);
    watched.retryTimer = setTimeout(() => this.#resolve(watched), watched.retryDelay);
    watched.retryTimer.unref();
    watched.retryDelay = Math.min(watched.retryDelay * 2, RETRY_MAX);
  }
}

const lookupAll: Lookup = (host) => lookup(host, { all: true, verbatim: true });

function literalEndpoint(endpoint: HostPort): Endpoint | undefined {
  return parseEndpoint(endpoint) && (endpoint as string as Endpoint);
}
