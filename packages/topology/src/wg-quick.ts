import {
  type HostPort,
  type IpAddress,
  invariant,
  type Prefix,
  type PublicKey,
  type SecretKey,
  toBase64,
} from '@warren/base';

/** A wg-quick file: every key that wg-quick(8) and wg(8) know, and names, which are comments to them. */
export interface WgQuickConf {
  readonly interface: WgQuickInterface;
  readonly peers: readonly WgQuickPeer[];
}

export interface WgQuickInterface {
  /** `# Name = …` under the section's head. */
  readonly name?: string;
  readonly addresses: readonly InterfaceAddress[];
  readonly listenPort?: number;
  /** Absent: the file carries `PRIVATE_KEY_PLACEHOLDER`, or leaves the line out with `privateKeyElsewhere`. */
  readonly privateKey?: SecretKey;
  /** No PrivateKey line at all: a PostUp command sets the key. */
  readonly privateKeyElsewhere?: boolean;
  /** Addresses of resolvers and search domains, as wg-quick tells them apart. */
  readonly dns: readonly string[];
  /** `off`, `auto` or a number. */
  readonly table?: string;
  readonly mtu?: number;
  /** 0 to 2^32 − 1; 0: off. */
  readonly fwMark?: number;
  readonly saveConfig?: boolean;
  /** A comment above the commands, for people. */
  readonly hookNote?: string;
  /** Shell commands, in order; `%i` is the interface. */
  readonly preUp: readonly string[];
  readonly postUp: readonly string[];
  readonly preDown: readonly string[];
  readonly postDown: readonly string[];
}

/** An address of the interface itself, its host bits kept: 10.44.0.1/16. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly length: number;
}

export interface WgQuickPeer {
  readonly name?: string;
  readonly endpoint?: HostPort;
  readonly publicKey: PublicKey;
  readonly presharedKey?: SecretKey;
  readonly allowedIps: readonly Prefix[];
  /** Seconds; absent or 0: off. */
  readonly persistentKeepalive?: number;
}

/**
 * Stands where a private key must be put in: page, command or caller replace it on the member's own machine (ADR 0013).
 * No key, so that wg refuses a file in which it was forgotten.
 */
export const PRIVATE_KEY_PLACEHOLDER = 'PUT-THE-PRIVATE-KEY-HERE';

/** The file as text, in our order of keys. `parseWgQuick` reads the same back. */
export function renderWgQuick(conf: WgQuickConf): string {
  return `${[interfaceLines(conf.interface), ...conf.peers.map(peerLines)].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Peer sections only. Empty without peers. */
export function renderWgQuickPeers(peers: readonly WgQuickPeer[]): string {
  return peers.map((peer) => `${peerLines(peer).join('\n')}\n`).join('\n');
}

function interfaceLines(section: WgQuickInterface): string[] {
  const key = section.privateKey ? toBase64(section.privateKey.expose()) : PRIVATE_KEY_PLACEHOLDER;
  return [
    '[Interface]',
    ...nameLine(section.name),
    ...listLine(
      'Address',
      section.addresses.map(({ address, length }) => `${address}/${length}`),
    ),
    ...numberLine('ListenPort', section.listenPort),
    ...(section.privateKeyElsewhere ? [] : [line('PrivateKey', key)]),
    ...listLine('DNS', section.dns),
    ...(section.table === undefined ? [] : [line('Table', section.table)]),
    ...numberLine('MTU', section.mtu),
    ...numberLine('FwMark', section.fwMark),
    ...(section.saveConfig === undefined ? [] : [line('SaveConfig', String(section.saveConfig))]),
    ...(section.hookNote === undefined ? [] : [`# ${section.hookNote}`]),
    ...section.preUp.map((command) => line('PreUp', command)),
    ...section.postUp.map((command) => line('PostUp', command)),
    ...section.preDown.map((command) => line('PreDown', command)),
    ...section.postDown.map((command) => line('PostDown', command)),
  ];
}

function peerLines(peer: WgQuickPeer): string[] {
  return [
    '[Peer]',
    ...nameLine(peer.name),
    ...(peer.endpoint === undefined ? [] : [line('Endpoint', peer.endpoint)]),
    line('PublicKey', peer.publicKey),
    ...(peer.presharedKey ? [line('PresharedKey', toBase64(peer.presharedKey.expose()))] : []),
    ...listLine('AllowedIPs', peer.allowedIps),
    ...numberLine('PersistentKeepalive', peer.persistentKeepalive),
  ];
}

const nameLine = (name: string | undefined): string[] => (name === undefined ? [] : [`# ${line('Name', name, '')}`]);
const listLine = (key: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [line(key, values.join(', '))];
const numberLine = (key: string, value: number | undefined): string[] =>
  value === undefined ? [] : [line(key, String(value))];

/**
 * The one place where text gets into a file, and files hold shell commands: a value that could begin another line, or
 * be cut off as a comment, is a bug of whoever let it come so far.
 */
function line(key: string, value: string, comment = '#'): string {
  const oneLine = isConfText(value) && (comment === '' || !value.includes(comment));
  invariant(oneLine, `the value of ${key} is one line of printable text`);
  return `${key} = ${value}`;
}

/** Printable text of one line, without white space at its ends: what comes back from a file as it went in. */
export const isConfText = (text: string): boolean =>
  /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u.test(text) && text.trim() === text;
