import { type NetworkId, networkId, WarrenError } from '@warren/base';
import type { NetworkState, Store } from '@warren/db';
import { afterEach, expect, test, vi } from 'vitest';
import { partsOf } from '../testing/hub-parts.fixture.js';
import { Hubs } from './hubs.js';

const ID = networkId('00000000-0000-4000-8000-000000000001');
const STATE: NetworkState = {
  network: { id: ID, name: 'net', cidrs: [], mtu: 1400, nodes: new Map() },
  epoch: 1,
  revision: 1,
  tombstones: [],
};

/** A store of one network whose log cannot be read for the next `failures` reads. */
function failingStore() {
  let tell: (id: NetworkId) => void = () => {};
  const store = {
    failures: 0,
    reads: 0,
    revision: 1,
    async onChange(listener: (id: NetworkId) => void) {
      tell = listener;
      return { close: async () => {} };
    },
    loadNetwork: async () => STATE,
    async changesSince() {
      store.reads += 1;
      if (store.failures-- > 0) throw new WarrenError('database-unavailable', 'away');
      const row = { nodeId: null, before: null, after: null, tombstone: null, networkChanged: false };
      return store.revision > 1 ? [{ revision: 2, ...row }] : [];
    },
  };
  return { store, tell: () => tell(ID) };
}

afterEach(() => vi.useRealTimers());

test('a change that could not be read when it was told of is read as soon as the database is back', async () => {
  vi.useFakeTimers();
  const { store, tell } = failingStore();
  const hubs = await Hubs.start(partsOf(store as unknown as Store));
  const hub = await hubs.current(ID);
  store.revision = 2;
  store.failures = 3;
  tell();
  tell();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(hub.version.revision).toBe(2);
  await hubs.close();
});

test('a closed hub reads nothing any more', async () => {
  vi.useFakeTimers();
  const { store, tell } = failingStore();
  const hubs = await Hubs.start(partsOf(store as unknown as Store));
  await hubs.current(ID);
  store.failures = 100;
  tell();
  await vi.advanceTimersByTimeAsync(1);
  await hubs.close();
  const { reads } = store;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(store.reads).toBe(reads);
});
