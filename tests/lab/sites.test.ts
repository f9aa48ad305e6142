import { fileURLToPath } from 'node:url';
import {
  addSite,
  createWorld,
  crossable,
  HOME_NAT,
  type Host,
  MOBILE_SITE,
  type NatKind,
  SITE_KINDS,
  type Site,
  type SiteKind,
  startCapture,
  type World,
  waitUntil,
} from '@warren/netlab';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';

const support = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));
const node = (host: Host, script: string, ...args: string[]) => host.run(process.execPath, [support(script), ...args]);

/** Sites, and what can happen to them, as the tests of paths need them. */
describeLab('sites', ['tcpdump', 'conntrack'], () => {
  let world: World;
  let servers: [Host, Host];
  const left: { name: string; site: Site; host: Host }[] = [];
  const right: typeof left = [];

  beforeAll(async () => {
    world = await createWorld({ name: 'sites' });
    servers = [await world.addHost({ name: 'server1' }), await world.addHost({ name: 'server2' })];
    for (const [server, other] of [servers, [...servers].reverse()] as [Host, Host][]) {
      const running = server.spawn(process.execPath, [support('probe-server.mjs'), other.ipv4]);
      await running.waitForOutput(/listening on 3479/, 10_000);
    }
    const introducing = servers[0].spawn(process.execPath, [support('punch-server.mjs')]);
    await introducing.waitForOutput(/introducing/, 10_000);
    const echo = servers[0].spawn(process.execPath, [support('tcp-echo.mjs'), 'serve', '443', '8443']);
    await echo.waitForOutput(/listening on 8443/, 10_000);
    for (const kind of SITE_KINDS) {
      const first = await place(`l-${kind.name}`, kind);
      left.push(first);
      // Both are customers of the same carrier: that is what hairpinning is for.
      const carrier = first.site.routers[1];
      right.push(await place(`r-${kind.name}`, kind, carrier ? { customerOf: carrier } : {}));
    }
  });
  afterAll(() => world?.close());

  async function place(name: string, kind: SiteKind, options = {}): Promise<{ name: string; site: Site; host: Host }> {
    const site = await addSite(world, { name, kind, ...options });
    return { name, site, host: await world.addHost({ name, on: site.segment }) };
  }
  const home = (name: string, nat: NatKind = HOME_NAT) =>
    place(name, { name, nats: [nat], mapping: 'none', filtering: 'none' });

  async function probe(host: Host, ...port: string[]): Promise<{ mapping: string; filtering: string; seen: string[] }> {
    const { stdout, stderr } = await node(host, 'probe.mjs', servers[0].ipv4, servers[1].ipv4, ...port);
    expect(stderr).toBe('');
    return JSON.parse(stdout);
  }
  const ask = async (host: Host, port: number, first: 'plain' | 'hello'): Promise<string> =>
    (await node(host, 'tcp-echo.mjs', 'ask', servers[0].ipv4, String(port), first)).stdout.trim();
  const udpWorks = async (host: Host): Promise<boolean> =>
    (await node(host, 'probe.mjs', servers[0].ipv4, servers[1].ipv4)).code === 0;

  it('look as their kinds say', async () => {
    // To a probe, no translation and no filter look like this.
    const none = 'endpoint-independent';
    const seen = await Promise.all(
      left.map(async ({ host, site }) => {
        const { mapping, filtering } = await probe(host);
        return { name: site.kind.name, mapping, filtering };
      }),
    );
    const expected = SITE_KINDS.map(({ name, mapping, filtering }) => ({
      name,
      mapping: mapping === 'none' ? none : mapping,
      filtering: filtering === 'none' ? none : filtering,
    }));
    expect(seen).toEqual(expected);
  });

  it('can be crossed by plain simultaneous opening exactly where the rule says so, in both orders', async () => {
    const partners = (sites: typeof left): string[] => sites.map(({ name }) => name);
    const run = async (one: (typeof left)[number], others: string[]): Promise<[string, string[]]> => {
      const { stdout, stderr } = await node(one.host, 'punch.mjs', servers[0].ipv4, one.name, ...others);
      expect(stderr).toBe('');
      return [one.name, JSON.parse(stdout)];
    };
    const reached = new Map(
      await Promise.all([
        ...left.map((one) => run(one, partners(right))),
        ...right.map((one) => run(one, partners(left))),
      ]),
    );
    const wrong: string[] = [];
    for (const a of left) {
      for (const b of right) {
        if (a.site.kind.race || b.site.kind.race) continue;
        const expected =
          crossable(a.site.kind, b.site.kind) && !(a.site.kind === b.site.kind && a.site.kind.name === 'carrier');
        for (const [from, to] of [[a, b] as const, [b, a] as const]) {
          if (reached.get(from.name)!.includes(to.name) !== expected)
            wrong.push(`${from.name} → ${to.name}: not ${expected}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('number the ports one after the other where they are sequential', async () => {
    const { host } = left.find(({ name }) => name === 'l-apd-apd-sequential')!;
    const ports = (await probe(host)).seen.map((seen) => Number(seen.split(':')[1]));
    // The probe's second socket takes a number in between.
    const steps = ports.slice(1).map((port, index) => port - ports[index]!);
    expect(
      steps.every((step) => step === 1 || step === 2),
      String(ports),
    ).toBe(true);
  });

  it('with open masquerade lose the port to an early packet, and without keep it', async () => {
    const seen: Record<string, string> = {};
    for (const input of ['input-dropped', 'input-accepted'] as const) {
      const { host, site } = await home(`early-${input}`, { masquerade: input });
      const to = { address: site.routers[0]!.outside.ipv4, port: 4000 };
      const early = JSON.stringify({ to, answer: {} });
      const script = `const s=require('dgram').createSocket('udp4');s.send('${early}',3478,'${servers[1].ipv4}',()=>s.close())`;
      await servers[0].run(process.execPath, ['-e', script]);
      seen[input] = (await probe(host, '4000')).mapping;
    }
    expect(seen).toEqual({ 'input-dropped': 'endpoint-independent', 'input-accepted': 'address-dependent' });
  });

  it('give two hosts behind one NAT, and two sites with the same range, what each needs', async () => {
    const { host, site } = await home('shared');
    const second = await world.addHost({ name: 'shared2', on: site.segment });
    const other = await home('overlapping');
    expect(other.host.ipv4).toBe(host.ipv4);
    const [a, b, c] = await Promise.all(
      [host, second, other.host].map(async (one) => (await probe(one, '5000')).seen[0]),
    );
    expect(new Set([a, b, c]).size).toBe(3);
    expect(a!.split(':')[0]).toBe(b!.split(':')[0]);
  });

  describe('when they change', () => {
    it('have forgotten everything after a reboot, and may have another address', async () => {
      const { host, site } = await home('rebooted', { ...HOME_NAT, ports: 'random' });
      const router = site.routers[0]!;
      const port = async (): Promise<string> => (await probe(host, '6000')).seen[0]!;
      const before = await port();
      expect(await port()).toBe(before);
      await router.reboot();
      const after = await port();
      expect(after).not.toBe(before);
      expect(after.split(':')[0]).toBe(before.split(':')[0]);
      const address = router.outside.ipv4;
      await router.reboot({ newAddress: true });
      expect((await port()).split(':')[0]).toBe(router.outside.ipv4);
      expect(router.outside.ipv4).not.toBe(address);
      expect(await host.ping(servers[0].ipv4)).toBe(true);
    });

    it('let hosts roam: to another site with another private address, and to a mobile one', async () => {
      const { host } = await home('roaming');
      const elsewhere = await addSite(world, { name: 'cafe', kind: SITE_KINDS[3]!, lan: '10.5.0.0/24' });
      const mobile = await addSite(world, { name: 'mobile', kind: MOBILE_SITE });
      const before = { ipv4: host.ipv4, seen: (await probe(host)).seen[0] };
      await host.moveTo(elsewhere.segment);
      expect(host.ipv4).toBe('10.5.0.2');
      expect((await probe(host)).seen[0]).not.toBe(before.seen);
      await host.moveTo(mobile.segment);
      expect(await probe(host)).toMatchObject({ mapping: MOBILE_SITE.mapping, filtering: MOBILE_SITE.filtering });
    });

    it('lose the signal and have it again, the host’s or the router’s', async () => {
      const { host, site } = await home('unplugged');
      const carrier = async (): Promise<string> =>
        (await host.run('cat', ['/sys/class/net/eth0/carrier'])).stdout.trim();
      expect(await carrier()).toBe('1');
      for (const set of [(up: boolean) => host.setLink(up), (up: boolean) => site.routers[0]!.setUplink(up)]) {
        await set(false);
        expect(await host.ping(servers[0].ipv4, { timeoutMs: 300 })).toBe(false);
        await set(true);
        expect(await host.ping(servers[0].ipv4, { count: 10 })).toBe(true);
      }
      await host.setLink(false);
      expect(await carrier()).toBe('0');
    });

    it('get another firewall, also for what flows already', async () => {
      const { host, site } = await home('firewalled');
      const router = site.routers[0]!;
      const held = host.spawn(process.execPath, [support('tcp-echo.mjs'), 'hold', servers[0].ipv4, '443']);
      await held.waitForOutput(/answer 1\b/, 5_000);
      const outcome = async () => {
        const [udp, plain443, tls443, plain8443] = await Promise.all([
          udpWorks(host),
          ask(host, 443, 'plain'),
          ask(host, 443, 'hello'),
          ask(host, 8443, 'plain'),
        ]);
        return { udp, plain443, tls443, plain8443 };
      };
      const open = { udp: true, plain443: 'answered', tls443: 'answered', plain8443: 'answered' };
      expect(await outcome()).toEqual(open);
      await router.setFirewall('udp-blocked');
      expect(await outcome()).toEqual({ ...open, udp: false });
      await router.setFirewall('tcp-443-only');
      expect(await outcome()).toEqual({ ...open, udp: false, plain8443: 'silence' });
      await router.setFirewall('tls-443-only');
      expect(await outcome()).toEqual({ udp: false, plain443: 'silence', tls443: 'answered', plain8443: 'silence' });
      const answers = (): number => held.stdout.split('answer').length;
      const now = answers();
      await waitUntil('the connection that was there before to go on', { timeoutMs: 5_000 }, () => answers() > now + 3);
      await router.setFirewall('open');
      expect(await outcome()).toEqual(open);
    });

    it('lose the share of packets that they are told to', async () => {
      const { host, site } = await home('lossy');
      await site.routers[0]!.setLoss(0.5);
      const { stdout } = await host.run('ping', ['-n', '-q', '-i', '0.01', '-c', '200', '-W', '1', servers[0].ipv4]);
      const received = Number(/(\d+) received/.exec(stdout)![1]);
      // Requests and answers: a quarter comes back; seven standard deviations either way.
      expect(received).toBeGreaterThan(5);
      expect(received).toBeLessThan(95);
      await site.routers[0]!.setLoss(0);
      expect(await host.run('ping', ['-n', '-q', '-i', '0.01', '-c', '100', servers[0].ipv4])).toMatchObject({
        code: 0,
      });
    });
  });

  it('can be listened to: a capture has the bytes of every packet', async () => {
    const capture = await startCapture(servers[0], { filter: 'icmp' });
    await servers[1].run('ping', ['-c', '3', '-i', '0.2', '-p', '6d61726b65726d61726b6572', servers[0].ipv4]);
    const bytes = await capture.stop();
    expect(bytes.toString('latin1').split('markermarker').length).toBeGreaterThan(6);
  });
});
