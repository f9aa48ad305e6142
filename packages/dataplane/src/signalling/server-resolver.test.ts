import type { HostPort } from '@warren/base';
import type { SignalServer } from '@warren/paths';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ServerResolver } from './server-resolver.js';

const KEY = new Uint8Array(32);
const server = (id: string, udp?: string, tls: string[] = []) => ({
  id,
  name: id,
  key: KEY,
  ...(udp !== undefined && { udp: udp as HostPort }),
  tls: tls as HostPort[],
});

describe('addresses of signal servers', () => {
  let answers: Record<string, string[] | Error>;
  let asked: string[];
  let told: (readonly SignalServer[])[];
  let warnings: string[];
  let resolver: ServerResolver;

  beforeEach(() => {
    vi.useFakeTimers();
    [answers, asked, told, warnings] = [{}, [], [], []];
    resolver = new ServerResolver({
      families: [4, 6],
      onServers: (servers) => told.push(servers),
      log: (level, message) => level === 'warn' && warnings.push(message),
      lookup: async (host) => {
        asked.push(host);
        const answer = answers[host] ?? [];
        if (answer instanceof Error) throw answer;
        return answer.map((address) => ({ address }));
      },
    });
  });
  afterEach(() => {
    resolver.close();
    vi.useRealTimers();
  });

  const latest = () => told.at(-1)!.map(({ id, udp }) => [id, ...udp]);

  it('are literal ones at once, and those of names when they are known', async () => {
    answers = { 'relay.example': ['192.0.2.1', '192.0.2.2', '2001:db8::1'] };
    resolver.set([server('b', 'relay.example:3478'), server('a', '203.0.113.1:3478'), server('c')]);
    expect(latest()).toEqual([['a', '203.0.113.1:3478'], ['c']]);
    await vi.advanceTimersByTimeAsync(0);
    expect(latest()).toEqual([['b', '192.0.2.1:3478', '[2001:db8::1]:3478'], ['a', '203.0.113.1:3478'], ['c']]);
  });

  it('that do not resolve hold up nobody, are asked for again, and keep what they were', async () => {
    answers = { 'relay.example': new Error('ENOTFOUND') };
    resolver.set([server('b', 'relay.example:3478', ['relay.example:443'])]);
    await vi.advanceTimersByTimeAsync(0);
    expect(latest()).toEqual([['b']]);
    expect(warnings).toEqual([expect.stringContaining('cannot resolve the signal server relay.example')]);
    answers = { 'relay.example': ['192.0.2.1'] };
    await vi.advanceTimersByTimeAsync(1_000);
    expect(latest()).toEqual([['b', '192.0.2.1:3478']]);
    answers = { 'relay.example': new Error('ENOTFOUND') };
    resolver.again();
    await vi.advanceTimersByTimeAsync(0);
    expect(latest()).toEqual([['b', '192.0.2.1:3478']]);
    expect(asked).toHaveLength(3);
  });

  it('are looked up once for a server that stays in the list', async () => {
    answers = { 'relay.example': ['192.0.2.1'] };
    resolver.set([server('b', 'relay.example:3478')]);
    await vi.advanceTimersByTimeAsync(0);
    resolver.set([server('a', '203.0.113.1:1'), server('b', 'relay.example:3478')]);
    expect(latest()).toEqual([
      ['a', '203.0.113.1:1'],
      ['b', '192.0.2.1:3478'],
    ]);
    resolver.set([]);
    expect(latest()).toEqual([]);
  });
});
