import { lookup } from 'node:dns/promises';
import { type Endpoint, formatEndpoint, ipFamily, parseEndpoint, parseHostPort, parseIpAddress } from '@warren/base';
import type { ServerId, SignalServer } from '@warren/paths';
import type { SignalServerConfig } from '../data-plane-api.js';

/** First and longest pause after a failed look-up, milliseconds. */
const RETRY_FIRST = 1_000;
const RETRY_MAX = 60_000;
/** How long an answer is believed. */
const REFRESH = 300_000;

export type ServerLookup = (host: string) => Promise<readonly { readonly address: string }[]>;

export interface ServerResolverOptions {
  /** Families with a socket. */
  readonly families: readonly (4 | 6)[];
  /** Servers whose addresses are known, in the order of the list; called again whenever that changes. */
  readonly onServers: (servers: readonly SignalServer[]) => void;
  readonly log: (level: 'debug' | 'warn', message: string) => void;
  /** Replaced in tests. */
  readonly lookup?: ServerLookup;
}

interface Known {
  readonly config: SignalServerConfig;
  /** undefined until the first answer, or the first failure. */
  udp: readonly Endpoint[] | undefined;
  pause: number;
  timer: NodeJS.Timeout | undefined;
  looking: boolean;
}

/**
 * Turns the list of signal servers into addresses: at most one a family. Names are looked up again from time to time and when
 * the network has changed; one that does not resolve is left with its last address.
 */
export class ServerResolver {
  #known = new Map<ServerId, Known>();
  #closed = false;

  constructor(private readonly options: ServerResolverOptions) {}

  set(servers: readonly SignalServerConfig[]): void {
    const former = this.#known;
    this.#known = new Map();
    for (const config of servers) {
      const before = former.get(config.id);
      const same = before !== undefined && before.config.udp === config.udp;
      if (same) former.delete(config.id);
      const known: Known = {
        config,
        udp: same ? before.udp : undefined,
        pause: RETRY_FIRST,
        timer: undefined,
        looking: false,
      };
      if (same) clearTimeout(before.timer);
      this.#known.set(config.id, known);
    }
    for (const { timer } of former.values()) clearTimeout(timer);
    for (const known of this.#known.values()) this.#resolve(known);
    this.#tell();
  }

  /** Looks all names up again. */
  again(): void {
    for (const known of this.#known.values()) {
      known.pause = RETRY_FIRST;
      this.#resolve(known);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { timer } of this.#known.values()) clearTimeout(timer);
  }

  #resolve(known: Known): void {
    const { udp } = known.config;
    if (udp === undefined) known.udp = [];
    else if (parseEndpoint(udp)) known.udp = this.#usable([udp as string as Endpoint]);
    else void this.#lookUp(known, parseHostPort(udp)!);
  }

  async #lookUp(known: Known, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    if (known.looking) return;
    known.looking = true;
    clearTimeout(known.timer);
    let delay = REFRESH;
    let found: readonly Endpoint[] = [];
    try {
      found = this.#endpointsOf(await (this.options.lookup ?? lookupAll)(host), port);
      known.pause = RETRY_FIRST;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      delay = known.pause;
      known.pause = Math.min(known.pause * 2, RETRY_MAX);
      this.options.log(
        'warn',
        `cannot resolve the signal server ${host}: ${problem}; trying again in ${delay / 1000} s`,
      );
    }
    known.looking = false;
    if (this.#closed || this.#known.get(known.config.id) !== known) return;
    known.timer = setTimeout(() => this.#resolve(known), delay);
    known.timer.unref();
    if (found.length > 0 || known.udp === undefined) {
      known.udp = found;
      this.#tell();
    }
  }

  #endpointsOf(found: readonly { readonly address: string }[], port: number): readonly Endpoint[] {
    const addresses = found.map(({ address }) => parseIpAddress(address)).filter((address) => address !== undefined);
    return this.#usable(addresses.map((address) => formatEndpoint(address, port)));
  }

  /** The first of each family that this host has, in the order of the answer. */
  #usable(endpoints: readonly Endpoint[]): readonly Endpoint[] {
    const familyOf = (endpoint: Endpoint) => ipFamily(parseEndpoint(endpoint)!.address);
    return endpoints.filter(
      (endpoint, i) =>
        this.options.families.includes(familyOf(endpoint)) &&
        endpoints.findIndex((other) => familyOf(other) === familyOf(endpoint)) === i,
    );
  }

  #tell(): void {
    const servers: SignalServer[] = [];
    for (const { config, udp } of this.#known.values()) {
      if (udp !== undefined) servers.push({ id: config.id, name: config.name, udp, tls: config.tls, key: config.key });
    }
    this.options.onServers(servers);
  }
}

const lookupAll: ServerLookup = (host) => lookup(host, { all: true, verbatim: true });
