import { createWorld, execute, type World } from '@warren/netlab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { createPair, LISTEN_PORT, pingStream } from '../support/pair.js';
import { WarrenNode } from '../support/warren-node.js';

const ONCE = { sent: 1, received: 1 };

/** Addresses on a cable between the two hosts. */
const LAN = {
  4: { address: (host: number) => `10.90.0.${host}`, length: 24, flags: '' },
  6: { address: (host: number) => `fd90::${host}`, length: 64, flags: 'nodad' },
} as const;

describeLab('the source address of outer datagrams', [], () => {
  let world: World;
  let made = 0;
  beforeAll(async () => {
    world = await createWorld({ name: 'sticky-source' });
  });
  afterAll(() => world?.close());

  /** The initiator has address 1, the responder 2 and 3, and the initiator sends to the last given. */
  const start = async (outer: 4 | 6, packetPath: 'plain' | 'offload', target: 2 | 3) => {
    const number = ++made;
    const initiator = await world.addHost({ name: `initiator-${number}` });
    const responder = await world.addHost({ name: `responder-${number}` });
    const [here, there] = [initiator, responder].map(({ namespaceName }) => namespaceName);
    const cable = ['link', 'add', 'lan0', 'netns', here!, 'type', 'veth', 'peer', 'name', 'lan0', 'netns', there!];
    expect(await execute('ip', cable)).toMatchObject({ code: 0 });
    const { address, length, flags } = LAN[outer];
    const add = (host: number) => `address add ${address(host)}/${length} dev lan0 ${flags}`;
    await initiator.configure(['link set lan0 up', add(1)]);
    await responder.configure(['link set lan0 up', add(2), add(3)]);
    await initiator.run('sysctl', ['-q', '-w', 'net.ipv4.conf.lan0.promote_secondaries=1']);

    const pair = createPair({ initiator, responder, outer, number });
    const endpoint = outer === 4 ? `${address(target)}:${LISTEN_PORT}` : `[${address(target)}]:${LISTEN_PORT}`;
    const env = { WARREN_DATAPLANE: packetPath };
    const peers = pair.initiator.peers.map((peer) => ({ ...peer, endpoint }));
    const nodes = {
      responder: await WarrenNode.start(responder, pair.responder, { env }),
      initiator: await WarrenNode.start(initiator, { ...pair.initiator, peers }, { env }),
    };
    expect((await nodes.initiator.stats()).path).toBe(packetPath);
    return { initiator, responder, inner: pair.inner, nodes, endpoint };
  };

  for (const packetPath of ['plain', 'offload'] as const) {
    for (const outer of [4, 6] as const) {
      describe(`IPv${outer}, ${packetPath} path`, () => {
        it('follows at once when the address that it had goes away', async () => {
          const { initiator, responder, inner, nodes } = await start(outer, packetPath, 2);
          expect(await pingStream(initiator, inner.responder[4], 3)).toEqual({ sent: 3, received: 3 });
          const { address, length, flags } = LAN[outer];
          await initiator.configure([
            `address add ${address(10)}/${length} dev lan0 ${flags}`,
            `address delete ${address(1)}/${length} dev lan0`,
          ]);
          expect(await pingStream(initiator, inner.responder[4], 1)).toEqual(ONCE);
          expect(await pingStream(responder, inner.initiator[4], 1)).toEqual(ONCE);
          expect((await nodes.responder.stats()).peers[0]?.endpoint).toContain(address(10));
        });

        it('is the one that the other side sent to', async () => {
          const { initiator, responder, inner, nodes, endpoint } = await start(outer, packetPath, 3);
          expect(await pingStream(initiator, inner.responder[4], 3)).toEqual({ sent: 3, received: 3 });
          expect(await pingStream(responder, inner.initiator[4], 3)).toEqual({ sent: 3, received: 3 });
          // Had an answer come from the other address, the initiator would have followed it.
          expect((await nodes.initiator.stats()).peers[0]?.endpoint).toBe(endpoint);
        });
      });
    }
  }
});
