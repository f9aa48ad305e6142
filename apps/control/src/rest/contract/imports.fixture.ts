import { expect } from 'vitest';
import type { Contracts, Request, World } from './engine.fixture.js';

/** A server and a client that know each other. */
const twoFiles = (world: World): object => {
  const [server, client] = [world.publicKey(), world.publicKey()];
  const peer = (key: string, allowed: string) => `[Peer]\nPublicKey = ${key}\nAllowedIPs = ${allowed}\n`;
  return {
    files: [
      {
        name: 'server.conf',
        text: `[Interface]\n# PublicKey = ${server}\nAddress = 10.7.0.1/24\nListenPort = 51820\n${peer(client, '10.7.0.2/32')}`,
      },
      {
        name: 'client.conf',
        text: `[Interface]\n# PublicKey = ${client}\nAddress = 10.7.0.2/24\n${peer(server, '10.7.0.0/24')}Endpoint = a.example:51820\n`,
      },
    ],
  };
};
const good = (world: World): Request => ({ params: { id: world.name('moved') }, body: twoFiles(world) });
const conf = (text: string) => ({ files: [{ name: 'a.conf', text }] });

export const IMPORT_CONTRACTS: Contracts = {
  importNetwork: {
    good,
    status: 201,
    gives: (made: object, { params }) =>
      expect(made).toMatchObject({
        ...{ network: params!.id, networkId: expect.any(String), dryRun: false, cidrs: ['10.7.0.0/24'] },
        nodes: [
          { name: 'client', role: 'client', addresses: ['10.7.0.2'], file: 'client.conf' },
          { name: 'server', role: 'bounce', addresses: ['10.7.0.1'], endpoint: 'a.example:51820' },
        ],
      }),
    badBodies: [
      { files: [] },
      { files: [{ name: '', text: '' }] },
      { files: [{ name: 'a\u0007', text: '' }] },
      { files: [{ name: 'a.conf' }] },
      { endpoints: { server: 'nowhere' } },
      { cidrs: [] },
    ],
    refused: [
      {
        what: 'a file holds a private key',
        request: (request, world) => ({ ...request, body: conf(`[Interface]\nPrivateKey = ${world.publicKey()}`) }),
        ...{ status: 400, code: 'private-key-sent' },
      },
      {
        what: 'the files contradict each other',
        request: (request) => ({ ...request, body: conf('[Interface]\nnonsense') }),
        ...{ status: 409, code: 'import-conflict' },
      },
      {
        what: 'the network has members, also when it is only tried',
        request: async (request, world) => {
          await world.make('importNetwork', request);
          return { ...request, body: { ...twoFiles(world), dryRun: true } };
        },
        ...{ status: 409, code: 'network-not-empty' },
      },
    ],
    // By a name that is none yet it is made.
    unknown: null,
  },
  exportNetwork: {
    good: async (world) => {
      const request = good(world);
      await world.make('importNetwork', request);
      return { params: request.params! };
    },
    status: 200,
    gives: ({ files }: { files: { node: string; text: string }[] }) => {
      expect(files.map(({ node }) => node)).toEqual(['client', 'server']);
      for (const { text } of files) expect(text).toContain('PrivateKey = PUT-THE-PRIVATE-KEY-HERE');
    },
  },
};
