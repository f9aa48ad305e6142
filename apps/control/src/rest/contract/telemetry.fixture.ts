import { expect } from 'vitest';
import type { Contracts, World } from './engine.fixture.js';

const agent = async (world: World) => ({ params: { id: await world.agent() } });

/** What is in them is tested in telemetry.test.ts. */
export const TELEMETRY_CONTRACTS: Contracts = {
  getNetworkTopology: {
    good: async (world) => ({ params: { id: (await world.network()).id }, query: { traffic: true } }),
    status: 200,
    gives: (topology: object) => expect(topology).toMatchObject({ nodes: [], links: [] }),
    badQueries: [{ traffic: 'maybe' }],
  },
  getNodeTelemetry: {
    good: agent,
    status: 200,
    gives: (node: object) => expect(node).toMatchObject({ online: false, paths: [] }),
  },
  getNodeExplanation: {
    good: async (world) => ({ ...(await agent(world)), query: { peer: (await world.member()).id } }),
    status: 409,
    gives: (problem: object) => expect(problem).toMatchObject({ code: 'agent-offline' }),
    badQueries: [{ peer: '' }],
    refused: [
      {
        what: 'the peer is unknown',
        request: (good) => ({ ...good, query: { peer: 'nobody' } }),
        ...{ status: 404, code: 'not-found' },
      },
    ],
  },
};
