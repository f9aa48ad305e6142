import { generateKeyPairSync } from 'node:crypto';

/** A WireGuard key pair in base64. */
export function makeKeyPair(): { readonly privateKey: string; readonly publicKey: string } {
  const pair = generateKeyPairSync('x25519');
  const raw = (der: Buffer): string => der.subarray(-32).toString('base64');
  return {
    privateKey: raw(pair.privateKey.export({ format: 'der', type: 'pkcs8' })),
    publicKey: raw(pair.publicKey.export({ format: 'der', type: 'spki' })),
  };
}

const NAMES = ['public-server1', 'public-server2', 'home-server', 'laptop', 'phone'] as const;
export type ClassicName = (typeof NAMES)[number];
export type ClassicKeys = Readonly<Record<ClassicName, ReturnType<typeof makeKeyPair>>>;

export const makeClassicKeys = (): ClassicKeys =>
  Object.fromEntries(NAMES.map((name) => [name, makeKeyPair()])) as unknown as ClassicKeys;

/**
 * The files of the classic example; `presharedKey`, if there is one, is that of public-server1 and phone. With `oneSided`
 * public-server2 lists no clients, as the documentation has it.
 */
export function classicFiles(
  keys: ClassicKeys,
  { presharedKey, oneSided = false }: { presharedKey?: string; oneSided?: boolean } = {},
): Record<ClassicName, string> {
  const peer = (name: ClassicName, allowed: string, ...more: string[]): string =>
    ['[Peer]', `# Name = ${name}`, `PublicKey = ${keys[name].publicKey}`, `AllowedIPs = ${allowed}`, ...more, ''].join(
      '\n',
    );
  const dial = (name: string): string => `Endpoint = ${name}.example-vpn.dev:51820`;
  const shared = presharedKey === undefined ? [] : [`PresharedKey = ${presharedKey}`];
  const clients = [peer('home-server', '10.44.0.3/32'), peer('laptop', '10.44.0.4/32')].join('\n');
  const head = (name: ClassicName, address: string, ...more: string[]): string =>
    [
      '[Interface]',
      `# Name = ${name}`,
      `Address = ${address}`,
      `PrivateKey = ${keys[name].privateKey}`,
      ...more,
      '',
    ].join('\n');
  const client = (name: ClassicName, n: number, more: string[]): string =>
    [
      head(name, `10.44.0.${n}/32`, 'DNS = 1.1.1.1'),
      peer('public-server1', '10.44.0.0/16', dial('public-server1'), 'PersistentKeepalive = 25', ...more),
      peer('public-server2', '10.44.0.2/32', dial('public-server2'), 'PersistentKeepalive = 25'),
    ].join('\n');
  return {
    'public-server1': [
      head('public-server1', '10.44.0.1/16', 'ListenPort = 51820', 'PostUp = sysctl -q -w net.ipv4.ip_forward=1'),
      peer('public-server2', '10.44.0.2/32', dial('public-server2')),
      clients,
      peer('phone', '10.44.0.5/32', ...shared),
    ].join('\n'),
    'public-server2': [
      head('public-server2', '10.44.0.2/32', 'ListenPort = 51820'),
      peer('public-server1', '10.44.0.0/16', dial('public-server1')),
      ...(oneSided ? [] : [clients, peer('phone', '10.44.0.5/32')]),
    ].join('\n'),
    'home-server': client('home-server', 3, []),
    laptop: client('laptop', 4, []),
    phone: client('phone', 5, shared),
  };
}
