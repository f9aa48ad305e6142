import { type HostPort, parseHostPort } from '@warren/base';
import type { SignalServerConfig } from '@warren/dataplane';
import type { SignalServer } from '@warren/proto';

/** As many as an agent keeps; a network has a handful and one a bounce. */
const MAX_SERVERS = 256;
/** TLS addresses of one server. */
const MAX_TLS = 8;
const ID = /^[\x21-\x7e]{1,64}$/;
const NAME = /^[\x20-\x7e]{1,255}$/;

/** The usable servers of the list; one that is malformed, named twice or has no address at all is left out. */
export function decodeSignalServers(list: readonly SignalServer[]): SignalServerConfig[] {
  const servers = new Map<string, SignalServerConfig>();
  for (const entry of list) {
    if (servers.size >= MAX_SERVERS) break;
    const server = decodeServer(entry);
    if (server && !servers.has(server.id)) servers.set(server.id, server);
  }
  return [...servers.values()];
}

function decodeServer({ id, name, udp, tls, key }: SignalServer): SignalServerConfig | undefined {
  if (!ID.test(id) || key.length !== 32) return undefined;
  const streams = tls.slice(0, MAX_TLS).filter((address): address is HostPort => parseHostPort(address) !== undefined);
  const datagrams = parseHostPort(udp) ? { udp: udp as HostPort } : {};
  if (streams.length === 0 && !('udp' in datagrams)) return undefined;
  return { id, name: NAME.test(name) ? name : id, ...datagrams, tls: streams, key: Uint8Array.from(key) };
}
