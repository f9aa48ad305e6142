import { pingMatrix, waitUntil } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { expectAllReached, SOAK, unreached, useClassicMesh, without } from './support/classic-mesh.js';

const OUTAGE_MS = SOAK ? 300_000 : 15_000;
const RECONNECT_MS = 60_000;

describeLab('while the control plane is down', [], () => {
  const mesh = useClassicMesh();

  it(
    'all pairs go on',
    async () => {
      const { all, control } = mesh();
      await expectAllReached(all);
      control.process.kill('SIGKILL');
      await control.process.waitForExit(5_000);
      // It relayed, too: what went by it goes by the bounce from now on.
      await expectAllReached(all);
      for (const end = Date.now() + OUTAGE_MS; Date.now() < end; ) {
        const round = await pingMatrix(all, 3_000);
        expect(unreached(round)).toEqual([]);
      }
      const { agents } = mesh();
      await agents.phone.waitForStatus('offline', 30_000, ({ state }) => state === 'offline');
    },
    OUTAGE_MS + 90_000,
  );

  it('agents start from what they know: after an orderly end, and after kill -9', async () => {
    const { all, agents } = mesh();
    await agents.laptop.process.stop();
    expect(await agents.laptop.host.interfaces()).toEqual(['eth0']);
    agents['public-server1'].process.kill('SIGKILL');
    await agents['public-server1'].process.waitForExit(5_000);
    await Promise.all([agents.laptop.up(), agents['public-server1'].up()]);
    await expectAllReached(all, 30_000);
    await agents.laptop.waitForStatus('offline', 30_000, ({ state }) => state === 'offline');
  });

  it('nothing is lost: once it is back, agents reconnect and a revocation is applied everywhere', async () => {
    const { all, agents, control } = mesh();
    await control.restart();
    const running = all.map((agent) =>
      agent.waitForStatus(
        'connected',
        RECONNECT_MS,
        ({ state, control: link }) => state === 'running' && link.connected,
      ),
    );
    await Promise.all(running);
    await control.warrenOutput(['node', 'revoke', 'phone']);
    await waitUntil('phone to be unreachable', { timeoutMs: 5_000 }, async () => {
      const pings = without(all, 'phone').map(({ host }) => host.ping(agents.phone.ipv4, { timeoutMs: 500 }));
      return (await Promise.all(pings)).every((answered) => !answered);
    });
    expect((await agents.phone.process.waitForExit(15_000)).code).toBe(3);
    await expectAllReached(without(all, 'phone'));
  });
});
