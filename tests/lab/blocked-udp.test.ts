import { type AgentPath, SITE_KINDS, startPingStream } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { useSiteMesh } from './support/site-mesh.js';

/** The goals are 2 s and 10 s. */
const RELAY_CEILING_MS = 15_000;
const DIRECT_CEILING_MS = 30_000;
const OVER_TLS = { what: 'relayed over TLS', timeoutMs: RELAY_CEILING_MS };
const isOverTls = ({ kind, transport }: AgentPath): boolean => kind === 'relay' && transport === 'tls';
const isDirect = ({ kind }: AgentPath): boolean => kind === 'direct';
const HOME = SITE_KINDS.find(({ name }) => name === 'ei-apd')!;

describeLab('where UDP is blocked', [], () => {
  const control = { args: ['--agents', '0.0.0.0:8443,0.0.0.0:443'] };
  const world = useSiteMesh({ name: 'blocked-udp', control }, async (mesh) => {
    const [office, home, hotel] = await mesh.joinAll(['office', 'home', 'hotel'].map((name) => ({ name, at: HOME })));
    return { office: office!, home: home!, hotel: hotel! };
  });

  it.each(['udp-blocked', 'tls-443-only'] as const)(
    'packets are relayed over TLS, and go direct when UDP is allowed again, without loss: %s',
    async (firewall) => {
      const { office, home, hotel } = world();
      const blocked = firewall === 'udp-blocked' ? office : hotel;
      await blocked.agent.process.stop();
      await blocked.site.routers[0]!.setFirewall(firewall);
      await blocked.agent.up();
      const stream = startPingStream(blocked.host, home.agent.ipv4, 10);
      try {
        const from = Date.now();
        await stream.waitForAnswers(1, RELAY_CEILING_MS);
        const first = Date.now() - from;
        await blocked.agent.waitForPath('home', OVER_TLS, isOverTls);
        await stream.waitForAnswers(200, 10_000);
        const settled = stream.latest();
        await blocked.site.routers[0]!.setFirewall('open');
        const open = { what: 'direct', timeoutMs: DIRECT_CEILING_MS };
        const { afterMs } = await blocked.agent.waitForPath('home', open, isDirect);
        await stream.waitForAnswers(200, 10_000);
        expect(stream.lostSince(settled)).toEqual([]);
        console.log(`${firewall}: relayed over TLS after ${first} ms; UDP again: direct after ${afterMs} ms`);
      } finally {
        await stream.stop();
      }
    },
    120_000,
  );

  it('a stream that flows when UDP is blocked goes on over TLS', async () => {
    const { office, home } = world();
    const stream = startPingStream(office.host, home.agent.ipv4, 10);
    try {
      await office.agent.waitForPath('home', { what: 'direct', timeoutMs: DIRECT_CEILING_MS }, isDirect);
      await stream.waitForAnswers(50, 10_000);
      const before = stream.latest();
      await office.site.routers[0]!.setFirewall('udp-blocked');
      const { afterMs } = await office.agent.waitForPath('home', OVER_TLS, isOverTls);
      await stream.waitForAnswers(100, RELAY_CEILING_MS);
      const lost = stream.lostSince(before).length * 10;
      expect(lost).toBeLessThan(RELAY_CEILING_MS);
      console.log(`UDP blocked under way: relayed over TLS after ${afterMs} ms, ${lost} ms of packets lost`);
    } finally {
      await stream.stop();
    }
  });

  it('two that have no UDP reach each other, and one joins where only TLS on 443 is let through', async () => {
    const { office, hotel, mesh } = world();
    await hotel.site.routers[0]!.setFirewall('tls-443-only');
    const guest = await mesh.join({ name: 'guest', at: hotel.site });
    const stream = startPingStream(guest.host, office.agent.ipv4, 50);
    try {
      const firstMs = await stream.waitForAnswers(1, RELAY_CEILING_MS);
      const ends = [guest.agent.pathTo('office'), office.agent.pathTo('guest')];
      for (const path of await Promise.all(ends)) expect(path).toMatchObject({ kind: 'relay', transport: 'tls' });
      console.log(`no UDP at either end: first packet after ${firstMs} ms`);
    } finally {
      await stream.stop();
    }
  });
});
