import { nodeId, type PublicKey, publicKeyFromBytes, type SecretKey, toBase64 } from '@warren/base';
import { type ImportFile, type ImportOptions, type ImportPlan, planImport, withoutPrivateKeys } from '../index.js';

/** Private key number `n`, 1 to 99, as text. */
export const secret = (n: number): string => toBase64(new Uint8Array(32).fill(n));
/** The public key that stands for it in tests: no curve is needed to plan. */
export const publicKey = (n: number): PublicKey => publicKeyFromBytes(new Uint8Array(32).fill(n + 100));
/** A preshared key, other than all of those. */
export const preshared = (n: number): string => toBase64(new Uint8Array(32).fill(n + 200));

const publicKeyOf = (key: SecretKey): PublicKey => publicKey(key.expose()[0]!);

/** What is sent of files as they are on hosts. */
export function redacted(files: Readonly<Record<string, string>>): ImportFile[] {
  return Object.entries(files).map(([name, text]) => {
    const result = withoutPrivateKeys(text, publicKeyOf);
    if ('message' in result) throw new Error(`${name}, line ${result.line}: ${result.message}`);
    return { name, text: result.text };
  });
}

/** The plan of files as they are on hosts; ids are n1, n2, … */
export function planOf(files: Readonly<Record<string, string>>, options: Partial<ImportOptions> = {}): ImportPlan {
  let count = 0;
  return planImport(redacted(files), { makeId: () => nodeId(`n${++count}`), ...options });
}

/** A plan in lines: prefixes, nodes, what there is to say. */
export function summary({ cidrs, nodes, report }: ImportPlan): { cidrs: string; nodes: string[]; report: string[] } {
  return {
    cidrs: cidrs.join(' '),
    nodes: nodes.map(({ name, role, addresses, endpoint, publicKey: key, settings }) => {
      const number = Buffer.from(key, 'base64')[0]! - 100;
      const more = Object.keys(settings).length > 0 ? ` ${JSON.stringify(settings)}` : '';
      return `${name} ${number} ${role} ${addresses.join(' ')}${endpoint ? ` @${endpoint}` : ''}${more}`;
    }),
    report: report.map(
      ({ level, file, line, message }) => `${level} ${file ?? '*'}${line ? `:${line}` : ''} ${message}`,
    ),
  };
}

const EXAMPLE = 'example-vpn.dev';
const peer = (name: string, n: number, allowed: string, more = ''): string =>
  `[Peer]\n# Name = ${name}.${EXAMPLE}\n${more}PublicKey = ${publicKey(n)}\nAllowedIPs = ${allowed}\n`;
const dial = (name: string): string => `Endpoint = ${name}.${EXAMPLE}:51820\n`;
const clients = [
  peer('home-server', 3, '10.44.0.3/32'),
  peer('laptop', 4, '10.44.0.4/32'),
  peer('phone', 5, '10.44.0.5/32'),
];
const client = (name: string, n: number): string => `[Interface]
# Name = ${name}.${EXAMPLE}
Address = 10.44.0.${n}/32
PrivateKey = ${secret(n)}
DNS = 1.1.1.1
${peer('public-server1', 1, '10.44.0.0/16', dial('public-server1'))}PersistentKeepalive = 25
${peer('public-server2', 2, '10.44.0.2/32', dial('public-server2'))}PersistentKeepalive = 25
`;

/** The classic example as WireGuard's community documentation has it: `oneSided` leaves the clients out of public-server2. */
export const classicFiles = (oneSided = false): Record<string, string> => ({
  'public-server1.conf': `[Interface]
# Name = public-server1.${EXAMPLE}
Address = 10.44.0.1/16
ListenPort = 51820
PrivateKey = ${secret(1)}
PostUp = sysctl -q -w net.ipv4.ip_forward=1
${peer('public-server2', 2, '10.44.0.2/32', dial('public-server2'))}${clients.join('')}`,
  'public-server2.conf': `[Interface]
# Name = public-server2.${EXAMPLE}
Address = 10.44.0.2/32
ListenPort = 51820
PrivateKey = ${secret(2)}
${peer('public-server1', 1, '10.44.0.0/16', dial('public-server1'))}${oneSided ? '' : clients.join('')}`,
  'home-server.conf': client('home-server', 3),
  'laptop.conf': client('laptop', 4),
  'phone.conf': client('phone', 5),
});
