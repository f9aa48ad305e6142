import type { ExplainAnswer, SyncResponse } from '@warren/proto';
import type { Reply } from '../control/session.js';
import { describeError } from '../errors.js';
import type { Log } from '../log.js';
import { type PathReading, PathReports } from './path-reports.js';
import type { Explanation } from './status-types.js';

/** Paths change in swarms: they are looked at once, this long after the first, milliseconds. */
const GATHER = 250;
/** However many peers there are, looking at them takes at most the twentieth part of the time. */
const LOOK_SHARE = 20;
/** A path that fades away by itself calls nobody: so often it is looked for those, milliseconds. */
const LOOK_EVERY = 10_000;
/** What the control plane may ask for, milliseconds. */
const MIN_INTERVAL = 500;
const MAX_INTERVAL = 3_600_000;
/** Somebody watches when counters are wanted at least so often: then idle paths are asked whether they still stand. */
const WATCHED_INTERVAL = 10_000;
/** Well within the time for which a silent peer is taken to be there (three minutes), milliseconds. */
const REFRESH_AFTER = 120_000;
/** All agents of a network hear at once that somebody watches; they answer spread over this time, milliseconds. */
const SPREAD = 1_000;
/** Explanations at work at the same time. */
const MAX_EXPLANATIONS = 4;
const MAX_EXPLANATION_BYTES = 65_536;

export interface TelemetryParts {
  /** What there is to report now; undefined while there is no data plane. */
  readonly read: () => Promise<PathReading | undefined>;
  readonly explain: (nodeId: string) => Promise<Explanation>;
  /** Asks peers that were silent for so many milliseconds whether they are there. */
  readonly refresh: (silentMs: number) => Promise<unknown>;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly log: Log;
}

/**
 * Tells the control plane of the paths, as it wants to hear of them: for those who watch, nothing depends on it. One report is on its
 * way at a time, and the next one says what is true then: a stream that takes nothing costs nothing.
 */
export class Telemetry {
  readonly #reports = new PathReports();
  #reply: Reply | undefined;
  /** Milliseconds; 0: no counters. */
  #interval = 0;
  #countersAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #working = false;
  #restUntil = Number.NEGATIVE_INFINITY;
  /** A look was due meanwhile. */
  #again = false;
  #explaining = 0;
  /** The report at hand went out, or never will. */
  #settleReport: (() => void) | undefined;

  constructor(private readonly parts: TelemetryParts) {}

  /** A stream is about to begin: whatever was wanted on the one before is forgotten. */
  reset(): void {
    this.streamEnded();
    this.#interval = 0;
    this.#countersAt = Number.POSITIVE_INFINITY;
  }

  /** The control plane has said something on its stream: from now on it hears of paths. */
  streamBegan(reply: Reply): void {
    this.#reports.begin();
    this.#reply = reply;
    this.#lookAt(performance.now());
  }

  streamEnded(): void {
    this.#reply = undefined;
    clearTimeout(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#settleReport?.();
  }

  /** @returns whether the message was for us. */
  handle({ message }: SyncResponse, reply: Reply): boolean {
    if (message?.$case === 'reportPolicy') this.#setInterval(message.value.intervalMs);
    else if (message?.$case === 'explain') void this.#explain(message.value.id, message.value.nodeId, reply);
    else return false;
    return true;
  }

  /** Peers may be reached another way than before. */
  pathsChanged(): void {
    if (this.#working) this.#again = true;
    else this.#lookAt(Math.max(performance.now() + GATHER, this.#restUntil));
  }

  #setInterval(milliseconds: number): void {
    const interval = milliseconds === 0 ? 0 : Math.min(Math.max(milliseconds, MIN_INTERVAL), MAX_INTERVAL);
    if (interval === this.#interval) return;
    this.#interval = interval;
    const spread = this.#isWatched ? Math.min(this.#interval, SPREAD) : this.#interval;
    this.#countersAt =
      this.#interval === 0 ? Number.POSITIVE_INFINITY : performance.now() + this.parts.random() * spread;
    this.#lookAt(this.#countersAt);
  }

  get #isWatched(): boolean {
    return this.#interval > 0 && this.#interval <= WATCHED_INTERVAL;
  }

  /** The earliest time that anybody wanted counts. */
  #lookAt(at: number): void {
    if (!this.#reply || at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    const delay = Math.max(0, at - performance.now());
    this.#timer = setTimeout(() => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      void this.#work();
    }, delay).unref();
  }

  async #work(): Promise<void> {
    // Maybe for long: a stream that takes nothing is waited for.
    if (this.#working) {
      this.#again = true;
      return;
    }
    this.#working = true;
    this.#again = false;
    try {
      await this.#look();
    } catch (error) {
      this.parts.log('debug', `the control plane is not told of the paths: ${describeError(error).message}`);
    } finally {
      this.#working = false;
      this.#lookAt(Math.min(performance.now() + LOOK_EVERY, this.#countersAt));
      if (this.#again) this.pathsChanged();
    }
  }

  async #look(): Promise<void> {
    if (this.#isWatched) await this.parts.refresh(REFRESH_AFTER);
    const began = performance.now();
    const counters = began >= this.#countersAt;
    const reply = this.#reply;
    const reading = await this.parts.read();
    this.#restUntil = began + LOOK_SHARE * (performance.now() - began);
    if (!reading || !reply || reply !== this.#reply) return;
    if (counters) this.#countersAt = Math.max(this.#countersAt + this.#interval, began + this.#interval / 2);
    let next = this.#reports.next(reading, counters);
    while (next && reply === this.#reply) {
      await this.#send(next.report, reply);
      if (reply !== this.#reply) return;
      next.commit();
      next = this.#reports.next(reading, counters);
    }
  }

  /** Settles when the stream takes more, or has ended. */
  #send(value: NonNullable<ReturnType<PathReports['next']>>['report'], reply: Reply): Promise<void> {
    return new Promise((resolve) => {
      this.#settleReport = resolve;
      reply({ message: { $case: 'pathReport', value } }, resolve);
    });
  }

  async #explain(id: number, nodeId: string, reply: Reply): Promise<void> {
    const say = (answer: Partial<ExplainAnswer>): void =>
      reply({ message: { $case: 'explainAnswer', value: { id, json: '', failure: '', ...answer } } });
    if (this.#explaining >= MAX_EXPLANATIONS) return say({ failure: 'the agent is busy with other explanations' });
    this.#explaining++;
    try {
      const json = JSON.stringify(await this.parts.explain(nodeId));
      if (Buffer.byteLength(json) <= MAX_EXPLANATION_BYTES) say({ json });
      else say({ failure: 'the explanation is too long to be sent: ask `agent explain` on the host itself' });
    } catch (error) {
      say({ failure: describeError(error).message });
    } finally {
      this.#explaining--;
    }
  }
}
