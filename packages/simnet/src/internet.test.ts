import type { IpAddress } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { Host } from './host.js';
import { Internet, type PacketTrace } from './internet.js';
import { MachineDriver } from './machine-driver.js';
import { KIND_NAT, type NatKind } from './nat.js';
import type { SocketAddress } from './packet.js';
import { Random } from './random.js';
import { IPV6_FIREWALL, Router } from './router.js';

const ip = (text: string) => text as IpAddress;
const at = (address: string, port: number): SocketAddress => ({ address: ip(address), port });
const bytes = (text: string) => new TextEncoder().encode(text);

/** A server that tells every sender where it saw him, on two ports. */
function server(internet: Internet, address = '198.51.100.1'): Host {
  const host = new Host(internet, `server ${address}`);
  host.moveTo(internet.core, ip(address));
  for (const port of [3478, 3479]) {
    const socket = host.openSocket(port, (_, source) => socket.send(source, bytes(`${source.address} ${source.port}`)));
  }
  return host;
}

/** Datagrams that a host received on one socket, in order. */
function listener(host: Host, port = 0) {
  const got: { text: string; source: SocketAddress }[] = [];
  const socket = host.openSocket(port, (payload, source) =>
    got.push({ text: new TextDecoder().decode(payload), source }),
  );
  return { got, socket };
}

function behindNat(internet: Internet, name: string, nat: Partial<NatKind> = {}, address = '203.0.113.1') {
  const lan = internet.segment(`LAN of ${name}`);
  const router = new Router({
    name: `router of ${name}`,
    inside: lan,
    outside: internet.core,
    address: ip(address),
    nat: { ...KIND_NAT, ...nat },
    ipv6: IPV6_FIREWALL,
  });
  const host = new Host(internet, name);
  host.moveTo(lan, ip('192.168.1.2'));
  return { lan, router, host };
}

describe('ways through the internet', () => {
  it('a host behind a NAT reaches a server and is answered, after the delays of all cables', () => {
    const internet = new Internet(1);
    server(internet);
    const { host } = behindNat(internet, 'alice');
    const { got, socket } = listener(host, 5000);
    const start = internet.now;
    socket.send(at('198.51.100.1', 3478), bytes('?'));
    expect(internet.runUntilTrue(() => got.length > 0, 1000)).toBe(40);
    expect(got[0]!.text).toBe('203.0.113.1 5000');
    expect(internet.now).toBe(start + 40);
  });

  it('through two NATs: the server sees the outer one, and each of them keeps a mapping', () => {
    const internet = new Internet(1);
    server(internet);
    const carrier = internet.segment('carrier');
    const outer = new Router({
      name: 'carrier',
      inside: carrier,
      outside: internet.core,
      address: ip('203.0.113.7'),
      nat: KIND_NAT,
    });
    const lan = internet.segment('home');
    const inner = new Router({ name: 'home', inside: lan, outside: carrier, address: ip('100.64.0.2'), nat: KIND_NAT });
    const host = new Host(internet, 'alice');
    host.moveTo(lan, ip('192.168.1.2'));
    const { got, socket } = listener(host, 5000);
    socket.send(at('198.51.100.1', 3478), bytes('?'));
    internet.run(1000);
    expect(got.map(({ text }) => text)).toEqual(['203.0.113.7 5000']);
    expect([outer.nat.size(internet.now), inner.nat.size(internet.now)]).toEqual([1, 1]);
  });

  it('IPv6 is not translated, and lets nothing in that was not asked for', () => {
    const internet = new Internet(1);
    const { host, lan } = behindNat(internet, 'alice');
    host.moveTo(lan, ip('192.168.1.2'), ip('2001:db8::2'));
    const outside = new Host(internet, 'bob');
    outside.moveTo(internet.core, ip('2001:db8:1::1'));
    const [alice, bob] = [listener(host, 5000), listener(outside, 5000)];
    bob.socket.send(at('2001:db8::2', 5000), bytes('uninvited'));
    internet.run(1000);
    expect(alice.got).toEqual([]);
    alice.socket.send(at('2001:db8:1::1', 5000), bytes('hello'));
    internet.run(1000);
    bob.socket.send(bob.got[0]!.source, bytes('answer'));
    internet.run(1000);
    expect(bob.got[0]!.source).toEqual(at('2001:db8::2', 5000));
    expect(alice.got.map(({ text }) => text)).toEqual(['answer']);
  });

  it('the same private address in two networks is two hosts, and is not reached from elsewhere', () => {
    const internet = new Internet(1);
    const drops: string[] = [];
    internet.trace = ({ what }) => drops.push(what);
    const a = behindNat(internet, 'alice', {}, '203.0.113.1');
    const b = behindNat(internet, 'bob', {}, '203.0.113.2');
    const [alice, bob] = [listener(a.host, 5000), listener(b.host, 5000)];
    alice.socket.send(at('192.168.1.2', 5000), bytes('to myself, as far as my network knows'));
    alice.socket.send(at('192.168.1.3', 5000), bytes('nobody here, and nobody outside'));
    internet.run(1000);
    expect([alice.got, bob.got]).toEqual([[], []]);
    expect(drops).toContain('no-route');
  });

  it.each([true, false])('hairpinning %s: two hosts behind one NAT by their external addresses', (hairpinning) => {
    const internet = new Internet(1);
    server(internet);
    const { host, lan } = behindNat(internet, 'alice', { hairpinning });
    const other = new Host(internet, 'bob');
    other.moveTo(lan, ip('192.168.1.3'));
    const [alice, bob] = [listener(host, 5000), listener(other, 6000)];
    bob.socket.send(at('198.51.100.1', 3478), bytes('?'));
    internet.run(1000);
    alice.socket.send(at('203.0.113.1', 6000), bytes('around'));
    alice.socket.send(at('192.168.1.3', 6000), bytes('straight'));
    internet.run(1000);
    const sources = new Map(bob.got.map(({ text, source }) => [text, source]));
    expect(sources.get('straight')).toEqual(at('192.168.1.2', 5000));
    // RFC 4787 REQ-9 a: the receiver sees the external address, which it can answer.
    expect(sources.get('around')).toEqual(hairpinning ? at('203.0.113.1', 5000) : undefined);
  });
});

describe('what goes wrong', () => {
  const world = () => {
    const internet = new Internet(1);
    const remote = server(internet);
    const home = behindNat(internet, 'alice');
    return { internet, remote, ...home, ...listener(home.host, 5000) };
  };
  const ask = ({ internet, socket, got }: ReturnType<typeof world>) => {
    const before = got.length;
    socket.send(at('198.51.100.1', 3478), bytes('?'));
    internet.run(1000);
    return got.slice(before).map(({ text }) => text);
  };

  it('cables, firewalls, cuts and loss stop packets, and only while they last', () => {
    const one = world();
    const { internet, host, router, remote } = one;
    const obstacles: [string, () => void, () => void][] = [
      ['cable', () => (host.link.up = false), () => (host.link.up = true)],
      ['firewall of the host', () => (host.udpBlocked = true), () => (host.udpBlocked = false)],
      ['firewall of the router', () => (router.udpBlocked = true), () => (router.udpBlocked = false)],
      ['cut', () => internet.core.cut(router, remote), () => internet.core.mend()],
      ['loss', () => (remote.link.loss = 1), () => (remote.link.loss = 0)],
    ];
    for (const [name, raise, lift] of obstacles) {
      raise();
      expect(ask(one), name).toEqual([]);
      lift();
      expect(ask(one), name).toHaveLength(1);
    }
  });

  it('a router that reboots gets another address, and nobody hears of the old one', () => {
    const one = world();
    ask(one);
    one.router.reboot(ip('203.0.113.99'));
    expect(ask(one)).toEqual(['203.0.113.99 5000']);
    const stale = listener(one.remote, 9999);
    stale.socket.send(at('203.0.113.1', 5000), bytes('to where it was'));
    one.internet.run(1000);
    expect(one.got.some(({ text }) => text.startsWith('to where'))).toBe(false);
  });

  it('a host that moves loses what was under way, and its sockets go on elsewhere', () => {
    const one = world();
    const other = behindNat(one.internet, 'cafe', {}, '203.0.113.50');
    one.socket.send(at('198.51.100.1', 3478), bytes('?'));
    one.internet.run(25);
    one.host.moveTo(other.lan, ip('192.168.1.77'));
    one.internet.run(1000);
    expect(one.got).toEqual([]);
    expect(ask(one)).toEqual(['203.0.113.50 5000']);
  });

  it('jitter lets packets overtake each other; loss takes about its share', () => {
    const one = world();
    one.host.link.jitterMs = 50;
    one.remote.link.loss = 0.1;
    const arrived: number[] = [];
    one.remote.openSocket(7, (payload) => arrived.push(payload[0]! * 256 + payload[1]!));
    for (let i = 0; i < 2000; i++) {
      one.socket.send(at('198.51.100.1', 7), Uint8Array.of(i >> 8, i & 255));
      one.internet.run(1);
    }
    one.internet.run(1000);
    expect(arrived).not.toEqual(arrived.toSorted((a, b) => a - b));
    expect(arrived.length).toBeGreaterThan(1700);
    expect(arrived.length).toBeLessThan(1900);
  });
});

describe('streams', () => {
  const world = () => {
    const internet = new Internet(1);
    const remote = server(internet);
    const home = behindNat(internet, 'alice');
    const events: string[] = [];
    remote.listen(443, (stream, from) => {
      events.push(`accepted ${from.address}`);
      stream.handlers = {
        received: (got) => {
          events.push(`server got ${new TextDecoder().decode(got)}`);
          stream.send(got);
        },
        closed: (reason) => events.push(`server: ${reason}`),
      };
    });
    const open = (port = 443) =>
      home.host.connect(at('198.51.100.1', port), {
        opened: () => events.push('opened'),
        received: (got) => events.push(`client got ${new TextDecoder().decode(got)}`),
        closed: (reason) => events.push(`client: ${reason}`),
      });
    return { internet, remote, ...home, events, open };
  };

  it('carry bytes in order where every datagram is dropped', () => {
    const { internet, router, host, events, open } = world();
    router.udpBlocked = true;
    host.link.loss = 0.5; // TCP repeats: streams lose nothing
    const stream = open();
    for (const text of ['one', 'two', 'three']) stream.send(bytes(text));
    internet.run(5000);
    expect(events.slice(0, 5)).toEqual([
      'accepted 203.0.113.1',
      'server got one',
      'server got two',
      'server got three',
      'opened',
    ]);
    expect(events.slice(5)).toEqual(['client got one', 'client got two', 'client got three']);
    stream.close();
    internet.run(1000);
    expect(events.at(-1)).toBe('server: closed by the other end');
  });

  it('are refused where nobody listens, and end when there is no way for long', () => {
    const { internet, router, events, open } = world();
    open(80);
    internet.run(1000);
    expect(events).toEqual(['client: refused']);
    const stream = open();
    internet.run(1000);
    router.link.up = false;
    stream.send(bytes('into the void'));
    internet.run(14_000);
    expect(events.at(-1)).toBe('opened');
    internet.run(2000);
    expect(events.at(-1)).toBe('client: timed out');
  });

  it('wait for a short outage to end, and are reset after a move or a reboot of the NAT', () => {
    const { internet, router, host, lan, events, open } = world();
    const stream = open();
    router.link.up = false;
    stream.send(bytes('patience'));
    internet.run(3000);
    router.link.up = true;
    internet.run(1000);
    expect(events.at(-1)).toBe('client got patience');
    router.reboot();
    stream.send(bytes('x'));
    internet.run(1000);
    expect(events.at(-1)).toBe('client: reset');
    const second = open();
    internet.run(1000);
    host.moveTo(lan, ip('192.168.1.9'));
    second.send(bytes('y'));
    internet.run(1000);
    expect(events.at(-1)).toBe('client: reset');
  });
});

describe('time and chance', () => {
  it('the same seed gives the same packets, another seed others', () => {
    const story = (seed: number) => {
      const internet = new Internet(seed);
      const trace: string[] = [];
      internet.trace = ({ at, what, where, packet }: PacketTrace) =>
        trace.push(`${at} ${where} ${what} ${packet.source.port}`);
      const remote = server(internet);
      remote.link.loss = 0.3;
      remote.link.jitterMs = 9;
      const { host } = behindNat(internet, 'alice', { ports: 'random' });
      const { socket } = listener(host, 5000);
      for (let i = 0; i < 50; i++) socket.send(at('198.51.100.1', 3478), bytes(`${i}`));
      internet.run(1000);
      return trace;
    };
    expect(story(7)).toEqual(story(7));
    expect(story(8)).not.toEqual(story(7));
  });

  it('random numbers are spread evenly, and streams of one seed differ', () => {
    const random = new Random(42);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[random.integer(10)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    expect(new Random(42, 1).bytes(16)).not.toEqual(new Random(42, 2).bytes(16));
    expect(new Random(42).bytes(16)).toEqual(new Random(42).bytes(16));
    // Golden: a seed that once failed must go on meaning the same world.
    expect([new Random(1).uint32(), new Random(2 ** 40 + 1).uint32()]).toMatchInlineSnapshot(`
      [
        628251110,
        1819231614,
      ]
    `);
  });

  it('events happen by time, those of one instant in the order in which they were asked for', () => {
    const internet = new Internet(1);
    const order: string[] = [];
    internet.after(20, () => order.push('c'));
    internet.after(10, () => order.push('a'));
    internet.after(10, () => order.push('b'));
    internet.after(15, () => order.push('never')).cancelled = true;
    internet.run(20);
    expect(order).toEqual(['a', 'b', 'c']);
  });

  it('a machine gets its timeouts when it asks for them, and one that stops time is found out', () => {
    const internet = new Internet(1);
    let next: number | undefined = internet.now + 100;
    const times: number[] = [];
    const machine = {
      handleTimeout: (now: number) => {
        times.push(now);
        next = times.length < 3 ? now + 100 : undefined;
      },
      pollTimeout: () => (next === undefined ? undefined : { at: next as never }),
    };
    const start = internet.now;
    const driver = new MachineDriver(internet, machine, () => {});
    driver.touch();
    internet.run(1000);
    expect(times.map((time) => time - start)).toEqual([100, 200, 300]);
    const stuck = new MachineDriver(internet, { handleTimeout: () => {}, pollTimeout: () => internet.now }, () => {});
    stuck.touch();
    expect(() => internet.run(1)).toThrow('again and again');
    stuck.stop();
  });
});
