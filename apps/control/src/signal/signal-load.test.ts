import { expect, it } from 'vitest';
import { SignalLoadMeter } from './signal-load.js';

it('the load of a signal server is its agents, and how fast it relays between two readings', async () => {
  let now = 0;
  const stats = { sessions: 2, relayedDatagrams: 0, relayedBytes: 500, drops: {} };
  const meter = new SignalLoadMeter({ stats: async () => stats }, () => now);
  expect(await meter.read()).toEqual({ clients: 2, relayedBytes: 500, relayedRate: 0 });
  [now, stats.relayedBytes] = [5_000, 10_500];
  expect((await meter.read()).relayedRate).toBe(2_000);
  [now, stats.relayedBytes] = [5_500, 99_999];
  expect(await meter.read(), 'a moment is too short to tell').toMatchObject({
    relayedRate: 2_000,
    relayedBytes: 99_999,
  });
  [now, stats.relayedBytes] = [10_000, 5_000];
  expect((await meter.read()).relayedRate, 'it was started again').toBe(1_000);
});
