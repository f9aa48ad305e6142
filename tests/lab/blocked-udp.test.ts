import { SITE_KINDS, startPingStream } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { useSiteMesh } from './support/site-mesh.js';

/** The goals are 2 s and 10 s. */
const RELAY_CEILING_MS = 15_000;
const DIRECT_CEILING_MS = 30_000;
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
        const tls = ({ kind, transport }: { kind: string; transport: string | null }): boolean =>
          kind === 'relay' && transport === 'tls';
        await stream.waitForAnswers(1, RELAY_CEILING_MS);
        const first = Date.now() - from;
        await blocked.agent.waitForPath('home', { what: 'relayed over TLS', timeoutMs: RELAY_CEILING_MS }, tls);
        await stream.waitForAnswers(200, 10_000);
        const settled = stream.latest();
        await blocked.site.routers[0]!.setFirewall('open');
        const open = { what: 'direct', timeoutMs: DIRECT_CEILING_MS };
        const { afterMs } = await blocked.agent.waitForPath('home', open, ({ kind }) => kind === 'direct');
        await stream.waitForAnswers(200, 10_000);
        expect(stream.lostSince(settled)).toEqual([]);
        console.log(`${firewall}: relayed over TLS after ${first} ms; UDP again: direct after ${afterMs} ms`);
      } finally {
        await stream.stop();
      }
    },
    120_000,
  );
});
