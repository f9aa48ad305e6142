import {
  type HostPort,
  type IpAddress,
  type NodeId,
  nodeId,
  type Prefix,
  publicKeyFromBytes,
  SecretKey,
} from '@warren/base';
import { describe, expect, it } from 'vitest';
import {
  completePeersConf,
  decide,
  filePeersOf,
  type Network,
  type NetworkNode,
  type NodeKind,
  pairId,
  peersOf,
  type Role,
  renderNetworkPeersConf,
  renderPeersConf,
  renderWg0Conf,
  wg0ConfOptions,
} from './index.js';
import { makeNetwork } from './testing/networks.js';

const key = (n: number) => publicKeyFromBytes(new Uint8Array(32).fill(n));
const SECRET = new SecretKey(new Uint8Array(32).fill(9));
const CIDRS = ['10.44.0.0/16'] as Prefix[];

/** The classic example: five hosts, all of them vanilla unless told. */
function classic(kind: NodeKind = 'vanilla', v6 = false): Network {
  const host = (n: number, name: string, role: Role): NetworkNode => ({
    id: nodeId(`node-${n}`),
    name,
    role,
    kind,
    publicKey: key(n),
    addresses: [`10.44.0.${n}`, ...(v6 ? [`fd44::${n}`] : [])] as IpAddress[],
    ...(role !== 'client' && { endpoint: `${name}.example-vpn.dev:51820` as HostPort }),
  });
  const hosts = [
    host(1, 'public-server1', 'bounce'),
    host(2, 'public-server2', 'direct'),
    host(3, 'home-server', 'client'),
    host(4, 'laptop', 'client'),
    host(5, 'phone', 'client'),
  ];
  return makeNetwork(hosts, v6 ? [...CIDRS, 'fd44::/64' as Prefix] : CIDRS);
}

const [SERVER1, SERVER2, HOME, LAPTOP, PHONE] = [1, 2, 3, 4, 5].map((n) => nodeId(`node-${n}`)) as [
  NodeId,
  NodeId,
  NodeId,
  NodeId,
  NodeId,
];
const fileOf = (network: Network, id: NodeId, options = {}): string =>
  renderWg0Conf(network.nodes.get(id)!, peersOf(network, decide(network), id), { cidrs: network.cidrs, ...options });

const CLIENT_PEERS = `[Peer]
# Name = public-server1
Endpoint = public-server1.example-vpn.dev:51820
PublicKey = ${key(1)}
AllowedIPs = 10.44.0.0/16
PersistentKeepalive = 25

[Peer]
# Name = public-server2
Endpoint = public-server2.example-vpn.dev:51820
PublicKey = ${key(2)}
AllowedIPs = 10.44.0.2/32
PersistentKeepalive = 25
`;
const client = (n: number, name: string): string => `[Peer]
# Name = ${name}
PublicKey = ${key(n)}
AllowedIPs = 10.44.0.${n}/32
`;
const CLIENTS = [client(3, 'home-server'), client(4, 'laptop'), client(5, 'phone')].join('\n');

describe('the classic example as files', () => {
  it('gives the bounce every other host and switches forwarding on', () => {
    expect(fileOf(classic(), SERVER1, { privateKey: SECRET })).toBe(`[Interface]
# Name = public-server1
Address = 10.44.0.1/16
ListenPort = 51820
PrivateKey = CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=
MTU = 1400
PostUp = sysctl -q -w net.ipv4.ip_forward=1

[Peer]
# Name = public-server2
Endpoint = public-server2.example-vpn.dev:51820
PublicKey = ${key(2)}
AllowedIPs = 10.44.0.2/32

${CLIENTS}`);
  });

  it('gives the direct server the bounce for everything and the clients that call it', () => {
    expect(fileOf(classic(), SERVER2)).toBe(`[Interface]
# Name = public-server2
Address = 10.44.0.2/32
ListenPort = 51820
PrivateKey = PUT-THE-PRIVATE-KEY-HERE
MTU = 1400

[Peer]
# Name = public-server1
Endpoint = public-server1.example-vpn.dev:51820
PublicKey = ${key(1)}
AllowedIPs = 10.44.0.0/16

${CLIENTS}`);
  });

  it.each([
    [HOME, 3, 'home-server'],
    [LAPTOP, 4, 'laptop'],
    [PHONE, 5, 'phone'],
  ] as const)('gives the client %s the bounce for everything and the direct server', (id, n, name) => {
    expect(fileOf(classic(), id, { dns: ['1.1.1.1'] })).toBe(`[Interface]
# Name = ${name}
Address = 10.44.0.${n}/32
PrivateKey = PUT-THE-PRIVATE-KEY-HERE
DNS = 1.1.1.1
MTU = 1400

${CLIENT_PEERS}`);
  });

  it('gives a host that keeps its interface section the peers alone, and all clients one file', () => {
    const network = classic();
    const facts = decide(network);
    expect(renderPeersConf(peersOf(network, facts, LAPTOP))).toBe(CLIENT_PEERS);
    expect(renderNetworkPeersConf(network, facts)).toBe(CLIENT_PEERS);
  });

  it('carries preshared keys in a node file and never in the network-wide one', () => {
    const network = classic();
    const keyed = { ...network, presharedKeys: new Map([[pairId(LAPTOP, SERVER2), SECRET]]) };
    const facts = decide(keyed);
    const text = renderPeersConf(filePeersOf({ network: keyed, facts }, LAPTOP));
    expect(renderPeersConf(peersOf(keyed, facts, SERVER2)).match(/PresharedKey = .*/g)).toHaveLength(1);
    expect(renderPeersConf(peersOf(keyed, facts, SERVER1))).not.toContain('PresharedKey');
    expect(renderNetworkPeersConf(keyed, facts)).not.toContain('PresharedKey');
    expect(text.match(/PresharedKey = .*/g)).toEqual([expect.stringMatching(/CQkJ/)]);
    expect(text.indexOf('PresharedKey')).toBeGreaterThan(text.indexOf('public-server2'));
  });

  it('sets the private key by a command when asked, with no PrivateKey in the file', () => {
    const text = fileOf(classic(), LAPTOP, { privateKeyCommand: 'pass wireguard/laptop', postUp: ['echo up'] });
    expect(text).toContain('PostUp = wg set %i private-key <(pass wireguard/laptop)\nPostUp = echo up\n');
    expect(text).not.toContain('PrivateKey');
  });

  it('renders what the network sets, and over that what the node sets, and says who runs the commands', () => {
    const network = { ...classic(), settings: { dns: ['9.9.9.9', 'lan'], mtu: 1380, postUp: ['echo all'], fwMark: 7 } };
    const node = { ...network.nodes.get(LAPTOP)!, settings: { mtu: 1300, table: 'off', preDown: ['echo down'] } };
    const text = renderWg0Conf(node, new Map(), wg0ConfOptions(network, node));
    expect(text).toBe(`[Interface]
# Name = laptop
Address = 10.44.0.4/32
PrivateKey = PUT-THE-PRIVATE-KEY-HERE
DNS = 9.9.9.9, lan
Table = off
MTU = 1300
FwMark = 7
# The commands below were set in Warren and are run by wg-quick on this host, never by Warren.
PostUp = echo all
PreDown = echo down
`);
  });

  it('keeps ways open as often as the network says, and as the node says over that', () => {
    const base = classic();
    const own = { ...base.nodes.get(PHONE)!, settings: { persistentKeepalive: 0 } };
    const network = { ...base, settings: { persistentKeepalive: 60 }, nodes: new Map(base.nodes).set(PHONE, own) };
    const facts = decide(network);
    const keepalives = (id: NodeId) =>
      [...peersOf(network, facts, id).values()].map((peer) => peer.persistentKeepalive);
    expect(keepalives(LAPTOP)).toEqual([60, 60, 0, 0]);
    expect(keepalives(SERVER2)).toEqual([60, 0, 0, 0]);
    expect(keepalives(PHONE)).toEqual([0, 0, 0, 0]);
    expect(renderNetworkPeersConf(network, facts)).toContain('PersistentKeepalive = 60');
  });

  it('ends a file of peers with their number, so that one that was cut off is known', () => {
    const network = classic();
    const text = renderNetworkPeersConf(network, decide(network));
    expect(completePeersConf(text)).toBe(`${text}\n# End of file: 2 peers\n`);
    expect(completePeersConf('')).toBe('# End of file: 0 peers\n');
  });

  it('forwards IPv6 too where the network has it', () => {
    const text = fileOf(classic('vanilla', true), SERVER1);
    expect(text).toContain('Address = 10.44.0.1/16, fd44::1/64\n');
    expect(text).toContain('PostUp = sysctl -q -w net.ipv6.conf.all.forwarding=1\n');
    expect(text).toContain('AllowedIPs = 10.44.0.5/32, fd44::5/128\n');
    expect(fileOf(classic('vanilla', true), LAPTOP)).toContain('AllowedIPs = 10.44.0.0/16, fd44::/64\n');
  });
});

describe('the classic example as peer maps of agents', () => {
  const network = classic('agent');
  const facts = decide(network);
  const seenBy = (id: NodeId) =>
    [...peersOf(network, facts, id).values()].map((peer) => [
      peer.id,
      peer.allowedIps.join(' '),
      peer.endpoint ?? '',
      peer.persistentKeepalive,
      peer.via ?? '',
    ]);
  const endpoint = (n: number) => `public-server${n}.example-vpn.dev:51820`;

  it('makes everybody a peer of everybody, each with its own address and nothing more', () => {
    expect(seenBy(LAPTOP)).toEqual([
      [SERVER1, '10.44.0.1/32', endpoint(1), 25, ''],
      [SERVER2, '10.44.0.2/32', endpoint(2), 25, ''],
      [HOME, '10.44.0.3/32', '', 0, ''],
      [PHONE, '10.44.0.5/32', '', 0, ''],
    ]);
  });

  it('lets the servers wait for the clients', () => {
    expect(seenBy(SERVER2)).toEqual([
      [SERVER1, '10.44.0.1/32', endpoint(1), 0, ''],
      [HOME, '10.44.0.3/32', '', 0, ''],
      [LAPTOP, '10.44.0.4/32', '', 0, ''],
      [PHONE, '10.44.0.5/32', '', 0, ''],
    ]);
    expect(seenBy(SERVER1)).toEqual([
      [SERVER2, '10.44.0.2/32', endpoint(2), 0, ''],
      [HOME, '10.44.0.3/32', '', 0, ''],
      [LAPTOP, '10.44.0.4/32', '', 0, ''],
      [PHONE, '10.44.0.5/32', '', 0, ''],
    ]);
  });

  it('lets agents be peers without any bounce', () => {
    const without = makeNetwork(
      [...network.nodes.values()].filter((node) => node.id !== SERVER1),
      CIDRS,
    );
    const peers = peersOf(without, decide(without), LAPTOP);
    expect(peers.get(PHONE)).toMatchObject({ allowedIps: ['10.44.0.5/32'], persistentKeepalive: 0 });
    expect(peers.get(SERVER2)).toMatchObject({ allowedIps: ['10.44.0.2/32'] });
  });
});

describe('the classic example with a phone that is a vanilla member', () => {
  const hosts = [...classic('agent').nodes.values()].map((node) =>
    node.id === PHONE ? { ...node, kind: 'vanilla' as const } : node,
  );
  const see = (nodes: readonly NetworkNode[], viewer: NodeId, subject: NodeId) => {
    const network = makeNetwork(nodes, CIDRS);
    return peersOf(network, decide(network), viewer).get(subject);
  };

  it('lets agents reach it by way of its home, whose AllowedIPs hold it', () => {
    expect(see(hosts, LAPTOP, SERVER1)!.allowedIps).toEqual(['10.44.0.1/32', '10.44.0.5/32']);
    expect(see(hosts, LAPTOP, PHONE)).toMatchObject({ allowedIps: [], persistentKeepalive: 0, via: SERVER1 });
    expect(see(hosts, PHONE, LAPTOP)).toMatchObject({ allowedIps: [], via: SERVER1 });
    expect(see(hosts, PHONE, SERVER1)!.allowedIps).toEqual(CIDRS);
  });

  it('lets it and the direct server be peers of each other, to whom the bounce is only itself', () => {
    expect(see(hosts, SERVER2, PHONE)).toMatchObject({ allowedIps: ['10.44.0.5/32'], persistentKeepalive: 0 });
    expect(see(hosts, PHONE, SERVER2)).toMatchObject({ allowedIps: ['10.44.0.2/32'], persistentKeepalive: 25 });
    expect(see(hosts, SERVER2, SERVER1)!.allowedIps).toEqual(['10.44.0.1/32']);
  });

  it('says that it cannot be reached while there is no bounce', () => {
    const without = hosts.filter((node) => node.id !== SERVER1);
    expect(see(without, LAPTOP, PHONE)).toMatchObject({ allowedIps: [], persistentKeepalive: 0 });
    expect(see(without, LAPTOP, PHONE)).not.toHaveProperty('via');
  });
});

describe('the network-wide file', () => {
  it('names the other bounces in comments, because one peer only can have the network', () => {
    const hosts = [...classic().nodes.values()];
    const second = {
      ...hosts[0]!,
      id: nodeId('node-9'),
      name: 'spare',
      publicKey: key(7),
      addresses: ['10.44.0.9' as IpAddress],
    };
    const network = makeNetwork([second, ...hosts], CIDRS);
    const text = renderNetworkPeersConf(network, decide(network));
    expect(text.startsWith(CLIENT_PEERS)).toBe(true);
    const rest = text.slice(CLIENT_PEERS.length).trim().split('\n');
    expect(rest.every((line) => line.startsWith('# '))).toBe(true);
    expect(rest).toContain(`# PublicKey = ${key(7)}`);
  });

  it('is empty for a network that has neither bounce nor direct node', () => {
    const network = makeNetwork([classic().nodes.get(LAPTOP)!], CIDRS);
    expect(renderNetworkPeersConf(network, decide(network))).toBe('');
  });
});
