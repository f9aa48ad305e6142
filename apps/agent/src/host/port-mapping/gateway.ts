import { readFile } from 'node:fs/promises';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { type IpAddress, ipFromBytes, makePrefix, type Prefix, parseIpAddress, prefixContains } from '@warren/base';
import { PCP_PORT, SSDP_PORT } from '@warren/paths';

/** The router that this host's packets to the internet go through, and how it sees us. */
export interface Gateway {
  readonly interfaceName: string;
  readonly address: IpAddress;
  /** Our own address towards it. */
  readonly local: IpAddress;
  /** Where it listens; only tests have others. */
  readonly pcpPort: number;
  readonly ssdpPort: number;
}

/** Interfaces that are left out: our own tunnels. */
export type ReadGateway = (leaveOut: ReadonlySet<string>) => Promise<Gateway | undefined>;

/** Same gateway, same interface, same address of ours: a mapping there is still good. */
export const sameGateway = (a: Gateway | undefined, b: Gateway | undefined): boolean =>
  a?.interfaceName === b?.interfaceName && a?.address === b?.address && a?.local === b?.local;

/** Of this network namespace; cheap enough to be asked every few seconds. */
export const readGateway: ReadGateway = async (leaveOut) => {
  const routes = await readFile('/proc/self/net/route', 'utf8');
  return findGateway(routes, networkInterfaces(), leaveOut);
};

/** The gateway of the best IPv4 default route in the text of `/proc/net/route`. */
export function findGateway(
  routes: string,
  interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>,
  leaveOut: ReadonlySet<string>,
): Gateway | undefined {
  const defaults = routes.split('\n').slice(1).flatMap(parseDefaultRoute);
  defaults.sort((a, b) => a.metric - b.metric);
  const best = defaults.find(({ interfaceName }) => !leaveOut.has(interfaceName));
  if (!best) return undefined;
  const { interfaceName, address } = best;
  const local = localAddress(interfaces[interfaceName] ?? [], address);
  return local && { interfaceName, address, local, pcpPort: PCP_PORT, ssdpPort: SSDP_PORT };
}

/** RTF_UP and RTF_GATEWAY, linux/route.h. */
const UP_BY_GATEWAY = 0x3;

/** One line: interface, destination, gateway, flags, reference count, use, metric, mask; numbers in hexadecimal. */
function parseDefaultRoute(line: string): { interfaceName: string; address: IpAddress; metric: number }[] {
  const [interfaceName, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
  if (!interfaceName || destination !== '00000000' || mask !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway ?? '')) {
    return [];
  }
  if ((Number.parseInt(flags ?? '0', 16) & UP_BY_GATEWAY) !== UP_BY_GATEWAY) return [];
  // The kernel prints the 32 bits as this machine holds them: little-endian wherever Node runs on Linux.
  const bytes = Uint8Array.from(Buffer.from(gateway!, 'hex')).reverse();
  return [{ interfaceName, address: ipFromBytes(bytes), metric: Number(metric) || 0 }];
}

function localAddress(infos: readonly NetworkInterfaceInfo[], gateway: IpAddress): IpAddress | undefined {
  const own = infos.flatMap(({ family, address, cidr }) => {
    const parsed = family === 'IPv4' ? parseIpAddress(address) : undefined;
    return parsed ? [{ address: parsed, length: Number(cidr?.split('/')[1] ?? 32) }] : [];
  });
  const beside = own.find(({ address, length }) => prefixContains(makePrefix(address, length), gateway));
  return (beside ?? own[0])?.address;
}

/** RFC 1918, RFC 6598 (carriers), RFC 3927 (link-local), and this host itself. */
const INNER = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '127.0.0.0/8',
].concat('0.0.0.0/8') as Prefix[];

/** Whether an IPv4 address means something behind a NAT only. */
export const isInnerAddress = (address: IpAddress): boolean => INNER.some((prefix) => prefixContains(prefix, address));
