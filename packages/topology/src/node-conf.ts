import {
  addressBits,
  type IpAddress,
  ipFamily,
  type Prefix,
  parseHostPort,
  prefixContains,
  prefixLength,
  type SecretKey,
} from '@warren/base';
import type { ConfSettings } from './conf-settings.js';
import { effectiveSettings, hooksOf } from './conf-settings-check.js';
import { standing } from './decide.js';
import {
  CLIENT_KEEPALIVE,
  DEFAULT_MTU,
  type Facts,
  type Network,
  type NetworkNode,
  type Peer,
  type PeerMap,
  type Role,
} from './model.js';
import { compareText, hostPrefixes } from './order.js';
import { type InterfaceAddress, renderWgQuick, renderWgQuickPeers, type WgQuickPeer } from './wg-quick.js';

/** Whose file it is. */
export type ConfSubject = Pick<NetworkNode, 'name' | 'role' | 'addresses' | 'endpoint'>;

export interface Wg0ConfOptions extends Omit<ConfSettings, 'persistentKeepalive'> {
  /** The network's prefixes: a bounce's addresses carry their length, all others' are host addresses. */
  readonly cidrs: readonly Prefix[];
  /** Absent: the file carries `PRIVATE_KEY_PLACEHOLDER`. */
  readonly privateKey?: SecretKey;
  /** Default: the port of the endpoint; a client's is the system's choice. */
  readonly listenPort?: number;
}

/** What the file of a node of a network is rendered with: the node's settings over its network's. */
export const wg0ConfOptions = (
  network: Pick<Network, 'cidrs' | 'mtu' | 'settings'>,
  node: Pick<NetworkNode, 'settings'>,
): Wg0ConfOptions => {
  const { persistentKeepalive: _, ...settings } = effectiveSettings(network.settings, node.settings);
  return { mtu: network.mtu, ...settings, cidrs: network.cidrs };
};

/** Stands above commands that an operator set: whoever reads the file sees who runs them. */
const HOOK_NOTE = 'The commands below were set in Warren and are run by wg-quick on this host, never by Warren.';

/**
 * A node's whole wg-quick file: its interface and the peers that it is a WireGuard peer of; those that it reaches
 * through a bounce are in that bounce's AllowedIPs. Bounces first, then direct nodes, then clients, each by name.
 */
export function renderWg0Conf(self: ConfSubject, peers: PeerMap, options: Wg0ConfOptions): string {
  const { cidrs, privateKey, privateKeyCommand, mtu, listenPort, ...settings } = options;
  const port = listenPort ?? (self.endpoint === undefined ? undefined : parseHostPort(self.endpoint)?.port);
  const setKey = privateKeyCommand === undefined ? [] : [`wg set %i private-key <(${privateKeyCommand})`];
  const forward = self.role === 'bounce' ? forwardingCommands(self.addresses) : [];
  return renderWgQuick({
    interface: {
      dns: [],
      preUp: [],
      preDown: [],
      postDown: [],
      ...settings,
      name: self.name,
      addresses: self.addresses.map((address) => interfaceAddress(self.role, address, cidrs)),
      ...(port !== undefined && { listenPort: port }),
      ...(privateKey && privateKeyCommand === undefined && { privateKey }),
      ...(privateKeyCommand !== undefined && { privateKeyElsewhere: true }),
      mtu: mtu ?? DEFAULT_MTU,
      ...(hooksOf(options).length > 0 && { hookNote: HOOK_NOTE }),
      postUp: [...setKey, ...forward, ...(options.postUp ?? [])],
    },
    peers: filePeers(peers.values()),
  });
}

/** The peer sections of one node's file, for a host that keeps its interface section to itself (ADR 0013). */
export function renderPeersConf(peers: PeerMap): string {
  return renderWgQuickPeers(filePeers(peers.values()));
}

/**
 * Peer sections with a last line that says how many they are: a program that follows the file then knows one that was cut off,
 * or that is something else, from one without peers.
 */
export function completePeersConf(sections: string): string {
  const count = sections.match(/^\[Peer\]$/gm)?.length ?? 0;
  return `${sections}${sections && '\n'}# End of file: ${count} peer${count === 1 ? '' : 's'}\n`;
}

/**
 * One file of peer sections for every client of a network: its direct nodes, and a bounce for everything else, without
 * preshared keys. WireGuard gives a prefix to one peer only, so with several bounces one of them, the lowest by id
 * that is available, has the network, and the others are named in comments: a client homed at one of those needs its own file, which is exact.
 */
export function renderNetworkPeersConf(network: Network, facts: Facts): string {
  const nodes = [...network.nodes.values()].sort(byRoleAndName);
  const bounces = [...facts.homed.keys()].sort(compareText);
  const gateway = bounces.find((id) => !network.nodes.get(id)?.unavailable) ?? bounces[0];
  const listed = nodes.filter((node) => node.id === gateway || standing(node) === 'direct');
  const peers = listed.map(
    (node): WgQuickPeer => ({
      name: node.name,
      endpoint: node.endpoint!,
      publicKey: node.publicKey,
      allowedIps: node.id === gateway ? facts.cidrs : hostPrefixes(node.addresses),
      persistentKeepalive: facts.persistentKeepalive ?? CLIENT_KEEPALIVE,
    }),
  );
  const others = nodes.filter((node) => node.id !== gateway && standing(node) === 'bounce');
  return [renderWgQuickPeers(peers), ...others.map((node) => commentedBounce(node))].filter(Boolean).join('\n');
}

function commentedBounce(node: NetworkNode): string {
  const why = '# Members homed at this bounce need their own peers.conf; others reach it through the bounce above.';
  const section = renderWgQuickPeers([
    { name: node.name, endpoint: node.endpoint!, publicKey: node.publicKey, allowedIps: hostPrefixes(node.addresses) },
  ]);
  return `${why}\n${section.replace(/^(?:# )?(?=.)/gm, '# ')}`;
}

function filePeers(peers: Iterable<Peer>): WgQuickPeer[] {
  const direct = [...peers].filter((peer) => peer.allowedIps.length > 0).sort(byRoleAndName);
  return direct.map(({ name, publicKey, allowedIps, endpoint, presharedKey, persistentKeepalive }) => ({
    ...{ name, publicKey, allowedIps },
    ...(endpoint !== undefined && { endpoint }),
    ...(presharedKey && { presharedKey }),
    ...(persistentKeepalive > 0 && { persistentKeepalive }),
  }));
}

const ROLE_ORDER = { bounce: 0, direct: 1, client: 2 } as const satisfies Record<Role, number>;

function byRoleAndName(a: Pick<Peer, 'id' | 'name' | 'role'>, b: Pick<Peer, 'id' | 'name' | 'role'>): number {
  return ROLE_ORDER[a.role] - ROLE_ORDER[b.role] || compareText(a.name, b.name) || compareText(a.id, b.id);
}

/** A bounce's interface is the way to the whole network, so that wg-quick routes all of it there. */
function interfaceAddress(role: Role, address: IpAddress, cidrs: readonly Prefix[]): InterfaceAddress {
  const cidr = role === 'bounce' ? cidrs.find((prefix) => prefixContains(prefix, address)) : undefined;
  return { address, length: cidr ? prefixLength(cidr) : addressBits(address) };
}

function forwardingCommands(addresses: readonly IpAddress[]): string[] {
  const families = new Set(addresses.map(ipFamily));
  return [
    ...(families.has(4) ? ['sysctl -q -w net.ipv4.ip_forward=1'] : []),
    ...(families.has(6) ? ['sysctl -q -w net.ipv6.conf.all.forwarding=1'] : []),
  ];
}
