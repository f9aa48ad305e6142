import { type Prefix, WarrenError } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { InterfaceConfig, parseInterfaceAddress } from './interface-config.js';
import { checkInterfaceName } from './interface-name.js';
import { type CommandProblem, parseBatchErrors } from './iproute2.js';

function setUp(options: { ipv6?: boolean; mtu?: number; problem?: (command: string) => string | undefined } = {}) {
  const batches: string[][] = [];
  const warnings: string[] = [];
  const config = new InterfaceConfig({
    interfaceName: 'wg0',
    mtu: options.mtu ?? 1420,
    warn: (message) => warnings.push(message),
    hasIpv6: async () => options.ipv6 ?? true,
    run: async (commands) => {
      batches.push(commands.map((command) => command.join(' ')));
      return commands.flatMap((command): CommandProblem[] => {
        const message = options.problem?.(command.join(' '));
        return message === undefined ? [] : [{ command, message }];
      });
    },
  });
  return { batches, warnings, config };
}

const addresses = (...texts: string[]) => texts.map(parseInterfaceAddress);
const routes = (...texts: string[]) => texts as Prefix[];

describe('interface configuration', () => {
  it('puts everything up with one start of ip', async () => {
    const { batches, config } = setUp();
    await config.bringUp(addresses('10.44.0.3/16', 'fd00::3'), routes('10.44.0.1/32', 'fd00::1/128'));
    expect(batches).toEqual([
      [
        'link set dev wg0 mtu 1420 up',
        'address add 10.44.0.3/16 dev wg0',
        'address add fd00::3/128 dev wg0 nodad',
        'route add 10.44.0.1/32 dev wg0',
        'route add fd00::1/128 dev wg0',
      ],
    ]);
  });

  it('puts back what the kernel forgot while the link was down, and leaves routes to who has them since', async () => {
    const { batches, warnings, config } = setUp({
      problem: (command) => {
        if (batches.length > 1 && command === 'route add 10.44.0.1/32 dev wg0') return 'RTNETLINK answers: File exists';
        return command.startsWith('route delete') ? 'RTNETLINK answers: No such process' : undefined;
      },
    });
    await config.bringUp(addresses('10.44.0.3/16', 'fd00::3'), routes('10.44.0.1/32', 'fd00::1/128'));
    await config.putBack();
    expect(batches[1]).toEqual([
      'address replace 10.44.0.3/16 dev wg0',
      'address replace fd00::3/128 dev wg0 nodad valid_lft forever preferred_lft forever',
      'route delete 10.44.0.1/32 dev wg0',
      'route delete fd00::1/128 dev wg0',
      'route add 10.44.0.1/32 dev wg0',
      'route add fd00::1/128 dev wg0',
    ]);
    expect(warnings).toEqual(['10.44.0.1/32 is not routed to wg0: a route to it exists already']);
    await config.setRoutes([]);
    expect(batches[2]).toEqual(['route delete fd00::1/128 dev wg0']);
  });

  it('changes only the routes that differ', async () => {
    const { batches, config } = setUp();
    await config.bringUp(addresses('10.44.0.3/32'), routes('10.44.0.1/32', '10.44.0.2/32'));
    await config.setRoutes(routes('10.44.0.2/32', '10.44.0.4/32'));
    await config.setRoutes(routes('10.44.0.4/32', '10.44.0.2/32'));
    expect(batches.slice(1)).toEqual([['route delete 10.44.0.1/32 dev wg0', 'route add 10.44.0.4/32 dev wg0'], []]);
  });

  it('leaves a route that exists elsewhere alone, says so once, and never deletes it', async () => {
    const { batches, warnings, config } = setUp({
      problem: (command) => (command.includes('192.168.1.0/24') ? 'RTNETLINK answers: File exists' : undefined),
    });
    await config.bringUp([], routes('192.168.1.0/24'));
    await config.setRoutes(routes('192.168.1.0/24', '10.0.0.1/32'));
    await config.setRoutes([]);
    expect(warnings).toEqual(['192.168.1.0/24 is not routed to wg0: a route to it exists already']);
    expect(batches.slice(1)).toEqual([['route add 10.0.0.1/32 dev wg0'], ['route delete 10.0.0.1/32 dev wg0']]);
  });

  it('does not complain about the subnet of its own address, which the kernel routes', async () => {
    const { warnings, config } = setUp({ problem: (command) => (/^route/.test(command) ? 'File exists' : undefined) });
    await config.bringUp(addresses('10.44.0.1/16'), routes('10.44.0.0/16'));
    expect(warnings).toEqual([]);
  });

  it('leaves out IPv6 where the kernel has none, with one warning', async () => {
    const { batches, warnings, config } = setUp({ ipv6: false });
    await config.bringUp(addresses('10.44.0.3/32', 'fd00::3/128'), routes('fd00::1/128'));
    await config.setRoutes(routes('fd00::2/128'));
    expect(batches).toEqual([['link set dev wg0 mtu 1420 up', 'address add 10.44.0.3/32 dev wg0'], []]);
    expect(warnings).toEqual(['wg0 gets no IPv6 addresses and routes: IPv6 is disabled on this host']);
  });

  it('restores addresses and routes that Linux takes away with a removed address', async () => {
    const { batches, config } = setUp();
    await config.bringUp(addresses('10.44.0.3/16'), routes('10.9.0.0/16'));
    await config.setAddresses(addresses('10.44.0.4/16'));
    expect(batches[1]).toEqual([
      'address add 10.44.0.4/16 dev wg0',
      'address delete 10.44.0.3/16 dev wg0',
      'address replace 10.44.0.4/16 dev wg0',
      'route replace 10.9.0.0/16 dev wg0',
    ]);
  });

  it('makes the first address of a family the one that new connections use', async () => {
    const { batches, config } = setUp();
    await config.bringUp(addresses('10.44.0.3/32', 'fd44::3/128'), routes('10.44.0.1/32'));
    await config.setAddresses(addresses('10.44.0.3/32', 'fd44::3/128', '10.77.0.3/32', 'fd77::3/128'));
    expect(batches[1]).toEqual([
      'address add 10.77.0.3/32 dev wg0',
      'address add fd77::3/128 dev wg0 nodad preferred_lft 0',
    ]);
    await config.setAddresses(addresses('10.77.0.3/32', 'fd77::3/128', '10.44.0.3/32', 'fd44::3/128'));
    expect(batches[2]).toEqual([
      'address delete 10.44.0.3/32 dev wg0',
      'address add 10.44.0.3/32 dev wg0',
      'address replace 10.77.0.3/32 dev wg0',
      'address replace fd77::3/128 dev wg0 nodad valid_lft forever preferred_lft forever',
      'address replace 10.44.0.3/32 dev wg0',
      'address replace fd44::3/128 dev wg0 nodad preferred_lft 0',
      'route replace 10.44.0.1/32 dev wg0',
    ]);
    await config.setAddresses(addresses('10.77.0.3/32', 'fd77::3/128'));
    expect(batches[3]!.slice(0, 2)).toEqual([
      'address delete 10.44.0.3/32 dev wg0',
      'address delete fd44::3/128 dev wg0',
    ]);
    await config.setAddresses(addresses('10.77.0.3/32', 'fd77::3/128'));
    expect(batches).toHaveLength(4);
  });

  it('tries routes again that something else had, once the host has other routes', async () => {
    let taken = true;
    const { batches, config } = setUp({
      problem: (command) => (taken && /^route/.test(command) ? 'File exists' : undefined),
    });
    await config.setRoutes(routes('10.44.0.1/32'));
    taken = false;
    await config.setRoutes(routes('10.44.0.1/32'));
    expect(batches[1]).toEqual([]);
    config.forgetForeign();
    await config.setRoutes(routes('10.44.0.1/32'));
    expect(batches[2]).toEqual(['route add 10.44.0.1/32 dev wg0']);
  });

  it('fails with a clear line when an address cannot be set or permission is missing', async () => {
    const bad = setUp({ problem: (command) => (/^address/.test(command) ? 'Error: oops.' : undefined) });
    await expect(bad.config.bringUp(addresses('10.0.0.1/32'), [])).rejects.toMatchObject({
      code: 'interface-setup-failed',
      message: '`ip address add 10.0.0.1/32 dev wg0` failed: Error: oops.',
    });
    const denied = setUp({ problem: () => 'RTNETLINK answers: Operation not permitted' });
    await expect(denied.config.bringUp([], [])).rejects.toMatchObject({ code: 'not-root' });
  });

  it('refuses what is no address', () => {
    for (const text of ['', '10.0.0.1/33', '10.0.0/8', 'fd00::1/129', 'x', '10.0.0.1 dev eth0']) {
      expect(() => parseInterfaceAddress(text), text).toThrow(WarrenError);
    }
  });
});

describe('errors of ip -batch', () => {
  it('are told apart by the line that failed', () => {
    const commands = [['a'], ['b'], ['c']];
    const stderr = [
      'Error: Device for nexthop is not up.',
      'Command failed -:1',
      'RTNETLINK answers: File exists',
      'Command failed -:3',
      '',
    ];
    expect(parseBatchErrors(stderr.join('\n'), commands)).toEqual([
      { command: ['a'], message: 'Error: Device for nexthop is not up.' },
      { command: ['c'], message: 'RTNETLINK answers: File exists' },
    ]);
  });
});

describe('interface name', () => {
  it('is taken or refused as Linux and our tools would', () => {
    for (const name of ['wg0', 'a', 'warren.1', 'fifteen-bytes-x'])
      expect(() => checkInterfaceName(name)).not.toThrow();
    const bad = [
      '',
      'sixteen-bytes-xx',
      'a b',
      'a/b',
      '..',
      '.',
      '-wg',
      'lo',
      'all',
      'default',
      'wg%d',
      'wgé',
      'a\nb',
      'a:b',
    ];
    for (const name of bad) expect(() => checkInterfaceName(name), name).toThrow(/cannot name an interface/);
  });
});
