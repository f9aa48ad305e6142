import type { NodeId } from '@warren/base';
import type { Session } from '../hub/session.js';
import { type Link, type LinkKind, Meter, whole } from './link.js';
import type { NatView } from './path-claims.js';
import { TrafficHistory } from './traffic-history.js';

/** Entries that an agent may report at once, and a second for long; a report itself counts as so many. */
const ENTRIES_AT_ONCE = 20_000;
const ENTRIES_PER_SECOND = 2_500;
const REPORT_COST = 20;

/** A vanilla member is there if a peer of it reports a handshake of the last three minutes: REJECT_AFTER_TIME (WireGuard paper §6.1). */
const VANILLA_ALIVE = 180_000;

/** An agent that is connected here. */
export interface Connection {
  readonly session: Session;
  /** Unix milliseconds. */
  readonly since: number;
  /** Whence its stream comes. */
  readonly address: string | null;
  /** How often it was asked to report; milliseconds. */
  interval: number;
  /** It has reported, so it knows how. */
  hasReported: boolean;
  budget: number;
  budgetAt: number;
}

/** One node as it is seen: by its agent's reports, and by those of its peers. */
export class NodeState {
  connection: Connection | undefined;
  /** Unix milliseconds; 0: not since this process runs. Of a vanilla member the last handshake that a peer reports. */
  lastSeen = 0;
  version: string | null = null;
  /** Of a vanilla member: whence it speaks, as the peer says that heard it last. */
  address: string | null = null;
  nat: NatView | null = null;
  readonly meter = new Meter();
  /** By the other node. */
  readonly links = new Map<NodeId, Link>();
  readonly paths: Record<LinkKind, number> = { direct: 0, relay: 0, bounce: 0, none: 0 };
  #history: TrafficHistory | undefined;

  constructor(
    readonly id: NodeId,
    readonly kind: 'agent' | 'vanilla',
  ) {}

  /** @param now Unix milliseconds. null: nobody has seen it. */
  isOnline(now: number): boolean | null {
    if (this.kind === 'agent') return this.connection !== undefined;
    return this.lastSeen === 0 ? null : now - this.lastSeen < VANILLA_ALIVE;
  }

  get history(): TrafficHistory | undefined {
    return this.#history;
  }

  /** `from` and `to` in Unix milliseconds. */
  addTraffic(from: number, to: number, rx: number, tx: number): void {
    this.#history ??= new TrafficHistory(from);
    this.#history.add(from, to, rx, tx);
  }

  /** Bytes a second: of a vanilla member what its peers sent to it. */
  rxRate(now: number): number {
    if (this.kind === 'agent') return this.meter.rxRate(now);
    return this.#ofPeers((meter) => meter.txRate(now));
  }
  txRate(now: number): number {
    if (this.kind === 'agent') return this.meter.txRate(now);
    return this.#ofPeers((meter) => meter.rxRate(now));
  }
  rxBytes(): number {
    return this.kind === 'agent' ? this.meter.rxBytes : this.#ofPeers(({ txBytes }) => txBytes);
  }
  txBytes(): number {
    return this.kind === 'agent' ? this.meter.txBytes : this.#ofPeers(({ rxBytes }) => rxBytes);
  }

  #ofPeers(value: (meter: Meter) => number): number {
    let sum = 0;
    for (const link of this.links.values()) {
      const meter = link.end(link.other(this.id))?.meter;
      if (meter) sum += value(meter);
    }
    return whole(sum);
  }
}

/** Whether an agent may report so many entries now; counts them. @param now monotonic milliseconds */
export function mayReport(connection: Connection, entries: number, now: number): boolean {
  const earned = ((now - connection.budgetAt) * ENTRIES_PER_SECOND) / 1000;
  const budget = Math.min(ENTRIES_AT_ONCE, connection.budget + earned);
  connection.budgetAt = now;
  const cost = entries + REPORT_COST;
  connection.budget = budget < cost ? budget : budget - cost;
  return budget >= cost;
}

export const connectionOf = (
  session: Session,
  address: string | null,
  interval: number,
  times: { readonly unix: number; readonly monotonic: number },
): Connection => ({
  ...{ session, address, interval, since: times.unix, hasReported: false },
  ...{ budget: ENTRIES_AT_ONCE, budgetAt: times.monotonic },
});
