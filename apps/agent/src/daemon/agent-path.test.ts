import type { Endpoint, PublicKey } from '@warren/base';
import type { DataPlanePathReport, PathsReport } from '@warren/dataplane';
import { describe, expect, it } from 'vitest';
import { replyText } from '../commands/ping.js';
import { agentPath } from './agent-path.js';
import { describeNat } from './nat-status.js';

const peer = 'key' as PublicKey;
const SINCE = '2030-01-01T00:00:00.000Z';
const nothing: DataPlanePathReport = {
  publicKey: peer,
  path: undefined,
  candidateKind: undefined,
  wanted: true,
  also: undefined,
  rttMs: undefined,
  since: undefined,
  proven: false,
  reason: undefined,
  advice: undefined,
  candidates: [],
  remoteNat: undefined,
  remoteHomes: [],
};
const relayed: DataPlanePathReport = {
  ...nothing,
  path: {
    kind: 'relay',
    peer,
    server: 's1',
    transport: 'tls',
    header: new Uint8Array(20),
    way: { kind: 'tls', server: 's1' },
  },
  rttMs: 12.34567,
  since: SINCE,
  proven: true,
  reason: 'both NATs map by address and port',
};
const direct: DataPlanePathReport = {
  ...nothing,
  path: { kind: 'udp', peer, socket: 0, endpoint: '203.0.113.5:41234' as Endpoint },
  proven: true,
};
const facts = { serverNames: new Map([['s1', 'control']]), registered: true, sessionFresh: false, lastPingMs: null };
const target = { name: 'phone', address: '10.44.0.5', peer: undefined };

describe('the path to an agent', () => {
  it('names the relaying server and why it is not direct', () => {
    expect(agentPath(relayed, facts)).toEqual({
      kind: 'relay',
      endpoint: null,
      via: 'control',
      transport: 'tls',
      rttMs: 12.346,
      reason: 'both NATs map by address and port',
    });
    expect(agentPath(relayed, { ...facts, serverNames: new Map() }).via).toBe('s1');
  });

  it('that is direct has an endpoint and needs no reason', () => {
    const path = agentPath({ ...direct, reason: 'stale' }, { ...facts, lastPingMs: 3 });
    expect(path).toMatchObject({ kind: 'direct', endpoint: '203.0.113.5:41234', transport: 'udp', rttMs: 3 });
    expect(path.reason).toBeNull();
  });

  it('counts while it is proven or the session lives, and else is none', () => {
    const lapsed = { ...direct, proven: false };
    expect(agentPath(lapsed, facts)).toMatchObject({ kind: 'none', reason: expect.any(String) as string });
    expect(agentPath(lapsed, { ...facts, sessionFresh: true }).kind).toBe('direct');
    expect(agentPath(nothing, { ...facts, sessionFresh: true }).kind).toBe('none');
  });

  it('that is none says why it is silent, not why it was not direct', () => {
    const heard = { ...relayed, proven: false, remoteNat: { mapping: 'unknown', filtering: 'unknown' } as const };
    expect(agentPath(heard, facts).reason).toMatch(/^nothing was heard from it lately/);
    const alone = { ...heard, reason: 'no signal server answers' };
    expect(agentPath(alone, { ...facts, registered: false }).reason).toBe('no signal server answers');
    const never = { ...relayed, proven: false, reason: 'nothing was sent to it yet' };
    expect(agentPath(never, facts).reason).toBe('nothing was sent to it yet');
  });
});

describe('an answer to a ping', () => {
  const line = (report: DataPlanePathReport) =>
    replyText(target, { sequence: 1, rttMs: 12.3, path: { ...agentPath(report, facts), since: SINCE } });

  it('is told with the path that it took', () => {
    expect(line(relayed)).toBe('from phone (10.44.0.5): seq=1 time=12.3 ms via relay control (tls)');
    expect(line(direct)).toBe('from phone (10.44.0.5): seq=1 time=12.3 ms direct 203.0.113.5:41234');
    expect(line(nothing)).toBe('from phone (10.44.0.5): seq=1 time=12.3 ms');
    expect(replyText(target, { sequence: 2, rttMs: 1, path: null })).toBe('from phone (10.44.0.5): seq=2 time=1 ms');
  });
});

describe('the NAT in the status', () => {
  const server = (
    registered: boolean,
    transport: 'udp' | 'tls',
    reflexive?: string,
  ): PathsReport['servers'][number] => ({
    id: `${transport}${reflexive}`,
    name: 'x',
    registered,
    transport,
    home: false,
    rttMs: undefined,
    reflexive: reflexive as Endpoint | undefined,
    failure: undefined,
  });
  const nat = (servers: PathsReport['servers'], udp: boolean | null = null, anyHandshake = false) =>
    describeNat({
      finding: { mapping: 'unknown', filtering: 'unknown', udp, reflexive: ['203.0.113.9:5', '203.0.113.5:4'] },
      paths: { peers: [], servers },
      anyHandshake,
      portMapping: null,
    });

  it('knows that UDP works by a registration, and that it does not by relays that are reached by TLS only', () => {
    expect(nat([server(true, 'udp')]).udp).toBe(true);
    expect(nat([server(true, 'tls')]).udp).toBe(false);
    expect(nat([server(true, 'tls')], null, true).udp).toBe(false);
    expect(nat([server(true, 'tls')], true).udp).toBe(true);
    expect(nat([server(false, 'udp')]).udp).toBeNull();
    expect(nat([], null, true).udp).toBe(true);
    expect(nat([], false, true).udp).toBe(false);
  });

  it('lists every outer address once, those of the data plane first', () => {
    const seen = [server(true, 'udp', '203.0.113.5:4'), server(true, 'udp', '198.51.100.2:4')];
    expect(nat(seen).reflexive).toEqual(['203.0.113.5:4', '198.51.100.2:4', '203.0.113.9:5']);
  });
});
