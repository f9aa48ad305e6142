import { networkInterfaces } from 'node:os';
import type { SignalServerConfig } from '@warren/dataplane';
import type { NatFinding } from '../daemon/nat-status.js';
import type { Log } from '../log.js';
import { type LifetimeTarget, measureBindingLifetime } from './binding-lifetime.js';
import { type Discovery, type DiscoveryTarget, discoverNat } from './discover.js';
import { findingOf } from './finding.js';
import { LifetimeWatch } from './lifetime-watch.js';

export interface NatWatchOptions {
  /** After each look, and when the lifetime of bindings was measured. */
  readonly onResult: (finding: NatFinding) => Promise<void>;
  readonly log: Log;
  /** Tests put in their own. */
  readonly discover?: (targets: readonly DiscoveryTarget[], signal: AbortSignal) => Promise<Discovery>;
  readonly measureLifetime?: (target: LifetimeTarget, signal: AbortSignal) => Promise<number | undefined>;
  /** Differs when addresses of this host do. */
  readonly fingerprint?: () => string;
  readonly timing?: Partial<NatWatchTiming>;
}

/** Milliseconds. */
export interface NatWatchTiming {
  /** Between two looks, give or take a fifth. */
  readonly interval: number;
  /** The same while UDP does not get out. */
  readonly blockedInterval: number;
  /** At least so long between two looks, whatever happens. */
  readonly gap: number;
  /** Between two glances at the addresses of this host. */
  readonly glance: number;
}

const TIMING: NatWatchTiming = { interval: 600_000, blockedInterval: 60_000, gap: 10_000, glance: 5_000 };
/** A look costs as many packets; in a network of many bounces some of them, drawn anew each time, show the same. */
const MAX_TARGETS = 8;

/** Looks at the NAT when servers are known, when this host's addresses change, and now and then. */
export interface NatWatch {
  /** The servers to ask; others than before are asked at once. */
  setServers(servers: readonly SignalServerConfig[]): void;
  /** The network is another: look again. Any number of calls cost one look. */
  networkChanged(): void;
  /** A look under way is given up. */
  close(): void;
}

export function createNatWatch(options: NatWatchOptions): NatWatch {
  return new Watch(options);
}

class Watch implements NatWatch {
  readonly #timing: NatWatchTiming;
  readonly #fingerprint: () => string;
  readonly #glances: NodeJS.Timeout;
  readonly #abort = new AbortController();
  readonly #lifetime: LifetimeWatch;
  #finding: NatFinding | undefined;
  #seen: string;
  #targets: readonly DiscoveryTarget[] = [];
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #begun = Number.NEGATIVE_INFINITY;
  #looking = false;
  #last = '';

  constructor(private readonly options: NatWatchOptions) {
    this.#timing = { ...TIMING, ...options.timing };
    this.#fingerprint = options.fingerprint ?? addressFingerprint;
    this.#seen = this.#fingerprint();
    this.#lifetime = new LifetimeWatch({
      measure: options.measureLifetime ?? measureBindingLifetime,
      onKnown: () => void this.#tell().catch((error: unknown) => this.#warn(error)),
      log: options.log,
    });
    this.#glances = setInterval(() => this.#glance(), this.#timing.glance);
    this.#glances.unref();
  }

  setServers(servers: readonly SignalServerConfig[]): void {
    const targets = servers.flatMap(({ id, udp }) => (udp ? [{ id, udp }] : []));
    const same = targets.map(({ udp }) => udp).join() === this.#targets.map(({ udp }) => udp).join();
    this.#targets = targets;
    if (!same) this.#lookSoon();
  }

  networkChanged(): void {
    this.#lifetime.interrupt();
    this.#lookSoon();
  }

  #lookSoon(): void {
    this.#schedule(Math.max(0, this.#begun + this.#timing.gap - performance.now()));
  }

  close(): void {
    this.#abort.abort();
    this.#lifetime.interrupt();
    clearInterval(this.#glances);
    clearTimeout(this.#timer);
  }

  #glance(): void {
    const seen = this.#fingerprint();
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.networkChanged();
  }

  /** The earliest wins. */
  #schedule(delay: number): void {
    const due = performance.now() + delay;
    if (this.#abort.signal.aborted || due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), delay);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    this.#due = Number.POSITIVE_INFINITY;
    if (this.#targets.length === 0) return; // asked again when there are some
    if (this.#looking) return this.#schedule(this.#timing.gap);
    this.#looking = true;
    this.#begun = performance.now();
    try {
      const discover = this.options.discover ?? discoverNat;
      const targets = draw(this.#targets);
      const addresses = this.#seen;
      const discovery = await discover(targets, this.#abort.signal);
      if (this.#abort.signal.aborted) return;
      const finding = findingOf(discovery);
      this.#finding = finding;
      this.#note(finding);
      this.#lifetime.follow(discovery, targets, addresses);
      await this.#tell();
      this.#scheduleNext(finding);
    } catch (error) {
      this.#warn(error);
      this.#scheduleNext(undefined);
    } finally {
      this.#looking = false;
    }
  }

  async #tell(): Promise<void> {
    const { seconds } = this.#lifetime;
    if (!this.#finding || this.#abort.signal.aborted) return;
    await this.options.onResult({ ...this.#finding, ...(seconds !== undefined && { bindingLifetimeS: seconds }) });
  }

  #warn(error: unknown): void {
    this.options.log('warn', `the NAT could not be looked at: ${error instanceof Error ? error.message : error}`);
  }

  #scheduleNext(finding: NatFinding | undefined): void {
    const { interval, blockedInterval } = this.#timing;
    this.#schedule((finding?.udp === false ? blockedInterval : interval) * (0.8 + 0.4 * Math.random()));
  }

  #note({ mapping, filtering, udp }: NatFinding): void {
    const text = udp === false ? 'no signal server answers over UDP' : `mapping ${mapping}, filtering ${filtering}`;
    this.options.log(text === this.#last ? 'debug' : 'info', `NAT: ${text}`);
    this.#last = text;
  }
}

/** A random choice, the order kept. */
function draw(targets: readonly DiscoveryTarget[]): DiscoveryTarget[] {
  const chosen = [...targets];
  while (chosen.length > MAX_TARGETS) chosen.splice(Math.floor(Math.random() * chosen.length), 1);
  return chosen;
}

/** Addresses of all interfaces but loopback, in one order. */
function addressFingerprint(): string {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(({ internal }) => !internal).map(({ cidr }) => `${name} ${cidr}`),
  );
  return all.sort().join();
}
