import type { HostPort } from '@warren/base';
import type { SignalServerConfig } from '@warren/dataplane';
import type { NatDiscoveryResult } from '@warren/stun';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { NatFinding } from '../daemon/nat-status.js';
import type { Discovery, DiscoveryTarget } from './discover.js';
import { createNatWatch, type NatWatch } from './nat-watch.js';

const server = (id: string): SignalServerConfig => ({
  ...{ id, name: id, tls: [], key: new Uint8Array(32) },
  udp: `${id}.example:3478` as HostPort,
});
const found = (change: Partial<NatDiscoveryResult> = {}): Discovery => ({
  ipv4: {
    ...{ udp: true, mapping: 'endpoint-independent', filtering: 'address-dependent', hairpinning: false },
    ...{ reflexive: [], servers: [] },
    ...change,
  },
  unresolved: [],
});

let looks: { targets: readonly DiscoveryTarget[]; signal: AbortSignal }[];
let findings: NatFinding[];
let lines: string[];
let addresses: string;
let answer: () => Promise<Discovery>;
let watch: NatWatch;

beforeEach(() => {
  vi.useFakeTimers();
  looks = [];
  findings = [];
  lines = [];
  addresses = 'eth0 192.0.2.1/24';
  answer = async () => found();
  watch = createNatWatch({
    onResult: async (finding) => void findings.push(finding),
    log: (level, message) => void lines.push(`${level} ${message}`),
    discover: (targets, signal) => {
      looks.push({ targets, signal });
      return answer();
    },
    fingerprint: () => addresses,
  });
});
afterEach(() => {
  watch.close();
  vi.useRealTimers();
});
const wait = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

describe('the NAT is looked at', () => {
  it('as soon as servers are known, and not before', async () => {
    await wait(1_000_000);
    expect(looks).toEqual([]);
    watch.setServers([server('a'), server('b')]);
    await wait(1);
    expect(looks.map(({ targets }) => targets.map(({ id }) => id))).toEqual([['a', 'b']]);
    expect(findings).toEqual([
      { mapping: 'endpoint-independent', filtering: 'address-dependent', udp: true, reflexive: [] },
    ]);
  });

  it('again every ten minutes or so, and said only when it is news', async () => {
    watch.setServers([server('a')]);
    await wait(2 * 3_600_000);
    expect(looks.length).toBeGreaterThanOrEqual(10);
    expect(looks.length).toBeLessThanOrEqual(16);
    expect(lines.filter((line) => line.startsWith('info'))).toHaveLength(1);
  });

  it('again when addresses of this host or servers change, at most every ten seconds', async () => {
    watch.setServers([server('a')]);
    await wait(30_000);
    for (let i = 0; i < 5; i++) {
      addresses = `eth0 198.51.100.${i}/24`;
      watch.setServers([server(i % 2 ? 'b' : 'c')]);
      await wait(1_000);
    }
    await wait(20_000);
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(looks.length).toBeLessThanOrEqual(4);
    watch.setServers([server('c')]);
    await wait(60_000);
    expect(looks.at(-1)?.targets.map(({ id }) => id)).toEqual(['c']);
  });

  it('every minute or so while UDP does not get out', async () => {
    answer = async () => found({ udp: false, mapping: 'unknown', filtering: 'unknown' });
    watch.setServers([server('a')]);
    await wait(600_000);
    expect(looks.length).toBeGreaterThanOrEqual(7);
    expect(findings[0]).toMatchObject({ udp: false });
    expect(lines[0]).toBe('info NAT: no signal server answers over UDP');
  });

  it('with some of many servers, others each time', async () => {
    watch.setServers(Array.from({ length: 40 }, (_, index) => server(`s${index}`)));
    await wait(3_600_000);
    for (const { targets } of looks) expect(targets).toHaveLength(8);
    expect(new Set(looks.flatMap(({ targets }) => targets.map(({ id }) => id))).size).toBeGreaterThan(16);
  });

  it('in spite of a look that failed', async () => {
    answer = () => Promise.reject(new Error('no luck'));
    watch.setServers([server('a')]);
    await wait(1_000);
    expect(lines).toEqual(['warn the NAT could not be looked at: no luck']);
    answer = async () => found();
    await wait(800_000);
    expect(findings).not.toHaveLength(0);
  });

  it('never after it was closed, and what is under way is given up', async () => {
    let settle: (discovery: Discovery) => void = () => undefined;
    answer = () =>
      new Promise((resolve) => {
        settle = resolve;
      });
    watch.setServers([server('a')]);
    await wait(1);
    watch.close();
    expect(looks[0]!.signal.aborted).toBe(true);
    settle(found());
    await wait(3_600_000);
    expect(looks).toHaveLength(1);
    expect(findings).toEqual([]);
  });
});
