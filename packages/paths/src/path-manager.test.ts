import type { Endpoint } from '@warren/base';
import { boxesReady } from '@warren/crypto/boxes';
import { beforeAll, describe, expect, it } from 'vitest';
import type { NatKind } from './path-manager-api.js';
import { FakeHost } from './testing/fake-host.js';
import { FakeNat } from './testing/fake-nat.js';
import { FakeNetwork } from './testing/fake-network.js';
import { FakeServer } from './testing/fake-server.js';

const EI = 'endpoint-independent' as const;
const AD = 'address-dependent' as const;
const APD = 'address-and-port-dependent' as const;
const kind = (mapping: NatKind['mapping'], filtering: NatKind['filtering']): NatKind => ({ mapping, filtering });
const at = (text: string) => text as Endpoint;

beforeAll(() => boxesReady);

const twoServers = () => [
  new FakeServer('s1', at('203.0.113.1:3478')),
  new FakeServer('s2', at('203.0.113.2:3478'), 15),
];

/** Two hosts, each behind a NAT of its own, registered and introduced. */
function pair(a: NatKind | undefined, b: NatKind | undefined, servers = twoServers()) {
  const network = new FakeNetwork(servers);
  const natA = a && new FakeNat('198.51.100.1' as never, a);
  const natB = b && new FakeNat('198.51.100.2' as never, b);
  const alice = network.add(natA ? '192.168.1.2' : '198.51.100.11', natA);
  const bob = network.add(natB ? '192.168.1.3' : '198.51.100.12', natB);
  for (const host of [alice, bob]) network.start(host);
  network.introduce(alice, bob);
  return { network, alice, bob, natA, natB, servers };
}

const isDirect = (a: FakeHost, b: FakeHost): boolean => a.pathTo(b)?.kind === 'udp';

/** Sends until the path is direct. @throws when it is not within `ms`. */
function untilDirect(network: FakeNetwork, a: FakeHost, b: FakeHost, ms: number): void {
  const sendAndLook = (): boolean => {
    a.send(b);
    return isDirect(a, b);
  };
  network.until(sendAndLook, ms, 'a direct path');
}

/** A hundred datagrams a second from one to the other. @returns how many were lost. */
function stream(network: FakeNetwork, from: FakeHost, to: FakeHost, ms: number): number {
  const sent: number[] = [];
  for (let passed = 0; passed < ms; passed += 10) {
    sent.push(from.send(to));
    network.pass(10);
  }
  network.pass(200);
  return sent.filter((sequence) => !to.received.has(sequence)).length;
}

describe('registration and relay', () => {
  it('registers at two servers and says at once that peers are reachable over a relay', () => {
    const { network, alice, bob } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(100);
    expect(alice.manager.servers().filter(({ registered }) => registered)).toHaveLength(2);
    expect(alice.events.map(({ type }) => type)).toContain('reachable');
    expect(alice.pathTo(bob)?.kind).toBe('relay');
  });

  it('delivers the first datagram over the relay', () => {
    const { network, alice, bob } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(100);
    const sequence = alice.send(bob);
    network.pass(60);
    expect(bob.received).toContain(sequence);
  });
});

describe('presence', () => {
  it('shows whether a silent peer is there when it is asked, and not more often than it should be', () => {
    const { network, alice, bob } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(100);
    const proven = () => alice.manager.report(bob.publicKey, network.now)?.proven;
    expect(proven()).toBe(false);
    expect(alice.manager.inquire(network.now)).toBe(1);
    expect(alice.manager.inquire(network.now)).toBe(0);
    alice.drain();
    network.pass(100);
    expect(proven()).toBe(true);
    expect(isDirect(alice, bob)).toBe(false);
    network.cut = (from) => from === bob;
    network.pass(200_000);
    expect(proven()).toBe(false);
    expect(alice.manager.inquire(network.now)).toBe(1);
    alice.drain();
    network.pass(1_000);
    expect(proven()).toBe(false);
  });

  it('is kept fresh by asking those that were heard before, and only when they were silent for as long as is said', () => {
    const { network, alice, bob } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(100);
    const ask = () => alice.manager.inquire(network.now, 120_000);
    expect(ask()).toBe(0);
    alice.manager.inquire(network.now);
    alice.drain();
    network.pass(100_000);
    expect(ask()).toBe(0);
    network.pass(21_000);
    expect(ask()).toBe(1);
    alice.drain();
    network.pass(100_000);
    expect(alice.manager.report(bob.publicKey, network.now)?.proven).toBe(true);
  });
});

describe('direct paths', () => {
  const kinds = [undefined, kind(EI, EI), kind(EI, AD), kind(EI, APD), kind(AD, AD), kind(AD, APD), kind(APD, APD)];
  const table = kinds.flatMap((a) => kinds.map((b) => [a, b] as const));
  const name = (nat: NatKind | undefined) => nat && `${nat.mapping}/${nat.filtering}`;
  it.each(table.map(([a, b]) => ({ a, b, title: `${name(a)} × ${name(b)}` })))('$title', async ({ a, b }) => {
    const { canPunch } = await import('./nat-rule.js');
    const none = kind('none', 'none');
    const possible = canPunch(a ?? none, b ?? none);
    const { network, alice, bob } = pair(a, b);
    network.pass(200);
    const lost = stream(network, alice, bob, 3_000);
    expect(lost).toBe(0);
    expect([isDirect(alice, bob), isDirect(bob, alice)]).toEqual([possible, possible]);
  });
});

describe('long silence', () => {
  it('loses nothing that is sent after a long silence in which the NAT forgot the path', () => {
    const { network, alice, bob, natB } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(200);
    untilDirect(network, alice, bob, 3_000);
    network.pass(200_000);
    expect(alice.manager.report(bob.publicKey, network.now)?.also?.kind).toBe('relay');
    network.cut = (from, to) => from instanceof FakeHost && to.startsWith(natB!.address);
    expect(stream(network, alice, bob, 1_000)).toBe(0);
  });
});

describe('movement', () => {
  const seconds = (direct: ReturnType<typeof pair>): void => {
    const { network, alice, bob } = direct;
    network.pass(200);
    stream(network, alice, bob, 2_000);
    expect(isDirect(alice, bob)).toBe(true);
  };

  it('loses nothing between relay and direct', () => {
    const { network, alice, bob } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(200);
    expect(stream(network, alice, bob, 3_000)).toBe(0);
    expect(isDirect(alice, bob)).toBe(true);
  });

  it('is on the relay within a second when the direct path breaks, and direct again within two of its return', () => {
    const rig = pair(kind(EI, APD), kind(EI, APD));
    seconds(rig);
    const { network, alice, bob, natB } = rig;
    network.cut = (from, to) => from instanceof FakeHost && to.startsWith(natB!.address);
    expect(stream(network, alice, bob, 3_000)).toBeLessThan(75);
    network.cut = () => false;
    untilDirect(network, alice, bob, 2_000);
  });

  it.each([['sender'], ['receiver']])('survives a reboot of the NAT of the %s with another address', (who) => {
    const rig = pair(kind(EI, APD), kind(EI, APD));
    seconds(rig);
    const { network, alice, bob } = rig;
    const nat = who === 'sender' ? rig.natA! : rig.natB!;
    nat.reboot('198.51.100.77' as never);
    const lost = stream(network, alice, bob, 3_000);
    expect(lost).toBeLessThan(150);
    expect(stream(network, alice, bob, 500)).toBe(0);
    expect([isDirect(alice, bob), isDirect(bob, alice)]).toEqual([true, true]);
  });

  it('follows an announced change of the network at once', () => {
    const rig = pair(kind(EI, APD), kind(EI, APD));
    seconds(rig);
    const { network, alice, bob } = rig;
    alice.address = '192.168.7.7' as never;
    alice.sayAddress();
    alice.manager.networkChanged(network.now);
    alice.drain();
    expect(stream(network, bob, alice, 2_000)).toBeLessThan(30);
    expect([isDirect(alice, bob), isDirect(bob, alice)]).toEqual([true, true]);
  });

  it('notices a dead server without traffic when it is told to ask', () => {
    const { network, alice, servers } = pair(kind(APD, APD), kind(APD, APD));
    network.pass(200);
    servers[0]!.alive = false;
    const registered = (): number => alice.manager.servers().filter((server) => server.registered).length;
    network.pass(2_000);
    expect(registered()).toBe(2);
    alice.manager.askServers(network.now);
    alice.drain();
    network.pass(2_000);
    expect(registered()).toBe(1);
  });

  it.each([[0], [1]])('goes on over another server when server %i dies while it relays', (dead) => {
    const { network, alice, bob, servers } = pair(kind(APD, APD), kind(APD, APD));
    network.pass(200);
    stream(network, alice, bob, 2_000);
    servers[dead]!.alive = false;
    stream(network, alice, bob, 2_000);
    expect(stream(network, alice, bob, 1_000)).toBe(0);
  });
});

describe('streams', () => {
  it('relays over TLS within two seconds when UDP is blocked, and is direct when it is allowed again', () => {
    const servers = [new FakeServer('s1', at('203.0.113.1:3478'), 10, { tls: true })];
    const network = new FakeNetwork(servers);
    const nats = ['198.51.100.1', '198.51.100.2'].map((address) => new FakeNat(address as never, kind(EI, APD)));
    const alice = network.add('192.168.1.2', nats[0]);
    const bob = network.add('192.168.1.3', nats[1]);
    alice.udpBlocked = true;
    for (const host of [alice, bob]) network.start(host);
    network.introduce(alice, bob);
    network.until(() => alice.pathTo(bob)?.kind === 'relay', 2_000, 'a relay');
    network.pass(100);
    expect(stream(network, alice, bob, 1_000)).toBe(0);
    expect(alice.manager.servers()[0]?.transport).toBe('tls');
    expect(alice.manager.report(bob.publicKey, network.now)?.reason).toMatch(/UDP is blocked/);
    alice.udpBlocked = false;
    untilDirect(network, alice, bob, 10_000);
  });
});

describe('one LAN', () => {
  it('finds the LAN path within a second, without hairpinning', () => {
    const network = new FakeNetwork(twoServers());
    const nat = new FakeNat('198.51.100.1' as never, kind(EI, APD));
    const alice = network.add('192.168.1.2', nat);
    const bob = network.add('192.168.1.3', nat);
    for (const host of [alice, bob]) network.start(host);
    network.introduce(alice, bob);
    network.pass(200);
    untilDirect(network, alice, bob, 1_000);
    expect(alice.manager.report(bob.publicKey, network.now)?.candidateKind).toBe('host');
  });

  it('does not mistake the same private address elsewhere for the peer', () => {
    const { network, alice, bob } = pair(kind(EI, APD), kind(EI, APD));
    const stranger = network.add(bob.address, alice.nat);
    network.start(stranger);
    network.pass(200);
    expect(stream(network, alice, bob, 2_000)).toBe(0);
    const report = alice.manager.report(bob.publicKey, network.now)!;
    expect(report.candidateKind).toBe('server-reflexive');
    expect(report.candidates.find(({ kind: of }) => of === 'host')?.result).toBe('no-answer');
  });
});

describe('idleness', () => {
  it('sends keepalives to servers only, and nothing for peers without traffic', () => {
    const { network, alice } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(1_000);
    const before = alice.probes;
    network.pass(600_000);
    expect(alice.probes - before).toBeLessThanOrEqual(2 * 25);
  });

  it('falls silent two minutes after the last traffic', () => {
    const { network, alice, bob } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(200);
    stream(network, alice, bob, 2_000);
    network.pass(130_000);
    const before = alice.probes;
    network.pass(300_000);
    expect(alice.probes - before).toBeLessThanOrEqual(2 * 13);
  });

  it('sends on both when a path is used again after long', () => {
    const { network, alice, bob, natA, natB } = pair(kind(EI, APD), kind(EI, APD));
    network.pass(200);
    stream(network, alice, bob, 2_000);
    network.pass(300_000);
    for (const nat of [natA, natB]) nat!.reboot();
    network.pass(30_000);
    expect(stream(network, alice, bob, 3_000)).toBe(0);
    expect(isDirect(alice, bob)).toBe(true);
  });
});

describe('servers', () => {
  it('measures how far all are, and registers at the nearest too', () => {
    const servers = [1, 2, 3, 4, 5, 6].map((n) => new FakeServer(`s${n}`, at(`203.0.113.${n}:3478`), 40));
    const network = new FakeNetwork(servers);
    const alice = network.add('198.51.100.11');
    network.start(alice);
    network.pass(1_000);
    const homes = alice.manager.servers().filter(({ registered }) => registered);
    expect(homes).toHaveLength(2);
    const near = servers.find(({ id }) => homes.every((home) => home.id !== id))!;
    Object.assign(near, { delayMs: 3 });
    network.pass(5_000);
    const now = alice.manager.servers().filter(({ registered }) => registered);
    expect(now.map(({ id }) => id).sort()).toEqual([...homes.map(({ id }) => id), near.id].sort());
    expect(now.find(({ home }) => home)?.id).toBe(near.id);
  });

  it('registers at a server of the peer on demand, and leaves it when it was idle for long', () => {
    const servers = Array.from({ length: 9 }, (_, n) => new FakeServer(`s${n}`, at(`203.0.113.${n + 1}:3478`), 20));
    const network = new FakeNetwork(servers);
    const [alice, bob] = [
      network.add('192.168.1.2', new FakeNat('198.51.100.1' as never, kind(APD, APD))),
      network.add('192.168.1.3', new FakeNat('198.51.100.2' as never, kind(APD, APD))),
    ];
    for (const host of [alice, bob]) network.start(host);
    network.introduce(alice, bob);
    network.pass(500);
    const registered = (): number => alice.manager.servers().filter((server) => server.registered).length;
    const homes = registered();
    stream(network, alice, bob, 1_000);
    expect(stream(network, alice, bob, 500)).toBe(0);
    expect(registered()).toBeGreaterThan(homes);
    network.pass(900_000);
    expect(registered()).toBe(homes);
  });
});
