import { CLASSIC_NODES, type ClassicName, type ClassicSite } from '@warren/netlab';
import { createKeyPair, type KeyPair } from './wireguard-keys.js';

export type ClassicKeys = Readonly<Record<ClassicName, KeyPair>>;
const CLASSIC_PORT = 51_820;

export const createClassicKeys = (): ClassicKeys =>
  Object.fromEntries(CLASSIC_NODES.map(({ name }) => [name, createKeyPair()])) as Record<ClassicName, KeyPair>;

/** The file of one of the five hosts, `public-server2` completed with the clients that the documentation leaves out. */
export function classicFile(name: ClassicName, keys: ClassicKeys, { hosts }: ClassicSite): string {
  const node = CLASSIC_NODES.find((found) => found.name === name)!;
  const peer = (of: ClassicName, allowedIps: string, more: readonly string[] = []): string =>
    ['[Peer]', `# Name = ${of}`, `PublicKey = ${keys[of].publicKey}`, `AllowedIPs = ${allowedIps}`, ...more].join('\n');
  const endpoint = (of: ClassicName): string => `Endpoint = ${hosts[of].ipv4}:${CLASSIC_PORT}`;
  const clients = CLASSIC_NODES.filter(({ role }) => role === 'client').map((client) =>
    peer(client.name, `${client.ipv4}/32`),
  );
  const isPublic = node.role !== 'client';
  const keepalive = isPublic ? [] : ['PersistentKeepalive = 25'];
  const head = [
    '[Interface]',
    `# Name = ${name}`,
    `Address = ${node.ipv4}/${node.role === 'bounce' ? 16 : 32}`,
    `PrivateKey = ${keys[name].privateKey}`,
    ...(isPublic ? [`ListenPort = ${CLASSIC_PORT}`] : []),
    ...(node.role === 'bounce' ? ['PostUp = sysctl -q -w net.ipv4.ip_forward=1'] : []),
  ].join('\n');
  const toBounce = peer('public-server1', '10.44.0.0/16', [endpoint('public-server1'), ...keepalive]);
  const toDirect = peer('public-server2', '10.44.0.2/32', [endpoint('public-server2'), ...keepalive]);
  const peers: Record<typeof node.role, readonly string[]> = {
    bounce: [toDirect, ...clients],
    direct: [toBounce, ...clients],
    client: [toBounce, toDirect],
  };
  return `${[head, ...peers[node.role]].join('\n\n')}\n`;
}
