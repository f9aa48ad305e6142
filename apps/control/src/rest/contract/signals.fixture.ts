import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Contracts, World } from './engine.fixture.js';

const token = async (world: World) => ({
  params: { id: (await world.make('createSignalToken', { body: { region: 'lab' } })).id },
});
/** A server that enrolled, as `warren signal` does. */
const server = async ({ plane: { context } }: World) => {
  const made = await context.store.createSignalToken({ region: 'lab' }, 'local');
  const keys = { identityKey: randomBytes(32), key: randomBytes(32) };
  const input = { tokenId: made.token.id, tokenSecret: made.secret, ...keys };
  const { id } = await context.store.enrollSignalServer(input, 'local');
  await context.signals.refresh();
  return { params: { id } };
};

export const SIGNAL_CONTRACTS: Contracts = {
  listSignalServers: { good: () => ({}), status: 200 },
  getSignalServer: { good: server, status: 200 },
  deleteSignalServer: { good: server, status: 204 },
  listSignalTokens: { good: () => ({}), status: 200 },
  createSignalToken: {
    good: () => ({ body: { region: 'eu', expires: '2h' } }),
    status: 201,
    gives: (made: object) => expect(made).toMatchObject({ region: 'eu', used: false }),
    badBodies: [{ region: '' }, { region: 'a b' }, { expires: '0' }],
  },
  getSignalToken: { good: token, status: 200 },
  deleteSignalToken: { good: token, status: 204 },
};
