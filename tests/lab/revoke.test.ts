import { AgentNode, waitUntil } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { expectAllReached, useClassicMesh, without } from './support/classic-mesh.js';

/** The promise is a second for connected agents; `npm run bench -- revoke` measures it. */
const UNREACHABLE_MS = 5_000;
const ENDED_MS = 15_000;

describeLab('revoking a node', [], () => {
  const mesh = useClassicMesh();

  it('makes it unreachable from all others, and ends its agent', async () => {
    const { agents, all, control } = mesh();
    const { laptop } = agents;
    const others = without(all, 'laptop');
    await expectAllReached(all);
    await control.warrenOutput(['node', 'revoke', 'laptop']);
    await waitUntil('laptop to be unreachable', { timeoutMs: UNREACHABLE_MS }, async () => {
      const addresses = [laptop.ipv4, laptop.ipv6];
      const pings = others.flatMap(({ host }) => addresses.map((address) => host.ping(address, { timeoutMs: 500 })));
      return (await Promise.all(pings)).every((answered) => !answered);
    });
    const { code } = await laptop.process.waitForExit(ENDED_MS);
    expect(code).toBe(3);
    expect(laptop.process.stderr).toMatch(/revoked/);
    expect(await laptop.host.interfaces()).toEqual(['eth0']);
    await expectAllReached(others);
  });

  it('is what its status says from then on', async () => {
    const { laptop } = mesh().agents;
    const { code, stdout } = await laptop.command(['status', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'revoked' });
    const node = await mesh().control.warrenOutput(['node', 'show', 'laptop', '--json']);
    expect(JSON.parse(node)).toMatchObject({ name: 'laptop', status: 'revoked' });
  });

  it('keeps its keys out, whatever token they come with', async () => {
    const { agents, control } = mesh();
    const token = await control.createToken();
    const again = await agents.laptop.command(['join', '--token', token, '--name', 'laptop-again', '--foreground']);
    expect(again.code).toBe(3);
    expect(again.stderr).toMatch(/revoked/);
    expect(again.stderr.trim().split('\n')).toHaveLength(1);
    const up = await agents.laptop.command(['up', '--foreground']);
    expect(up.code).toBe(3);
  });

  it('does not hand its address to the next node', async () => {
    const { control, site, agents } = mesh();
    const host = await site.world.addHost({ name: 'newcomer' });
    const newcomer = await AgentNode.join(host, { name: 'newcomer', token: await control.createToken() });
    expect(newcomer.ipv4).not.toBe(agents.laptop.ipv4);
    expect(newcomer.ipv6).not.toBe(agents.laptop.ipv6);
    await expectAllReached([newcomer, ...without(mesh().all, 'laptop')]);
  });
});
