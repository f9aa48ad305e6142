import { createSocket } from 'node:dgram';
import type { HostPort, IpAddress } from '@warren/base';
import type { SignalServerConfig } from '@warren/dataplane';
import type { NatDiscoveryResult } from '@warren/stun';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NatFinding } from '../daemon/nat-status.js';
import { chooseLifetimeTarget, type LifetimeTarget, measureBindingLifetime } from './binding-lifetime.js';
import type { Discovery } from './discover.js';
import { createNatWatch, type NatWatch } from './nat-watch.js';

const target = (id: string) => ({ id, udp: `${id}.example:3478` as HostPort });
const server = (id: string): SignalServerConfig => ({
  ...{ id, name: id, tls: [], key: new Uint8Array(32) },
  udp: target(id).udp,
});
/** What servers a and b say when they see us there. */
const seenAt = (a: string, b = a, change: Partial<NatDiscoveryResult> = {}): Discovery => ({
  ipv4: {
    ...{ udp: true, mapping: 'endpoint-independent', filtering: 'address-dependent', hairpinning: false },
    reflexive: [],
    servers: [
      { id: 'a', rttMs: 20, reflexive: { address: a as IpAddress, port: 4_000 } },
      { id: 'b', rttMs: 10, reflexive: { address: b as IpAddress, port: 4_000 } },
    ],
    ...change,
  },
  unresolved: [],
});
const OUTSIDE = '203.0.113.9';

describe('the server to measure with', () => {
  const targets = [target('a'), target('b')];

  it('is the nearest that sees us through the NAT', () => {
    expect(chooseLifetimeTarget(seenAt(OUTSIDE), targets)).toEqual({
      target: target('b'),
      family: 4,
      outside: OUTSIDE,
    });
  });

  it('is none that sees one of our own addresses, or that was silent', () => {
    expect(chooseLifetimeTarget(seenAt(OUTSIDE, '127.0.0.1'), targets)?.target.id).toBe('a');
    const silent = { id: 'a', rttMs: undefined, reflexive: undefined };
    expect(chooseLifetimeTarget(seenAt(OUTSIDE, OUTSIDE, { servers: [silent] }), targets)).toBeUndefined();
  });

  it('is none without a NAT', () => {
    expect(chooseLifetimeTarget(seenAt(OUTSIDE, OUTSIDE, { mapping: 'none' }), targets)).toBeUndefined();
    expect(chooseLifetimeTarget({ unresolved: [] }, targets)).toBeUndefined();
  });
});

describe('a measurement over real sockets', () => {
  it('finds nothing out where nobody answers, and can be given up', async () => {
    const silent = createSocket('udp4');
    await new Promise<void>((resolve) => silent.bind(0, '127.0.0.1', resolve));
    const at = { id: 'a', udp: `127.0.0.1:${silent.address().port}` as HostPort };
    const chosen: LifetimeTarget = { target: at, family: 4, outside: OUTSIDE };
    try {
      const abort = new AbortController();
      const given = measureBindingLifetime(chosen, abort.signal);
      silent.once('message', () => abort.abort());
      expect(await given).toBeUndefined();
      expect(await measureBindingLifetime(chosen, new AbortController().signal)).toBeUndefined();
      expect(await measureBindingLifetime({ ...chosen, family: 6 }, abort.signal)).toBeUndefined();
    } finally {
      silent.close();
    }
  });
});

describe('the lifetime of bindings', () => {
  let measurements: { chosen: LifetimeTarget; signal: AbortSignal }[];
  let findings: NatFinding[];
  let lines: string[];
  let addresses: string;
  let discovery: Discovery;
  let measured: number | undefined | Error;
  let watch: NatWatch;

  beforeEach(() => {
    vi.useFakeTimers();
    [measurements, findings, lines] = [[], [], []];
    [addresses, discovery, measured] = ['eth0 192.0.2.1/24', seenAt(OUTSIDE), 120];
    watch = createNatWatch({
      onResult: async (finding) => void findings.push(finding),
      log: (level, message) => void lines.push(`${level} ${message}`),
      discover: async () => discovery,
      measureLifetime: async (chosen, signal) => {
        measurements.push({ chosen, signal });
        await new Promise((resolve) => setTimeout(resolve, 190_000));
        if (measured instanceof Error) throw measured;
        return measured;
      },
      fingerprint: () => addresses,
    });
    watch.setServers([server('a'), server('b')]);
  });
  afterEach(() => {
    watch.close();
    vi.useRealTimers();
  });
  const wait = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

  it('is measured once in a network, beside the looks', async () => {
    await wait(100_000);
    expect(findings.map((finding) => finding.bindingLifetimeS)).toEqual([undefined]);
    await wait(100_000);
    expect(findings.at(-1)).toMatchObject({ mapping: 'endpoint-independent', bindingLifetimeS: 120 });
    await wait(2 * 3_600_000);
    expect(measurements).toHaveLength(1);
    expect(findings.at(-1)).toMatchObject({ bindingLifetimeS: 120 });
    expect(lines).toContain('info NAT: bindings live at least 120 s without traffic');
  });

  it('is measured again in another network, and unknown meanwhile', async () => {
    await wait(200_000);
    discovery = seenAt('203.0.113.10');
    measured = 0;
    watch.networkChanged();
    await wait(30_000);
    expect(measurements).toHaveLength(2);
    expect(findings.at(-1)?.bindingLifetimeS).toBeUndefined();
    await wait(200_000);
    expect(findings.at(-1)?.bindingLifetimeS).toBe(0);
    addresses = 'eth0 192.0.2.2/24';
    discovery = seenAt(OUTSIDE, OUTSIDE, { mapping: 'none' });
    await wait(30_000);
    expect(findings.at(-1)?.bindingLifetimeS).toBeUndefined();
    expect(measurements).toHaveLength(2);
  });

  it('is begun anew when the network changed meanwhile, and given up at the end', async () => {
    await wait(50_000);
    watch.networkChanged();
    await wait(50_000);
    expect(measurements.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    watch.close();
    expect(measurements[1]!.signal.aborted).toBe(true);
    await wait(400_000);
    expect(findings.every((finding) => finding.bindingLifetimeS === undefined)).toBe(true);
  });

  it('stays unknown, and is not tried over and over, where it cannot be measured', async () => {
    for (const outcome of [undefined, new Error('no luck')]) {
      measured = outcome;
      const before = measurements.length;
      watch.networkChanged();
      addresses += '0';
      await wait(3_600_000);
      expect(measurements.length - before).toBe(before === 0 ? 2 : 1);
      expect(findings.at(-1)?.bindingLifetimeS).toBeUndefined();
    }
    expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  });

  it('outlasts a look at which nobody answered', async () => {
    await wait(200_000);
    discovery = seenAt(OUTSIDE, OUTSIDE, { udp: false, servers: [] });
    await wait(1_300_000);
    discovery = seenAt(OUTSIDE);
    await wait(100_000);
    expect(measurements).toHaveLength(1);
    expect(findings.at(-1)?.bindingLifetimeS).toBe(120);
  });
});
