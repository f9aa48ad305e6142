import type { Store } from '@warren/db';
import { pino } from 'pino';
import type { HubParts } from '../hub/network-hub.js';

/** What hubs share, for tests of hubs alone: silent, at a clock that stands, without signal servers unless said otherwise. */
export const partsOf = (store: Store, change: Partial<HubParts> = {}): HubParts => ({
  store,
  log: pino({ level: 'silent' }),
  now: () => 0,
  signals: { servers: [] },
  signTicket: () => undefined,
  ...change,
});
