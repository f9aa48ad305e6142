import { randomBytes } from 'node:crypto';
import { type HostPort, publicKeyBytes } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { verifyTicket } from '@warren/identity';
import { Role } from '@warren/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import type { FakeStream } from '../testing/fake-stream.fixture.js';

let plane: TestPlane;
beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane.stop());

let names = 0;
async function join(role = Role.ROLE_CLIENT, endpoint = ''): Promise<FakeAgent> {
  names += 1;
  return FakeAgent.join(await plane.token(), { name: `node-${names}`, role, endpoint });
}
const pathKeyOf = (agent: FakeAgent): Buffer => Buffer.from(nobleProvider.publicKey(agent.keys.path.expose()));
const serverOf = (stream: FakeStream, id: string) => stream.self!.signalServers.find((server) => server.id === id);

describe('a bounce that runs a signal server', () => {
  it('is told of to everybody, itself too, with its path key, and again when something of it changed', async () => {
    const bounce = await join(Role.ROLE_BOUNCE, 'bounce.example:51820');
    const client = await join();
    const stream = await client.sync().synced();
    const own = await bounce.sync({ signalPort: 3478 }).synced();
    await until(() => Boolean(serverOf(stream, bounce.nodeId) && serverOf(own, bounce.nodeId)), 'it is listed');
    const listed = { name: bounce.request.name, udp: 'bounce.example:3478', tls: [], key: pathKeyOf(bounce) };
    expect(serverOf(stream, bounce.nodeId)).toMatchObject(listed);
    const { store } = plane.context;
    await store.updateNode(bounce.nodeId as never, { endpoint: '[2001:db8::1]:51820' as HostPort }, 'local');
    await until(() => serverOf(stream, bounce.nodeId)?.udp === '[2001:db8::1]:3478', 'its new address');
    const late = await (await join()).sync().synced();
    expect(serverOf(late, bounce.nodeId)?.udp).toBe('[2001:db8::1]:3478');
    own.cancel();
    await bounce.sync({ startGeneration: 2, signalPort: 0 }).synced();
    await until(() => serverOf(stream, bounce.nodeId) === undefined, 'it runs none any more');
    expect(stream.snapshots).toHaveLength(1);
    for (const each of [stream, late]) each.heartbeat();
    await until(() => stream.replies.length + late.replies.length === 2, 'replies');
    expect([stream.farewell, late.farewell]).toEqual([undefined, undefined]);
  });

  it('is listed in the answer to a join already', async () => {
    const bounce = await join(Role.ROLE_BOUNCE, '192.0.2.9:51820');
    const stream = await bounce.sync({ signalPort: 4000 }).synced();
    await until(() => serverOf(stream, bounce.nodeId) !== undefined, 'it is listed');
    const client = await join();
    expect(client.joined.self!.signalServers).toContainEqual(serverOf(stream, bounce.nodeId));
  });

  it('is refused with a port that is none; the port of anything else is not looked at', async () => {
    const bounce = await join(Role.ROLE_BOUNCE, '192.0.2.8:51820');
    expect((await bounce.sync({ signalPort: 65_536 }).synced()).ended).toBe('bad-request');
    const client = await join();
    const stream = await client.sync({ signalPort: 3478 }).synced();
    expect(serverOf(stream, client.nodeId)).toBeUndefined();
    expect(stream.ended).toBeUndefined();
  });
});

describe('tickets', () => {
  it('come after a stream began, signed by the authority that the join named, for the path key of the node', async () => {
    const agent = await join();
    for (const startGeneration of [1, 2]) {
      const stream = await agent.sync({ startGeneration }).synced();
      await until(() => stream.tickets.length > 0, 'a ticket');
      const ticket = verifyTicket(agent.joined.authorityKey, stream.tickets[0]!);
      expect(ticket).toMatchObject({ networkId: plane.network!.id, nodeId: agent.nodeId });
      expect(Buffer.from(publicKeyBytes(ticket!.pathKey))).toEqual(pathKeyOf(agent));
      const days = (ticket!.expiresAt - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(6.9);
      expect(days).toBeLessThanOrEqual(7);
      stream.cancel();
    }
  });
});

describe('signal servers that all networks share', () => {
  it('are told to everybody who is connected, wherever they stand', async () => {
    const { store, signals } = plane.context;
    const [one, two] = [await (await join()).sync().synced(), await (await join()).sync().synced()];
    const input = { udp: '198.51.100.1:3478' as HostPort, tls: ['198.51.100.1:443' as HostPort], key: randomBytes(32) };
    await store.announceSignalServer('control-elsewhere', 'elsewhere', input);
    await signals.refresh();
    await until(() => [one, two].every((stream) => serverOf(stream, 'control-elsewhere')), 'it is listed');
    expect(serverOf(one, 'control-elsewhere')).toEqual({
      ...{ id: 'control-elsewhere', name: 'elsewhere', udp: input.udp, tls: input.tls, key: input.key },
    });
    for (const stream of [one, two]) stream.heartbeat();
    await until(() => one.replies.length + two.replies.length === 2, 'replies');
    expect([one.farewell, two.farewell]).toEqual([undefined, undefined]);
  });
});
