import { describe, expect, it } from 'vitest';
import { parsePingLine } from '../commands/ping.js';
import { findDroppingChains, renderForwardingRemoval, renderForwardingTable } from './forwarding-rules.js';
import { nextFreeInterface, parseNetDev } from './interfaces.js';
import { nextFreePort } from './ports.js';
import { renderUnit } from './systemd.js';

describe('forwarding rules', () => {
  it('let through only what stays on the interface and within the prefixes, in one transaction', () => {
    expect(renderForwardingTable('wg0', ['10.44.0.0/16', 'fd00::/64', 'rubbish'])).toBe(
      [
        'table inet warren-wg0',
        'delete table inet warren-wg0',
        'table inet warren-wg0 {',
        '  chain forward {',
        '    type filter hook forward priority filter; policy accept;',
        '    iifname "wg0" oifname "wg0" ip saddr { 10.44.0.0/16 } ip daddr { 10.44.0.0/16 } accept',
        '    iifname "wg0" oifname "wg0" ip6 saddr { fd00::/64 } ip6 daddr { fd00::/64 } accept',
        '    iifname "wg0" counter drop',
        '    oifname "wg0" counter drop',
        '  }',
        '}',
        '',
      ].join('\n'),
    );
    expect(renderForwardingRemoval('wg0')).toBe('table inet warren-wg0\ndelete table inet warren-wg0\n');
  });

  it('cannot overrule foreign chains that drop by policy: those are found', () => {
    const chains = [
      { metainfo: {} },
      { chain: { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' } },
      { chain: { family: 'ip', table: 'filter', name: 'INPUT', hook: 'input', policy: 'drop' } },
      { chain: { family: 'inet', table: 'warren-wg0', name: 'forward', hook: 'forward', policy: 'drop' } },
      { chain: { family: 'ip', table: 'filter', name: 'DOCKER' } },
    ];
    expect(findDroppingChains(JSON.stringify({ nftables: chains }))).toEqual(['ip filter FORWARD']);
    expect(findDroppingChains('')).toEqual([]);
  });
});

describe('interfaces and ports', () => {
  it('are read from the kernel table, aliases of odd names included', () => {
    const text = 'Inter-| Receive\n face |bytes\n    lo: 1 2\n  wg0: 3 4\neth0.5:6 7\n';
    expect(parseNetDev(text)).toEqual(new Set(['lo', 'wg0', 'eth0.5']));
  });

  it('of another network are the next that are free', async () => {
    expect(nextFreeInterface(new Set(['wg0', 'wg2']))).toBe('wg1');
    const find = async (port: number) => (port === 51_821 ? undefined : port);
    expect(await nextFreePort(51_820, new Set([51_820]), find)).toBe(51_822);
    await expect(nextFreePort(51_820, new Set(), async () => undefined)).rejects.toMatchObject({ code: 'port-in-use' });
  });
});

describe('the systemd unit', () => {
  const unit = renderUnit('/usr/bin/node', '/opt/warren agent/bin/agent.mjs', '/var/lib/100%');

  it('starts from saved state, and takes names with spaces, quotes and percent signs', () => {
    expect(unit).toContain(
      'ExecStart="/usr/bin/node" "/opt/warren agent/bin/agent.mjs" "up" "--foreground" "--state-dir" "/var/lib/100%%"\n',
    );
  });

  it('comes back after a failure, but not after a refusal', () => {
    expect(unit).toContain('Restart=on-failure\n');
    expect(unit).toMatch(/^RestartPreventExitStatus=2 3 5$/m);
  });
});

describe("the host's ping", () => {
  it('is understood line by line', () => {
    const line = '64 bytes from 10.44.0.1: icmp_seq=2 ttl=64 time=1.47 ms';
    expect(parsePingLine(line)).toEqual({ sequence: 2, rttMs: 1.47 });
    for (const other of [
      '',
      'PING 10.44.0.1 (10.44.0.1) 56(84) bytes of data.',
      'From 10.44.0.2 icmp_seq=1 Unreachable',
    ]) {
      expect(parsePingLine(other)).toBeUndefined();
    }
  });
});
