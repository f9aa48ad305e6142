import { type PlacedAgent, SITE_KINDS, type SiteMesh, startPingStream } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeBrowser } from '../support/groups.js';
import { useDashboard } from './support/use-dashboard.js';

/** The goal is 10 s. */
const CHANGED_MS = 40_000;
const HOME = SITE_KINDS.find(({ name }) => name === 'ei-apd')!;

describeBrowser('paths on screen', [], () => {
  const dashboard = useDashboard({
    name: 'paths',
    control: { args: ['--agents', '0.0.0.0:8443,0.0.0.0:443'] },
    agentEnv: { WARREN_PORT_PREDICTION: 'off', WARREN_PORT_MAPPING: 'off' },
    populate: joinOffice,
  });

  it('a pair that goes from relay to direct does so on screen, and says why it was not', async () => {
    const { visit, parts } = dashboard();
    const { office, home } = parts;
    const stream = startPingStream(office.host, home.agent.ipv4, 100);
    try {
      await office.agent.waitForPath(
        'home',
        { what: 'relayed', timeoutMs: CHANGED_MS },
        ({ kind }) => kind === 'relay',
      );
      const [a, b] = await Promise.all([office, home].map(async ({ agent }) => (await agent.look()).node.id));
      const { page: table } = await visit('/n/default/topology?view=table&list=links');
      const { page: pair } = await visit(`/n/default/topology?node=${a}&peer=${b}`);
      const row = table.getByRole('row').filter({ hasText: 'office' }).filter({ hasText: 'home' });
      await row.filter({ hasText: 'Relay, TLS' }).waitFor();
      const panel = pair.getByRole('complementary');
      await panel.getByText('Relay, TLS').first().waitFor();
      await panel.getByRole('region', { name: 'Why' }).getByText(/UDP/).first().waitFor();

      await office.site.routers[0]!.setFirewall('open');
      await row.filter({ hasText: 'Direct' }).waitFor({ timeout: CHANGED_MS });
      await panel.getByText('Direct').first().waitFor();
      expect(await office.agent.pathTo('home')).toMatchObject({ kind: 'direct' });
      expect(stream.latest()).toBeGreaterThan(0);
    } finally {
      await stream.stop();
    }
  });
});

/** Two at homes; one of them has a router that lets no UDP through. */
async function joinOffice(mesh: SiteMesh): Promise<{ office: PlacedAgent; home: PlacedAgent }> {
  const [office, home] = (await mesh.joinAll(['office', 'home'].map((name) => ({ name, at: HOME })))) as [
    PlacedAgent,
    PlacedAgent,
  ];
  await office.agent.process.stop();
  await office.site.routers[0]!.setFirewall('udp-blocked');
  await office.agent.up();
  return { office, home };
}
