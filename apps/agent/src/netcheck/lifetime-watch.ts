import type { Log } from '../log.js';
import { chooseLifetimeTarget, type LifetimeTarget } from './binding-lifetime.js';
import type { Discovery, DiscoveryTarget } from './discover.js';

export interface LifetimeWatchOptions {
  readonly measure: (target: LifetimeTarget, signal: AbortSignal) => Promise<number | undefined>;
  /** A measurement has ended with something. */
  readonly onKnown: () => void;
  readonly log: Log;
}

/** Measures how long the NAT's bindings live, once in each network; beside everything else, as it takes minutes. */
export class LifetimeWatch {
  /** The network that `seconds` belongs to, or that is being measured. */
  #network: string | undefined;
  #running: AbortController | undefined;
  /** At least; undefined: not known (yet). */
  seconds: number | undefined;

  constructor(private readonly options: LifetimeWatchOptions) {}

  /** A discovery has ended, with these addresses on this host. */
  follow(discovery: Discovery, targets: readonly DiscoveryTarget[], addresses: string): void {
    const chosen = chooseLifetimeTarget(discovery, targets);
    // Nobody answers over UDP, perhaps just now: nothing is known about where we are.
    if (!chosen && !discovery.ipv4?.udp && !discovery.ipv6?.udp) return;
    const network = `${addresses} ${chosen?.outside ?? ''}`;
    if (network === this.#network) return;
    this.interrupt();
    this.#network = network;
    this.seconds = undefined;
    if (chosen) void this.#measure(chosen);
  }

  /** The host slept or its network changed: what is being measured would be wrong. */
  interrupt(): void {
    if (!this.#running) return;
    this.#running.abort();
    this.#running = undefined;
    this.#network = undefined;
  }

  async #measure(chosen: LifetimeTarget): Promise<void> {
    const abort = new AbortController();
    this.#running = abort;
    const seconds = await this.options.measure(chosen, abort.signal).catch((error: unknown) => {
      this.options.log('warn', `how long the NAT keeps bindings could not be measured: ${error}`);
      return undefined;
    });
    if (abort.signal.aborted) return;
    this.#running = undefined;
    if (seconds === undefined) return;
    this.seconds = seconds;
    this.options.log(
      'info',
      `NAT: bindings live ${seconds === 0 ? 'less than 10' : `at least ${seconds}`} s without traffic`,
    );
    this.options.onKnown();
  }
}
