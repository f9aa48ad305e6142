import { type Instant, instant } from '@warren/base';
import { EventQueue, type ScheduledEvent } from './event-queue.js';
import type { DropReason, Packet } from './packet.js';
import { Random } from './random.js';
import { Segment } from './segment.js';

/** What became of a packet at one place, for traces. */
export interface PacketTrace {
  readonly at: Instant;
  readonly where: string;
  readonly what: 'sent' | 'delivered' | DropReason;
  readonly packet: Packet;
}

/**
 * A whole internet: its clock, its random numbers and its core segment, to which routers and public hosts are attached.
 * Nothing happens but by `runUntil`; the same seed and the same calls give the same packets.
 */
export class Internet {
  /** For loss, jitter and ports of NATs. What a test draws should come from a `Random` of its own. */
  readonly random: Random;
  /** Where public addresses are. */
  readonly core: Segment;
  /** Sees what becomes of every packet. */
  trace: ((event: PacketTrace) => void) | undefined;
  private readonly queue = new EventQueue();
  private time = 0;

  /** `startMs`: what the clock shows at first; machines should not care. */
  constructor(seed: number, startMs = 1_000_000) {
    this.random = new Random(seed, 1);
    this.time = startMs;
    this.core = new Segment(this, 'internet');
  }

  get now(): Instant {
    return instant(this.time);
  }

  /** A local network whose only way out is the router that has it as its inside. */
  segment(name: string): Segment {
    return new Segment(this, name);
  }

  /** Runs `what` at an instant; the past is now, after what was already due. */
  at(when: number, what: () => void): ScheduledEvent {
    return this.queue.add(Math.max(when, this.time), what);
  }

  after(ms: number, what: () => void): ScheduledEvent {
    return this.at(this.time + ms, what);
  }

  /** Everything up to this instant happens; then it is this instant. */
  runUntil(when: number): void {
    for (let next = this.queue.nextAt(); next !== undefined && next <= when; next = this.queue.nextAt()) {
      this.time = next;
      this.queue.take()!.run();
    }
    this.time = Math.max(this.time, when);
  }

  run(ms: number): void {
    this.runUntil(this.time + ms);
  }

  /**
   * Goes on until `condition` holds, looking after each event.
   * @returns how many milliseconds it took; undefined when `limitMs` passed first.
   */
  runUntilTrue(condition: () => boolean, limitMs: number): number | undefined {
    const start = this.time;
    while (!condition()) {
      const next = this.queue.nextAt();
      if (next === undefined || next > start + limitMs) {
        this.time = start + limitMs;
        return undefined;
      }
      this.time = next;
      this.queue.take()!.run();
    }
    return this.time - start;
  }

  /** For the parts of this package. */
  note(what: PacketTrace['what'], where: string, packet: Packet): void {
    this.trace?.({ at: this.now, where, what, packet });
  }
}
