import { type Endpoint, formatEndpoint } from '@warren/base';
import type { Log } from '../../log.js';
import { type Gateway, isInnerAddress, type ReadGateway, sameGateway } from './gateway.js';
import type {
  GrantedMapping,
  MappingAnswer,
  MappingProtocol,
  MappingProtocolName,
  WantedMapping,
} from './mapping-protocol.js';

/** A port of the router that leads to ours. */
export interface PortMapping {
  readonly protocol: MappingProtocolName;
  readonly external: Endpoint;
  /** The router's own outer address is private: another NAT stands behind it, and nobody outside reaches this one. */
  readonly doubleNat: boolean;
}

export interface PortMapperOptions {
  /** UDP port on this host. */
  readonly port: number;
  readonly readGateway: ReadGateway;
  /** Interfaces whose default routes do not count: our own tunnels. */
  readonly leaveOut: ReadonlySet<string>;
  /** Tried in this order; the first that works is kept. */
  readonly protocols: readonly MappingProtocol[];
  readonly onChange: (mapping: PortMapping | undefined) => void;
  readonly log: Log;
  /** Milliseconds between two looks at the gateway. */
  readonly lookInterval?: number;
}

/** Seconds that are asked for: RFC 6886 §3.3 recommends 7200. */
const LIFETIME = 7200;
/** A mapping without end is looked after all the same: routers reboot. */
const PERMANENT_RENEWAL = 1_800_000;
/** A gateway may have moved: milliseconds between two looks. */
const LOOK_INTERVAL = 5_000;
/** When a gateway that maps nothing is asked again, and one that did not renew; milliseconds. */
const ASK_AGAIN = 600_000;
const RENEW_AGAIN = 15_000;
/** Renewals are never closer than this, whatever lifetime is granted. */
const MIN_RENEWAL = 1_000;
/** How long the end of a mapping may hold up the end of the daemon. */
const RELEASE_TIME = 1_500;

interface Held {
  readonly gateway: Gateway;
  readonly protocol: MappingProtocol;
  readonly granted: GrantedMapping;
  /** By `performance.now()`. */
  readonly expiresAt: number;
}

/**
 * Keeps one UDP port mapped at whatever router stands before this host: asks, renews at half the lifetime (RFC 6887 §11.2.1),
 * asks the next router when the network changes, and gives the mapping back at the end.
 */
export class PortMapper {
  #held: Held | undefined;
  #gateway: Gateway | undefined;
  #told: PortMapping | undefined;
  #complained: string | undefined;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #refresh = false;

  constructor(private readonly options: PortMapperOptions) {}

  /** What is mapped now. */
  get mapping(): PortMapping | undefined {
    return this.#told;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Asks the router at once: it seems to have started anew, and may have forgotten. */
  refresh(): void {
    this.#refresh = true;
    this.#wake?.();
  }

  /** Gives the mapping back; settles soon, answered or not. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.#running;
    const held = this.#held;
    this.#held = undefined;
    if (!held) return;
    await held.protocol.release(held.gateway, this.#wanted(held), AbortSignal.timeout(RELEASE_TIME));
    this.options.log('debug', `the port mapping by ${held.protocol.name} is given back`);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const wait = await this.#round().catch((error: unknown) => {
        this.options.log('warn', `port mapping: ${error instanceof Error ? error.message : String(error)}`);
        return ASK_AGAIN;
      });
      await this.#pause(wait);
    }
  }

  /** Asks or renews. @returns milliseconds until there is something to do, unless the network changes before. */
  async #round(): Promise<number> {
    this.#gateway = await this.#look();
    // A mapping at another router, or to an address that we no longer have, is nothing to be renewed.
    if (this.#held && !sameGateway(this.#held.gateway, this.#gateway)) this.#drop();
    const gateway = this.#gateway;
    if (!gateway || !isInnerAddress(gateway.local)) return ASK_AGAIN;
    if (this.#held) return this.#renew(this.#held);
    for (const protocol of this.options.protocols) {
      const answer = await protocol.request(gateway, this.#wanted(undefined), this.#stop.signal);
      if (this.#stop.signal.aborted) return this.#keepToRelease(gateway, protocol, answer);
      if (!answer) continue;
      if ('refused' in answer) this.#complain(`${protocol.name} at ${gateway.address}: ${answer.refused}`);
      else return this.#hold(gateway, protocol, answer);
    }
    this.#complain(`no port mapping at ${gateway.address}: it speaks none of the protocols, or refuses`);
    return ASK_AGAIN;
  }

  async #renew(held: Held): Promise<number> {
    const answer = await held.protocol.request(held.gateway, this.#wanted(held), this.#stop.signal);
    if (answer && !('refused' in answer)) return this.#hold(held.gateway, held.protocol, answer);
    if (this.#stop.signal.aborted) return 0;
    const left = held.expiresAt - performance.now();
    // Refused: it is not ours any more. Silent: the router may be starting again.
    if (answer || left <= 0) {
      this.options.log('info', `the port mapping by ${held.protocol.name} is lost`);
      this.#drop();
      return MIN_RENEWAL;
    }
    return Math.min(RENEW_AGAIN, Math.max(MIN_RENEWAL, left / 2));
  }

  #hold(gateway: Gateway, protocol: MappingProtocol, granted: GrantedMapping): number {
    const { lifetimeS, address, port } = granted;
    const life = lifetimeS === 0 ? Number.POSITIVE_INFINITY : lifetimeS * 1000;
    this.#held = { gateway, protocol, granted, expiresAt: performance.now() + life };
    this.#complained = undefined;
    this.#tell({
      protocol: protocol.name,
      external: formatEndpoint(address, port),
      doubleNat: isInnerAddress(address),
    });
    return lifetimeS === 0 ? PERMANENT_RENEWAL : Math.max(MIN_RENEWAL, life / 2);
  }

  /** Stopped while the router was answering: what it granted is given back by `stop`. */
  #keepToRelease(gateway: Gateway, protocol: MappingProtocol, answer: MappingAnswer): number {
    if (answer && !('refused' in answer)) this.#held = { gateway, protocol, granted: answer, expiresAt: 0 };
    return 0;
  }

  #drop(): void {
    this.#held = undefined;
    this.#tell(undefined);
  }

  #tell(mapping: PortMapping | undefined): void {
    const before = this.#told;
    this.#told = mapping;
    if (before?.external === mapping?.external && before?.protocol === mapping?.protocol) return;
    if (mapping) {
      const hint = mapping.doubleNat ? ', which is private: another NAT stands behind this router' : '';
      this.options.log('info', `the router maps ${mapping.external} to this node (${mapping.protocol})${hint}`);
    }
    this.options.onChange(mapping);
  }

  /** Once, not every ten minutes. */
  #complain(message: string): void {
    if (this.#complained === message) return;
    this.#complained = message;
    this.options.log('debug', message);
  }

  #wanted(held: Held | undefined): WantedMapping {
    const { port } = this.options;
    return { internalPort: port, externalPort: held?.granted.port ?? port, lifetimeS: LIFETIME };
  }

  async #look(): Promise<Gateway | undefined> {
    return this.options.readGateway(this.options.leaveOut);
  }

  /** Ends early when the network changes, or when `stop` is called. */
  async #pause(milliseconds: number): Promise<void> {
    this.#refresh = false;
    const until = performance.now() + milliseconds;
    const interval = this.options.lookInterval ?? LOOK_INTERVAL;
    while (!this.#stop.signal.aborted) {
      const left = until - performance.now();
      if (left <= 0) return;
      await this.#sleep(Math.min(left, interval));
      if (this.#stop.signal.aborted || this.#refresh) return;
      const now = await this.#look().catch(() => undefined); // no /proc for a moment is no network for a moment
      if (!sameGateway(now, this.#gateway)) return;
    }
  }

  #sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
