import { hostPrefix } from '@warren/base';
import type { DataPlane } from '@warren/dataplane';
import type { SyncRequest } from '@warren/proto';
import type { AcceptedPeer, SelfDescription } from '../codec/domain.js';
import { describeError } from '../errors.js';
import { readHostNetwork } from '../host/lan.js';
import type { RunProgram } from '../host/program.js';
import type { Log } from '../log.js';
import { type AddressView, FormerAddresses } from './former-addresses.js';
import { findLanClashes, type LanClashes, type OwnNetwork } from './lan-clashes.js';
import type { Warning } from './status-types.js';

/** Changes of a host's network come in swarms; they are looked at once, this long after the first, milliseconds. */
const SETTLE = 300;
/** What the control plane takes. */
const MAX_PREFIXES = 64;

export interface HostAddressingOptions {
  readonly interfaceName: string;
  readonly run: RunProgram;
  readonly log: Log;
  /** The other networks of this agent. */
  readonly others: () => readonly OwnNetwork[];
  /** The network as it is known now. */
  readonly view: () => { readonly self: SelfDescription | undefined; peers(): readonly AcceptedPeer[] };
  /** The plan is another one now without anything having been received. */
  readonly onChange: () => void;
  /** Says it to the control plane; nothing happens without one. */
  readonly tell: (request: SyncRequest) => void;
  /** The data plane, while there is one. */
  readonly plane: () => DataPlane | undefined;
}

/** What the data plane is to have. */
export interface AddressPlan {
  /** With their own prefix length. */
  readonly addresses: readonly string[];
  readonly peers: readonly AcceptedPeer[];
  readonly forward: readonly string[];
}

/**
 * How one network lies on this host: its addresses, those of before while not everybody has heard of the new ones, and the
 * LANs that are in the way.
 */
export class HostAddressing {
  readonly #former = new FormerAddresses(() => performance.now());
  #timer: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #clashes: LanClashes = { warnings: [], clashes: [], lans: [], unrouted: [] };
  /** What the last look was about; a change of the network is looked at, too. */
  #looked = '';
  /** The host was looked at. */
  #hasSeen = false;
  #closed = false;

  constructor(private readonly options: HostAddressingOptions) {}

  /** For the status. */
  get warnings(): readonly Warning[] {
    return this.#clashes.warnings;
  }

  /** Names of the interfaces of all networks of this agent. */
  get tunnels(): ReadonlySet<string> {
    const { interfaceName, others } = this.options;
    return new Set([interfaceName, ...others().map((other) => other.interfaceName)]);
  }

  /** Runs what changes the view; addresses that are given up by it are kept for a while. */
  changing<T>(change: () => T): T {
    const before = this.#view();
    const result = change();
    const after = this.#view();
    if (before && after) this.#former.note(before, after);
    return result;
  }

  /** @param peers those to use; none while last known state is not trusted. */
  plan(peers: readonly AcceptedPeer[]): AddressPlan {
    const { self } = this.options.view();
    const own = self?.addresses ?? [];
    clearTimeout(this.#timer);
    const forward = self?.forward ?? [];
    const plan = this.#former.plan({ own, peers, forward });
    if (plan.nextChange !== undefined && !this.#closed) {
      this.#timer = setTimeout(this.options.onChange, plan.nextChange).unref();
    }
    this.#lookIfOther(peers);
    return {
      addresses: plan.own.map(hostPrefix),
      peers: plan.peers,
      forward: forward.length > 0 ? plan.forward : [],
    };
  }

  /** Links, addresses or routes of the host changed, or there is a new data plane. */
  networkChanged(): void {
    if (this.#closed) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      void this.#look().catch((error: unknown) => this.options.log('warn', describeError(error).message));
    }, SETTLE).unref();
  }

  /** A stream has begun: the control plane knows nothing of us yet. */
  connected(): void {
    if (this.#hasSeen) this.#tell();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#settling);
  }

  #view(): AddressView | undefined {
    const view = this.options.view();
    const { self } = view;
    return self && { own: self.addresses, forward: self.forward, peers: view.peers() };
  }

  #lookIfOther(peers: readonly AcceptedPeer[]): void {
    const about = `${this.options.view().self?.cidrs.join()} ${peers.map(({ addresses }) => addresses.join()).join()}`;
    if (about === this.#looked) return;
    this.#looked = about;
    this.networkChanged();
  }

  async #look(): Promise<void> {
    const { run, interfaceName, others, view, log, plane } = this.options;
    const host = await readHostNetwork(run);
    const { self } = view();
    if (this.#closed || !self) return;
    const network = { name: self.networkName, interfaceName, cidrs: self.cidrs };
    const before = this.#clashes;
    this.#hasSeen = true;
    this.#clashes = findLanClashes(network, others(), host, view().peers());
    for (const { message } of this.#clashes.warnings) {
      if (!before.warnings.some((known) => known.message === message)) log('warn', message);
    }
    if (before.warnings.length > 0 && this.#clashes.warnings.length === 0) log('info', 'no LAN overlaps any more');
    // Also when nothing differs: a route that was another's before may be free now.
    await plane()?.setUnrouted(this.#clashes.unrouted);
    if (sameObservation(before, this.#clashes)) return;
    this.#tell();
  }

  #tell(): void {
    const { clashes, lans } = this.#clashes;
    const value = { lanClashes: clashes.slice(0, MAX_PREFIXES), lanPrefixes: lans.slice(0, MAX_PREFIXES) };
    this.options.tell({ message: { $case: 'observation', value } });
  }
}

const sameObservation = (a: LanClashes, b: LanClashes): boolean =>
  [a.clashes, a.lans].join('|') === [b.clashes, b.lans].join('|');
