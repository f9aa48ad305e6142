import type { NetworkInterfaceInfo } from 'node:os';
import type { IpAddress } from '@warren/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeGateway } from '../../testing/fake-gateway.js';
import { Cleanup, until } from '../../testing/run.js';
import { findGateway, type Gateway, isInnerAddress } from './gateway.js';
import type { MappingProtocol } from './mapping-protocol.js';
import { natPmpProtocol } from './nat-pmp-client.js';
import { pcpProtocol } from './pcp-client.js';
import { PortMapper, type PortMapping } from './port-mapping.js';
import { upnpProtocol } from './upnp-client.js';

const PORT = 51_820;
const nonce = new Uint8Array(12).fill(7);
const cleanup = new Cleanup();
let router: FakeGateway;
let here: Gateway | undefined;
let told: (PortMapping | undefined)[];
let lines: string[];

beforeEach(async () => {
  router = await FakeGateway.start();
  cleanup.add(() => router.close());
  here = router.gateway;
  told = [];
  lines = [];
});
afterEach(() => cleanup.run());

const all = (): MappingProtocol[] => [pcpProtocol(nonce), natPmpProtocol, upnpProtocol];

function startMapper(protocols: readonly MappingProtocol[] = all()): PortMapper {
  const mapper = new PortMapper({
    port: PORT,
    readGateway: async () => here,
    leaveOut: new Set(),
    protocols,
    onChange: (mapping) => void told.push(mapping),
    log: (level, message) => void lines.push(`${level} ${message}`),
    lookInterval: 20,
  });
  mapper.start();
  cleanup.add(() => mapper.stop());
  return mapper;
}

describe('port mapping', () => {
  it.each(['pcp', 'nat-pmp', 'upnp'] as const)('by %s alone: mapped, told, given back', async (protocol) => {
    router.speaks.add(protocol);
    const mapper = startMapper();
    await until('a mapping', () => mapper.mapping !== undefined);
    expect(mapper.mapping).toEqual({ protocol, external: '203.0.113.7:51820', doubleNat: false });
    expect(told).toEqual([mapper.mapping]);
    expect([...router.mappings]).toEqual([[PORT, PORT]]);
    await mapper.stop();
    expect([...router.mappings]).toEqual([]);
    expect(router.requests.at(-1)).toContain(`${protocol} release`);
  });

  it('prefers PCP, and asks nobody else once it works', async () => {
    for (const protocol of ['pcp', 'nat-pmp', 'upnp'] as const) router.speaks.add(protocol);
    const mapper = startMapper();
    await until('a mapping', () => mapper.mapping !== undefined);
    await mapper.stop();
    expect(router.requests).toEqual([`pcp map ${PORT}`, `pcp release ${PORT}`]);
  });

  it('is renewed at half its lifetime, without telling anybody', async () => {
    router.speaks.add('pcp');
    router.lifetimeS = 2;
    startMapper();
    await until('two renewals', () => router.requests.length >= 3);
    expect(told).toHaveLength(1);
  });

  it('is asked for again when the network changes, and taken for lost meanwhile', async () => {
    router.speaks.add('nat-pmp');
    const mapper = startMapper([natPmpProtocol]);
    await until('a mapping', () => mapper.mapping !== undefined);
    const home = here!;
    here = undefined;
    await until('loss', () => mapper.mapping === undefined);
    here = { ...home, interfaceName: 'lo2' };
    router.externalAddress = '198.51.100.4' as IpAddress;
    await until('another', () => mapper.mapping?.external === '198.51.100.4:51820');
    expect(told).toHaveLength(3);
  });

  it('is asked for at once when the router seems to have started anew', async () => {
    router.speaks.add('pcp');
    const mapper = startMapper();
    await until('a mapping', () => mapper.mapping !== undefined);
    router.mappings.clear();
    mapper.refresh();
    await until('it again', () => router.mappings.size === 1);
    expect(told).toHaveLength(1);
  });

  it('that the router no longer grants is lost, and then tried by another protocol', async () => {
    router.speaks.add('pcp');
    const mapper = startMapper();
    await until('a mapping', () => mapper.mapping !== undefined);
    router.speaks.delete('pcp');
    router.speaks.add('nat-pmp');
    router.result = 2;
    mapper.refresh();
    router.speaks.add('pcp');
    await until('loss', () => mapper.mapping === undefined);
    router.result = 0;
    router.speaks.delete('pcp');
    await until('another', () => mapper.mapping?.protocol === 'nat-pmp');
  });

  it('with a private outer address is a hint only', async () => {
    router.speaks.add('pcp');
    router.externalAddress = '100.64.1.2' as IpAddress;
    const mapper = startMapper();
    await until('a mapping', () => mapper.mapping !== undefined);
    expect(mapper.mapping?.doubleNat).toBe(true);
    expect(lines.join('\n')).toContain('another NAT');
  });

  it('by UPnP takes a permanent mapping, or another port, where the router wants that', async () => {
    router.speaks.add('upnp');
    router.upnpError = (port, lease) => (lease !== 0 ? 725 : port === PORT ? 718 : undefined);
    const mapper = startMapper([upnpProtocol]);
    await until('a mapping', () => mapper.mapping !== undefined);
    expect(router.requests.slice(0, 2)).toEqual([`upnp map ${PORT} for 7200`, `upnp map ${PORT} for 0`]);
    expect([...router.mappings.values()]).toEqual([PORT]);
    await mapper.stop();
    expect(router.mappings.size).toBe(0);
  });

  it('by UPnP follows nobody away from the gateway', async () => {
    router.speaks.add('upnp');
    router.location = 'http://198.51.100.1/root.xml';
    const signal = AbortSignal.timeout(5_000);
    const wanted = { internalPort: PORT, externalPort: PORT, lifetimeS: 10 };
    expect(await upnpProtocol.request(router.gateway, wanted, signal)).toBeUndefined();
  });

  it('says why it is refused', async () => {
    router.speaks.add('pcp').add('nat-pmp');
    router.result = 2;
    const wanted = { internalPort: PORT, externalPort: PORT, lifetimeS: 10 };
    const signal = AbortSignal.timeout(5_000);
    const refused = { refused: 'it does not permit that' };
    expect(await pcpProtocol(nonce).request(router.gateway, wanted, signal)).toEqual(refused);
    expect(await natPmpProtocol.request(router.gateway, wanted, signal)).toEqual(refused);
  });

  it('is not asked of a router that this host needs none of', async () => {
    router.speaks.add('pcp');
    here = { ...router.gateway, local: '203.0.113.9' as IpAddress };
    const mapper = startMapper();
    here = router.gateway;
    await until('a mapping', () => mapper.mapping !== undefined);
    expect(router.requests).toHaveLength(1);
  });

  it('ends while a router says nothing', async () => {
    const mapper = startMapper();
    await mapper.stop();
    expect(told).toEqual([]);
  });
});

describe('the gateway', () => {
  const head = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
  const routes =
    `${head}wlan0\t00000000\t0100000A\t0003\t0\t0\t600\t00000000\t0\t0\t0\n` +
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n' +
    'wg0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n' +
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n';
  const info = (cidr: string): NetworkInterfaceInfo => ({
    address: cidr.split('/')[0]!,
    netmask: '',
    mac: '',
    internal: false,
    family: 'IPv4',
    cidr,
  });
  const interfaces = { eth0: [info('172.16.0.9/24'), info('192.168.1.20/24')], wlan0: [info('10.0.0.5/8')] };

  it('is that of the best default route, with our address beside it', () => {
    const gateway = findGateway(routes, interfaces, new Set());
    expect(gateway).toMatchObject({ interfaceName: 'eth0', address: '192.168.1.1', local: '192.168.1.20' });
    expect(findGateway(routes, interfaces, new Set(['eth0']))).toMatchObject({
      address: '10.0.0.1',
      local: '10.0.0.5',
    });
    expect(findGateway(head, interfaces, new Set())).toBeUndefined();
    expect(findGateway(routes, {}, new Set())).toBeUndefined();
  });

  it.each([
    ['192.168.1.1', true],
    ['172.31.255.1', true],
    ['172.32.0.1', false],
    ['100.127.0.1', true],
    ['203.0.113.7', false],
    ['8.8.8.8', false],
  ])('knows that %s is inner: %s', (address, inner) => {
    expect(isInnerAddress(address as IpAddress)).toBe(inner);
  });
});
