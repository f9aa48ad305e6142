import type { Brand } from './brand.js';
import { type IpAddress, ipFamily, parseIpAddress } from './ip.js';

/** `host:port`, IPv6 in brackets; the host may be a name. */
export type HostPort = Brand<string, 'HostPort'>;
/** `address:port` with a literal address, IPv6 in brackets. */
export type Endpoint = Brand<string, 'Endpoint'>;

const NAME =
  /^(?=.{1,253}$)([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)(\.[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?)*\.?$/;

/** @returns undefined unless `text` is `name:port`, `1.2.3.4:port` or `[v6]:port` with a port of 1 to 65535. */
export function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) return undefined;
  if (match[1] !== undefined) {
    const address = parseIpAddress(match[1]);
    return address && ipFamily(address) === 6 ? { host: address, port } : undefined;
  }
  const host = match[2]!;
  const address = parseIpAddress(host);
  if (address) return { host: address, port };
  // All digits and dots, but no address: a mistyped address, not a name.
  return NAME.test(host) && !/^[\d.]+$/.test(host) ? { host, port } : undefined;
}

/** Canonical text of a host and port, brackets added for IPv6. */
export function formatHostPort(host: string, port: number): HostPort {
  return (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`) as HostPort;
}

/** @returns undefined unless the host is a literal address. */
export function parseEndpoint(text: string): { address: IpAddress; port: number } | undefined {
  const parsed = parseHostPort(text);
  const address = parsed && parseIpAddress(parsed.host);
  return parsed && address ? { address, port: parsed.port } : undefined;
}

export const formatEndpoint = (address: IpAddress, port: number): Endpoint =>
  formatHostPort(address, port) as string as Endpoint;
