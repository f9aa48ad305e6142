import tls from 'node:tls';
import { parseHostPort } from '@warren/base';
import type { TombstoneRow } from '@warren/db';
import { decodeTombstone } from '@warren/identity';
import { RELAY_ALPN, RELAY_SERVICE_NAME } from '@warren/signal';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import { answersStun } from '../testing/stun.fixture.js';
import { followTombstones } from './tombstone-feed.js';

let plane: TestPlane;
let agent: FakeAgent;
beforeAll(async () => {
  plane = await startTestPlane();
  agent = await FakeAgent.join(await plane.token(), { name: 'laptop' });
});
afterAll(async () => {
  agent?.close();
  await plane?.stop();
});

describe('the signal server of a control plane', () => {
  it('is told of to agents, and answers there by UDP and by TLS', async () => {
    const stream = await agent.sync().synced();
    const own = stream.self!.signalServers.find(({ id }) => id === 'control')!;
    expect(own.key).toHaveLength(32);
    expect(await answersStun(own.udp)).toBe(true);
    const { host, port } = parseHostPort(own.tls[0]!)!;
    const options = { host, port, ca: agent.root, servername: RELAY_SERVICE_NAME, ALPNProtocols: [RELAY_ALPN] };
    const socket = tls.connect(options);
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    expect(socket.alpnProtocol).toBe(RELAY_ALPN);
    socket.destroy();
  });

  it('is in the metrics and in the status', async () => {
    const { app } = plane.rest;
    const { payload } = await app.inject({ url: '/metrics' });
    for (const name of ['sessions', 'relayed_datagrams_total', 'relayed_bytes_total', 'drops_total']) {
      expect(payload).toContain(`# TYPE warren_signal_${name} `);
    }
    const headers = { authorization: `Bearer ${plane.firstApiKey}` };
    const status = (await app.inject({ url: '/api/v1/status', headers })).json();
    expect(status).toMatchObject({ stun: plane.context.about.stunAddress, relay: { sessions: 0, relayedBytes: 0 } });
    const load = { clients: 0, relayedBytes: 0, relayedRate: 0 };
    expect(status.signalServers).toMatchObject([{ id: 'control', kind: 'control', udp: status.stun, load }]);
  });
});

describe('revocations', () => {
  it('are handed to the signal server as they happen, each once', async () => {
    const { store } = plane.context;
    const seen: TombstoneRow[] = [];
    const feed = await followTombstones(store, (rows) => seen.push(...rows), pino({ level: 'silent' }));
    const nodes = await Promise.all([plane.vanilla('one'), plane.vanilla('two')]);
    for (const node of nodes) await store.revokeNode(node.id, 'admin');
    await until(() => seen.length === 2, 'both', 3_000);
    await plane.vanilla('three');
    await feed.close();
    expect(seen.map((row) => decodeTombstone(row.tombstone)?.nodeId)).toEqual(nodes.map(({ id }) => id));
  });

  it('that cannot be read at once are read later', async () => {
    let failures = 2;
    let tell = (_: never): void => {};
    const row = { tombstone: new Uint8Array(1), signature: new Uint8Array(64) };
    let revoked: TombstoneRow[] = [];
    const store = {
      onChange: async (listener: typeof tell) => {
        tell = listener;
        return { close: async () => {} };
      },
      tombstones: async (_: number, network?: string) => {
        if (network && failures-- > 0) throw new Error('away');
        return revoked;
      },
    };
    const seen: TombstoneRow[] = [];
    const feed = await followTombstones(store as never, (rows) => seen.push(...rows), pino({ level: 'silent' }));
    revoked = [row];
    tell('network' as never);
    await until(() => seen.length === 1, 'read in the end');
    await feed.close();
  });
});
