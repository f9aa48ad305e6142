import { expect } from 'vitest';
import type { Contracts, Refused, World } from './engine.fixture.js';

const one = async (world: World) => ({ params: { id: (await world.member()).id } });
const revoked: Refused = {
  what: 'the node is revoked',
  request: async (good, world) => {
    await world.make('revokeNode', good);
    return good;
  },
  ...{ status: 409, code: 'node-not-active' },
};
const badQueries = [{ wait: 'forever' }, { wait: -1 }, { wait: 3600 }];

export const CONFIG_CONTRACTS: Contracts = {
  getNodeWg0Conf: {
    good: one,
    status: 200,
    gives: (file: string) => expect(file).toContain('[Interface]'),
    badQueries,
    refused: [revoked],
  },
  getNodePeersConf: { good: one, status: 200, badQueries, refused: [revoked] },
  getNodeQrSvg: {
    good: one,
    status: 409,
    gives: (problem: object) => expect(problem).toMatchObject({ code: 'private-key-not-held' }),
  },
  getNetworkPeersConf: {
    good: async (world) => ({ params: { id: (await world.network()).id } }),
    status: 200,
    badQueries,
  },
};
