import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createWorld, type Host, type NatBehaviour, type World } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';

const BEHAVIOURS: readonly NatBehaviour[] = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'];
const support = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));

interface Probe {
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
  readonly seen: readonly string[];
  readonly preserved: boolean;
}

describeLab('NAT routers', [], () => {
  let world: World;
  let servers: [Host, Host];
  let routers = 0;

  beforeAll(async () => {
    world = await createWorld({ name: 'nat' });
    servers = [await world.addHost({ name: 'server1' }), await world.addHost({ name: 'server2' })];
    for (const [server, other] of [servers, [...servers].reverse()] as [Host, Host][]) {
      const running = server.spawn(process.execPath, [support('probe-server.mjs'), other.ipv4]);
      await running.waitForOutput(/listening on 3479/, 10_000);
    }
  });
  afterAll(() => world?.close());

  async function probe(host: Host, sourcePort: number[] = []): Promise<Probe> {
    const args = [support('probe.mjs'), ...servers.map((server) => server.ipv4), ...sourcePort.map(String)];
    const { stdout, stderr, code } = await host.run(process.execPath, args);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    return JSON.parse(stdout) as Probe;
  }

  async function site(nat: Parameters<World['addRouter']>[0]['nat'], hosts = 1): Promise<Host[]> {
    const number = routers++;
    const router = await world.addRouter({ name: `router${number}`, nat, lan: '192.168.1.0/24' });
    const names = Array.from({ length: hosts }, (_, index) => `host${number}-${index}`);
    const made: Host[] = [];
    for (const name of names) made.push(await world.addHost({ name, on: router }));
    return made;
  }

  const kinds = BEHAVIOURS.flatMap((mapping) => BEHAVIOURS.map((filtering) => ({ mapping, filtering })));
  it.each(kinds)('map $mapping and filter $filtering as they are told to', async (kind) => {
    const [host] = await site(kind);
    expect(await probe(host!)).toMatchObject(kind);
  });

  it('keep the port with `preserved` and change it with `random`', async () => {
    const [preserved] = await site({ mapping: 'endpoint-independent', filtering: 'endpoint-independent' });
    const [random] = await site({
      mapping: 'endpoint-independent',
      filtering: 'endpoint-independent',
      ports: 'random',
    });
    expect((await probe(preserved!, [51820])).preserved).toBe(true);
    expect((await probe(random!, [51820])).preserved).toBe(false);
  });

  it('give two hosts with the same source port two outer ports', async () => {
    const hosts = await site({ mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' }, 2);
    const first = await probe(hosts[0]!, [51820]);
    const second = await probe(hosts[1]!, [51820]);
    expect([first.mapping, second.mapping]).toEqual(['endpoint-independent', 'endpoint-independent']);
    expect(second.seen[0]).not.toBe(first.seen[0]);
  });

  it('in a row behave as the stricter of the two', async () => {
    const carrier = await world.addRouter({
      name: 'carrier',
      nat: { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent', ports: 'random' },
      lan: '100.64.0.0/24',
    });
    const tethered = await world.addRouter({
      name: 'tethered',
      nat: { mapping: 'endpoint-independent', filtering: 'endpoint-independent' },
      lan: '192.168.1.0/24',
      upstream: carrier,
    });
    const host = await world.addHost({ name: 'phone', on: tethered });
    expect(await probe(host)).toMatchObject({
      mapping: 'address-and-port-dependent',
      filtering: 'address-and-port-dependent',
    });
  });

  it('let the inside out, over TCP and ICMP too, and nothing in', async () => {
    const [host] = await site({ mapping: 'endpoint-independent', filtering: 'endpoint-independent' });
    expect(await host!.ping(servers[0].ipv4)).toBe(true);
    expect(await servers[0].ping(host!.ipv4)).toBe(false);
  });

  it('block UDP alone when told to', async () => {
    const router = await world.addRouter({
      name: 'strict',
      nat: { mapping: 'endpoint-independent', filtering: 'endpoint-independent' },
      lan: '192.168.1.0/24',
      firewall: 'udp-blocked',
    });
    const host = await world.addHost({ name: 'office', on: router });
    expect(await host.ping(servers[0].ipv4)).toBe(true);
    const args = [support('probe.mjs'), ...servers.map((server) => server.ipv4)];
    expect((await host.run(process.execPath, args)).code).not.toBe(0);
  });

  it('with IPv6 route a prefix of the site behind a firewall', async () => {
    const nat = { mapping: 'endpoint-independent', filtering: 'endpoint-independent' } as const;
    const router = await world.addRouter({ name: 'dual', nat, lan: '192.168.1.0/24', ipv6: true });
    const host = await world.addHost({ name: 'dualhost', on: router });
    expect(await host.ping(servers[0].ipv6!)).toBe(true);
    expect(await servers[0].ping(host.ipv6!)).toBe(false);
  });
});

describeLab('hairpinning', [], () => {
  it('happens only where it is switched on', async () => {
    const world = await createWorld({ name: 'hairpin' });
    try {
      const server = await world.addHost({ name: 'server' });
      const running = server.spawn(process.execPath, [support('probe-server.mjs'), server.ipv4]);
      await running.waitForOutput(/listening on 3479/, 10_000);
      const outcome: Record<string, string> = {};
      for (const hairpinning of [true, false]) {
        const name = hairpinning ? 'with' : 'without';
        const nat = { mapping: 'endpoint-independent', filtering: 'endpoint-independent', hairpinning } as const;
        const router = await world.addRouter({ name, nat, lan: '192.168.1.0/24' });
        const hosts = [
          await world.addHost({ name: `${name}1`, on: router }),
          await world.addHost({ name: `${name}2`, on: router }),
        ];
        const listener = hosts[0]!.spawn(process.execPath, [support('hairpin.mjs'), 'listen', server.ipv4]);
        const [, endpoint] = await listener.waitForOutput(/outside (\S+)/, 10_000);
        const sender = await hosts[1]!.run(process.execPath, [support('hairpin.mjs'), 'send', endpoint!]);
        outcome[name] = sender.stdout.trim();
      }
      expect(outcome).toEqual({ with: 'answered', without: 'silence' });
    } finally {
      await world.close();
    }
  });
});

describeLab('a world', [], () => {
  it('leaves nothing behind when it is closed, and may be closed twice', async () => {
    const world = await createWorld({ name: 'closed', graceMs: 300 });
    const host = await world.addHost({ name: 'host' });
    const program = host.spawn('sh', ['-c', "trap '' TERM; (sleep 1000 &); echo up; while :; do sleep 1; done"]);
    await program.waitForOutput(/up/, 5_000);
    await Promise.all([world.close(), world.close()]);
    expectGone({ prefix: world.prefix, dir: world.dir, pid: program.pid });
  });

  it('that was killed with -9 is removed when the next one is made', async () => {
    const holder = spawn(process.execPath, [support('hold-world.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(holder.stdout), 'line')) as [string];
    const left = JSON.parse(line) as Left;
    expect(namespaces(left.prefix)).toHaveLength(3);
    // From here on any world that is made, also by a test beside this one, takes it down.
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    // Two at once, because both find the same leftovers.
    const next = await Promise.all([createWorld({ name: 'next' }), createWorld({ name: 'other' })]);
    try {
      expectGone(left);
    } finally {
      await Promise.all(next.map((world) => world.close()));
    }
  });

  it('of a living process is left alone by another', async () => {
    const world = await createWorld({ name: 'first' });
    const other = await createWorld({ name: 'second' });
    await other.close();
    expect(namespaces(world.prefix)).toHaveLength(1);
    await world.close();
  });

  it('of a process that got SIGTERM is closed', async () => {
    const holder = spawn(process.execPath, [support('hold-world.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(holder.stdout), 'line')) as [string];
    holder.kill('SIGTERM');
    const [, signal] = (await once(holder, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGTERM');
    expectGone(JSON.parse(line) as Left);
  });
});

interface Left {
  readonly prefix: string;
  readonly dir: string;
  readonly pid: number;
}

const namespaces = (prefix: string): string[] => readdirSync('/run/netns').filter((name) => name.startsWith(prefix));

function expectGone(left: Left): void {
  expect(namespaces(left.prefix)).toEqual([]);
  expect(existsSync(left.dir)).toBe(false);
  expect(isRunning(left.pid)).toBe(false);
}

/** A process that only waits for init to reap it does not run. */
function isRunning(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) Z /.test(readFileSync(stat, 'utf8'));
}
