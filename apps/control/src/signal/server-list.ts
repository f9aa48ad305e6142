import { formatHostPort, parseHostPort, publicKeyBytes } from '@warren/base';
import type { SignalServerRow } from '@warren/db';
import { decodeNodeRecord } from '@warren/identity';
import type { SignalServer } from '@warren/proto';
import type { Network, NetworkNode } from '@warren/topology';

/** What agents of a network are told of signal servers: those of everybody and, by id, those of its bounces. */
export function signalServersOf(network: Network, shared: readonly SignalServer[]): readonly SignalServer[] {
  const bounces = [...network.nodes.values()].flatMap((node) => ofBounce(node) ?? []);
  return [...shared, ...bounces.sort((a, b) => (a.id < b.id ? -1 : 1))];
}

/** As it goes over the wire. */
export const signalServerToWire = (row: SignalServerRow): SignalServer => ({
  id: row.id,
  name: row.region,
  udp: row.udp ?? '',
  tls: [...row.tls],
  key: Buffer.from(row.key),
});

/** Whether two lists say the same in the same order. */
export const sameServers = (a: readonly SignalServer[], b: readonly SignalServer[]): boolean =>
  a.length === b.length && a.every((server, i) => sameServer(server, b[i]!));

const sameServer = (a: SignalServer, b: SignalServer): boolean =>
  a.id === b.id && a.name === b.name && a.udp === b.udp && a.tls.join() === b.tls.join() && a.key.equals(b.key);

/** A bounce's server is at the host of its endpoint, and its key is the bounce's path key (signalling.md, “Names”). */
function ofBounce({ id, name, endpoint, signalPort, record }: NetworkNode): SignalServer | undefined {
  if (signalPort === undefined) return undefined; // nearly everybody: decoding their records would be most of the work
  const host = endpoint && parseHostPort(endpoint)?.host;
  const keys = record && decodeNodeRecord(record.record);
  if (!host || !keys) return undefined;
  const key = Buffer.from(publicKeyBytes(keys.pathKey));
  return { id, name, udp: formatHostPort(host, signalPort), tls: [], key };
}
