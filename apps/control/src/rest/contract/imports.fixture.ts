import { expect } from 'vitest';
import type { Contracts } from './engine.fixture.js';

export const IMPORT_CONTRACTS: Contracts = {
  importNetwork: {
    good: (world) => {
      const peer = `[Peer]\n# Name = hub\nPublicKey = ${world.publicKey()}\nEndpoint = 203.0.113.1:51820\nAllowedIPs = 10.61.0.0/24\n`;
      const text = `[Interface]\n# PublicKey = ${world.publicKey()}\nAddress = 10.61.0.5/32\n\n${peer}`;
      return {
        params: { id: world.name('imported') },
        body: { dryRun: false, cidrs: ['10.61.0.0/24'], files: [{ name: 'laptop.conf', text }] },
      };
    },
    status: 201,
    gives: (made: object) => expect(made).toMatchObject({ dryRun: false, cidrs: ['10.61.0.0/24'] }),
    badBodies: [{ files: [] }, { files: [{ name: '', text: '' }] }, { cidrs: [] }, { dryRun: 'no' }],
    // The name of a network that is to be made.
    unknown: null,
    refused: [
      {
        what: 'a private key was sent',
        request: (good, world) => ({
          ...good,
          body: { files: [{ name: 'x.conf', text: `[Interface]\nPrivateKey = ${world.publicKey()}\n` }] },
        }),
        ...{ status: 400, code: 'private-key-sent' },
      },
    ],
  },
  exportNetwork: {
    good: async (world) => {
      const { id } = await world.network();
      await world.member({ network: id });
      return { params: { id } };
    },
    status: 200,
    gives: ({ files }: { files: object[] }) => expect(files).toHaveLength(1),
  },
};
