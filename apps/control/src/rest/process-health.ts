import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { z } from 'zod';
import type { RestContext } from './context.js';
import type { HealthView } from './schemas.js';

/** Milliseconds between two samples; a delay is what a sample is late. */
const RESOLUTION = 10;
/** For how long the delays are kept that an answer tells of, at least. */
const WINDOW = 30_000;
/** A database that is slower than this does not answer, for whoever wants to know now. */
const PING_TIMEOUT = 2_000;

/** Delays of the event loop in the last half minute or so: of two histograms that are begun in turn, the older one. */
export class LoopDelay {
  #older: IntervalHistogram = begun();
  #newer: IntervalHistogram = begun();
  readonly #timer = setInterval(() => this.#turn(), WINDOW).unref();

  read(): z.infer<typeof HealthView>['eventLoopDelayMs'] {
    const { mean, max } = this.#older;
    return { mean: late(mean), p99: late(this.#older.percentile(99)), max: late(max) };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#older.disable();
    this.#newer.disable();
  }

  #turn(): void {
    this.#older.disable();
    this.#older = this.#newer;
    this.#newer = begun();
  }
}

function begun(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  return histogram;
}

/** From nanoseconds between samples, without what was meant to be between them. Nothing was sampled yet: 0. */
const late = (nanoseconds: number): number =>
  Number.isFinite(nanoseconds) ? Math.max(0, Math.round(nanoseconds / 1e4 - RESOLUTION * 100) / 100) : 0;

/** How this process is. Never fails: what cannot be found out is null. */
export async function processHealth(context: RestContext): Promise<z.infer<typeof HealthView>> {
  const { hubs, metrics, telemetry, loopDelay } = context;
  const { rss, heapUsed } = process.memoryUsage();
  const streams = await metrics.eventStreams.get();
  return {
    uptimeMs: Date.now() - context.about.startedAt.getTime(),
    databaseLatencyMs: await latency(context),
    agentsConnected: hubs.overview().reduce((sum, { connected }) => sum + connected, 0),
    eventStreams: streams.values.reduce((sum, { value }) => sum + value, 0),
    memory: { rssBytes: rss, heapUsedBytes: heapUsed, heapLimitBytes: getHeapStatistics().heap_size_limit },
    eventLoopDelayMs: loopDelay.read(),
    telemetry: telemetry.numbers(),
  };
}

async function latency({ store }: RestContext): Promise<number | null> {
  const began = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, PING_TIMEOUT, null);
  });
  const answer = store.ping().then(
    () => Math.round((performance.now() - began) * 100) / 100,
    () => null, // Whoever asks is told so.
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
