/** Milliseconds of one point. */
export const TRAFFIC_INTERVAL = 10_000;
/** Half an hour. */
const POINTS = 180;
/** The newest is not over yet. */
const KEPT = POINTS + 1;
const PER_MINUTE = 60_000 / TRAFFIC_INTERVAL;

/**
 * The traffic of a node in the last half hour: bytes of each interval, 1.4 KB whatever happens. Times are Unix milliseconds;
 * a clock that is set back writes into what it wrote before.
 */
export class TrafficHistory {
  readonly #bytes = new Float32Array(2 * KEPT);
  /** Number of the newest interval, since 1970. */
  #newest: number;
  /** The first moment of which anything is known, and the last. */
  #since: number;
  #until: number;

  constructor(now: number) {
    this.#since = now;
    this.#until = now;
    this.#newest = Math.floor(now / TRAFFIC_INTERVAL);
  }

  /** Bytes that came evenly between two moments. */
  add(from: number, to: number, rx: number, tx: number): void {
    this.#advance(to);
    const begin = Math.max(Math.min(from, to), (this.#newest - KEPT + 1) * TRAFFIC_INTERVAL);
    const span = Math.max(to - begin, 1);
    for (let at = begin; at < to; ) {
      const number = Math.floor(at / TRAFFIC_INTERVAL);
      const next = Math.min((number + 1) * TRAFFIC_INTERVAL, to);
      this.#count(number, (rx * (next - at)) / span, (tx * (next - at)) / span);
      at = next;
    }
  }

  /** Nothing was counted up to now, or none of it is missing. */
  #advance(to: number): void {
    const number = Math.floor(to / TRAFFIC_INTERVAL);
    for (let next = Math.max(this.#newest + 1, number - KEPT + 1); next <= number; next += 1)
      this.#bytes.fill(0, 2 * (next % KEPT), 2 * (next % KEPT) + 2);
    this.#newest = Math.max(this.#newest, number);
    this.#until = Math.max(this.#until, to);
  }

  #count(number: number, rx: number, tx: number): void {
    const index = 2 * (Math.min(number, this.#newest) % KEPT);
    this.#bytes[index]! += rx;
    this.#bytes[index + 1]! += tx;
  }

  /** `[Unix ms, bytes received a second, bytes sent a second]` of each whole interval, oldest first. */
  points(now: number): [number, number, number][] {
    const points: [number, number, number][] = [];
    for (const number of this.#whole(now)) {
      const index = 2 * (number % KEPT);
      const rate = (bytes: number): number => Math.round((bytes * 1000) / TRAFFIC_INTERVAL);
      points.push([number * TRAFFIC_INTERVAL, rate(this.#bytes[index]!), rate(this.#bytes[index + 1]!)]);
    }
    return points;
  }

  /** Bytes of each minute, both ways, oldest first. */
  minutes(now: number): number[] {
    const whole = [...this.#whole(now)];
    const minutes: number[] = [];
    for (let end = whole.length; end > 0; end -= PER_MINUTE) {
      const part = whole.slice(Math.max(0, end - PER_MINUTE), end);
      const bytes = part.reduce((sum, number) => sum + this.#both(number), 0);
      minutes.unshift(Math.round((bytes * PER_MINUTE) / part.length));
    }
    return minutes;
  }

  #both(number: number): number {
    const index = 2 * (number % KEPT);
    return this.#bytes[index]! + this.#bytes[index + 1]!;
  }

  /** Numbers of the intervals that are known from beginning to end, and that are not older than half an hour. */
  *#whole(now: number): Generator<number> {
    const oldest = Math.floor(now / TRAFFIC_INTERVAL) - POINTS;
    const first = Math.max(Math.ceil(this.#since / TRAFFIC_INTERVAL), this.#newest - KEPT + 1, oldest);
    for (let number = first; (number + 1) * TRAFFIC_INTERVAL <= this.#until; number += 1) yield number;
  }
}
