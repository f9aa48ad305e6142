import { HOME_NAT, type SiteKind } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { useSiteMesh } from './support/site-mesh.js';

const home = (hairpinning: boolean): SiteKind => ({
  name: hairpinning ? 'hairpin' : 'home',
  nats: [{ ...HOME_NAT, hairpinning }],
  mapping: 'endpoint-independent',
  filtering: 'address-and-port-dependent',
});
/** The goal is 1 s. */
const CEILING_MS = 8_000;

describeLab('two agents on the same LAN', [], () => {
  const world = useSiteMesh({ name: 'same-lan' }, async (mesh) => {
    const left = await mesh.join({ name: 'plain1', at: home(false) });
    const hairpin = await mesh.join({ name: 'hairpin1', at: home(true) });
    const [right, hairpin2, stranger] = await mesh.joinAll([
      { name: 'plain2', at: left.site },
      { name: 'hairpin2', at: hairpin.site },
      // The same range, and the same private address as the first one of `left`'s site.
      { name: 'stranger', at: home(false) },
    ]);
    return { left, right: right!, hairpin, hairpin2: hairpin2!, stranger: stranger! };
  });

  it.each(['plain', 'hairpin'] as const)('find each other there, router: %s', async (name) => {
    const { left, right, hairpin, hairpin2 } = world();
    const [one, other] = name === 'plain' ? [left, right] : [hairpin, hairpin2];
    const from = Date.now();
    expect(await one.host.ping(other.agent.ipv4, { count: 20 })).toBe(true);
    const wait = { what: 'over the LAN', timeoutMs: CEILING_MS, from };
    const onLan =
      (address: string) =>
      ({ kind, endpoint }: { kind: string; endpoint: string | null }) =>
        kind === 'direct' && endpoint === `${address}:51820`;
    const { afterMs } = await one.agent.waitForPath(other.agent.name, wait, onLan(other.host.ipv4));
    await other.agent.waitForPath(one.agent.name, wait, onLan(one.host.ipv4));
    console.log(`${name}: LAN path after ${afterMs} ms`);
  });

  it('are not mistaken for others with the same private addresses elsewhere', async () => {
    const { left, right, stranger } = world();
    expect(stranger.host.ipv4).toBe(left.host.ipv4);
    // Each of the two asks the address that is its neighbour's, or its own, and must not believe the answer.
    for (const [from, to] of [
      [right, stranger],
      [stranger, right],
      [left, stranger],
    ] as const) {
      expect(await from.host.ping(to.agent.ipv4, { count: 20 })).toBe(true);
      const wait = { what: 'direct through both routers', timeoutMs: CEILING_MS };
      const { path } = await from.agent.waitForPath(to.agent.name, wait, ({ kind }) => kind === 'direct');
      expect(path.endpoint).toMatch(new RegExp(`^${to.site.routers[0]!.outside.ipv4.replaceAll('.', '\\.')}:`));
    }
  });
});
