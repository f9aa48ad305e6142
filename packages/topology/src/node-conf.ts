import {
  addressBits,
  type IpAddress,
  ipFamily,
  type NodeId,
  type Prefix,
  parseHostPort,
  prefixContains,
  prefixLength,
  type SecretKey,
} from '@warren/base';
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

export interface Wg0ConfOptions {
  /** The network's prefixes: a bounce's addresses carry their length, all others' are host addresses. */
  readonly cidrs: readonly Prefix[];
  /** Absent: the file carries `PRIVATE_KEY_PLACEHOLDER`. */
  readonly privateKey?: SecretKey;
  /** A shell command that prints the private key: the file then sets it in PostUp and has no PrivateKey (ADR 0013). */
  readonly privateKeyCommand?: string;
  readonly mtu?: number;
  /** Default: the port of the endpoint; a client's is the system's choice. */
  readonly listenPort?: number;
  readonly dns?: readonly string[];
  readonly table?: string;
  readonly fwMark?: number;
  readonly saveConfig?: boolean;
  readonly preUp?: readonly string[];
  readonly postUp?: readonly string[];
  readonly preDown?: readonly string[];
  readonly postDown?: readonly string[];
  readonly presharedKeys?: ReadonlyMap<NodeId, SecretKey>;
}

/**
 * A node's whole wg-quick file: its interface and the peers that it is a WireGuard peer of; those that it reaches
 * through a bounce are in that bounce's AllowedIPs. Bounces first, then direct nodes, then clients, each by name.
 */
export function renderWg0Conf(self: ConfSubject, peers: PeerMap, options: Wg0ConfOptions): string {
  const { cidrs, privateKey, privateKeyCommand, mtu, listenPort, presharedKeys, ...passedOn } = options;
  const port = listenPort ?? (self.endpoint === undefined ? undefined : parseHostPort(self.endpoint)?.port);
  const setKey = privateKeyCommand === undefined ? [] : [`wg set %i private-key <(${privateKeyCommand})`];
  const forward = self.role === 'bounce' ? forwardingCommands(self.addresses) : [];
  return renderWgQuick({
    interface: {
      dns: [],
      preUp: [],
      preDown: [],
      postDown: [],
      ...passedOn,
      name: self.name,
      addresses: self.addresses.map((address) => interfaceAddress(self.role, address, cidrs)),
      ...(port !== undefined && { listenPort: port }),
      ...(privateKey && privateKeyCommand === undefined && { privateKey }),
      ...(privateKeyCommand !== undefined && { privateKeyElsewhere: true }),
      mtu: mtu ?? DEFAULT_MTU,
      postUp: [...setKey, ...forward, ...(options.postUp ?? [])],
    },
    peers: filePeers(peers.values(), presharedKeys),
  });
}

/** The peer sections of one node's file, for a host that keeps its interface section to itself (ADR 0013). */
export function renderPeersConf(peers: PeerMap, presharedKeys?: ReadonlyMap<NodeId, SecretKey>): string {
  return renderWgQuickPeers(filePeers(peers.values(), presharedKeys));
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
      persistentKeepalive: CLIENT_KEEPALIVE,
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

function filePeers(peers: Iterable<Peer>, presharedKeys?: ReadonlyMap<NodeId, SecretKey>): WgQuickPeer[] {
  const direct = [...peers].filter((peer) => peer.allowedIps.length > 0).sort(byRoleAndName);
  return direct.map((peer) => {
    const presharedKey = presharedKeys?.get(peer.id);
    return {
      name: peer.name,
      publicKey: peer.publicKey,
      allowedIps: peer.allowedIps,
      ...(peer.endpoint !== undefined && { endpoint: peer.endpoint }),
      ...(presharedKey && { presharedKey }),
      ...(peer.persistentKeepalive > 0 && { persistentKeepalive: peer.persistentKeepalive }),
    };
  });
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
