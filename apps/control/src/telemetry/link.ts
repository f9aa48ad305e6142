import type { NodeId } from '@warren/base';

/** What a path is, the best first. */
export const PATH_KINDS = ['direct', 'relay', 'bounce', 'none'] as const;
export type LinkKind = (typeof PATH_KINDS)[number];

/** Shorter than this counters say nothing of a rate: reports are delivered in jerks. Milliseconds. */
const SHORTEST_SPAN = 500;
/** An end that said nothing for so many intervals stands still. */
const STALE_INTERVALS = 2.5;
/** Who says something after a pause had said so if its traffic had begun before: an interval, and some delay. */
const PAUSE_INTERVALS = 1.5;

/** What one end says of a path, checked. */
export interface PathClaim {
  readonly kind: LinkKind;
  readonly lan: boolean;
  readonly tls: boolean;
  readonly endpoint: string | null;
  readonly via: string | null;
  readonly reason: string | null;
  /** 0: not measured. */
  readonly rttUs: number;
  /** Unix milliseconds; 0: unknown. */
  readonly sinceMs: number;
  readonly lastHandshakeMs: number;
}

/** A number that every reader of JSON takes for whole, whatever agents say that they counted. */
export const whole = (value: number): number => Math.min(Math.round(value), Number.MAX_SAFE_INTEGER);

/** Counters and how fast they went on between two reports. Times are milliseconds of a monotonic clock. */
export class Meter {
  rxBytes = 0;
  txBytes = 0;
  #rxBase = 0;
  #txBase = 0;
  #baseAt = -1;
  #rxRate = 0;
  #txRate = 0;
  #rateUntil = 0;

  /**
   * Counters as they are now. A counter that went back began anew: it counted what it says since. Bytes whose time is not long
   * enough to say how fast they came wait for the next report.
   *
   * @param interval how often counters are reported
   * @returns the bytes since the report before, and when that was; undefined: nothing to add.
   */
  note(
    rxBytes: number,
    txBytes: number,
    now: number,
    interval: number,
  ): { rx: number; tx: number; from: number } | undefined {
    this.rxBytes = rxBytes;
    this.txBytes = txBytes;
    const first = this.#baseAt < 0;
    const from = Math.max(this.#baseAt, now - interval * PAUSE_INTERVALS);
    if (!first && now - this.#baseAt < SHORTEST_SPAN) return undefined;
    const rx = first ? 0 : since(this.#rxBase, rxBytes);
    const tx = first ? 0 : since(this.#txBase, txBytes);
    this.#rxBase = rxBytes;
    this.#txBase = txBytes;
    this.#baseAt = now;
    if (first) return undefined;
    this.#rxRate = (rx * 1000) / (now - from);
    this.#txRate = (tx * 1000) / (now - from);
    this.#rateUntil = now + interval * STALE_INTERVALS;
    return { rx, tx, from };
  }

  /** Bytes a second. */
  rxRate(now: number): number {
    return now < this.#rateUntil ? whole(this.#rxRate) : 0;
  }
  txRate(now: number): number {
    return now < this.#rateUntil ? whole(this.#txRate) : 0;
  }

  /** Nobody counts any more; what was counted stays. */
  stop(): void {
    this.#rateUntil = 0;
  }
}

const since = (before: number, now: number): number => (now >= before ? now - before : now);

const badness = ({ kind, tls }: PathClaim): number => 2 * PATH_KINDS.indexOf(kind) + Number(kind === 'relay' && tls);

/** One end of a link, as its agent says. */
export class LinkEnd {
  readonly meter = new Meter();
  constructor(
    public claim: PathClaim,
    /** Monotonic milliseconds. */
    public at: number,
  ) {}
}

/** A pair of nodes of which at least one said something of the other. */
export class Link {
  fromA: LinkEnd | undefined;
  fromB: LinkEnd | undefined;
  kind: LinkKind = 'none';
  agreed = true;

  /** @param a the lesser id */
  constructor(
    readonly a: NodeId,
    readonly b: NodeId,
  ) {}

  end(node: NodeId): LinkEnd | undefined {
    return node === this.a ? this.fromA : this.fromB;
  }

  setEnd(node: NodeId, end: LinkEnd | undefined): void {
    if (node === this.a) this.fromA = end;
    else this.fromB = end;
  }

  other(node: NodeId): NodeId {
    return node === this.a ? this.b : this.a;
  }

  get isEmpty(): boolean {
    return !this.fromA && !this.fromB;
  }

  /**
   * The end that is shown: the newer report's; as long as they differ, that of the worse kind. A relay that one end reaches over
   * TLS is worse than one that both reach over UDP, and stays so: their ways to it are their own.
   */
  shown(): LinkEnd {
    const { fromA, fromB } = this;
    if (!fromA || !fromB) return (fromA ?? fromB)!;
    const order = badness(fromA.claim) - badness(fromB.claim);
    if (order !== 0) return order > 0 ? fromA : fromB;
    return fromA.at >= fromB.at ? fromA : fromB;
  }

  /** Looks at both ends again, after one of them changed. @returns the kind that it was before. */
  settle(): LinkKind {
    const before = this.kind;
    this.kind = this.shown().claim.kind;
    this.agreed = !this.fromA || !this.fromB || this.fromA.claim.kind === this.fromB.claim.kind;
    return before;
  }

  /** Bytes a second, both ways: what is lost on the way was sent all the same. */
  rate(now: number): number {
    const of = (end: LinkEnd | undefined): number => (end ? end.meter.rxRate(now) + end.meter.txRate(now) : 0);
    return whole(Math.max(of(this.fromA), of(this.fromB)));
  }
}
