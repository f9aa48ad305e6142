import type { Contracts } from './engine.fixture.js';

/** What comes in the stream is tested in events.test.ts. */
export const EVENT_CONTRACTS: Contracts = {
  streamEvents: {
    good: () => ({}),
    status: 200,
    endless: true,
    badQueries: [{ network: '' }, { lastEventId: 'x'.repeat(65) }],
    refused: [
      {
        what: 'the network is unknown',
        request: () => ({ query: { network: 'nowhere' } }),
        ...{ status: 404, code: 'not-found' },
      },
    ],
  },
};
