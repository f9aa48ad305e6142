import { expect } from 'vitest';
import { FakeAgent } from '../../testing/fake-agent.fixture.js';
import type { Contracts, World } from './engine.fixture.js';

/** An agent that has joined; nobody runs it. */
async function agent(world: World): Promise<{ params: { id: string } }> {
  const joined = await FakeAgent.join(await world.plane.token(), { name: world.name('agent') });
  joined.close();
  return { params: { id: joined.nodeId } };
}

export const KEY_ROTATION_CONTRACTS: Contracts = {
  rotateNodeKey: {
    good: agent,
    status: 200,
    gives: (node: object) => expect(node).toMatchObject({ rotateGeneration: 2, overlapUntil: null }),
    refused: [
      {
        what: 'it is a vanilla member, whose key is made where it runs',
        request: async (_, world) => ({ params: { id: (await world.member()).id } }),
        ...{ status: 409, code: 'vanilla-key' },
      },
      {
        what: 'it was revoked',
        request: async (good, world) => {
          await world.make('revokeNode', good);
          return good;
        },
        ...{ status: 409, code: 'node-not-active' },
      },
    ],
  },
};
