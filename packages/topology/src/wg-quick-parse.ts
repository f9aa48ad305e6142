import {
  addressBits,
  type HostPort,
  type IpAddress,
  type Prefix,
  type PublicKey,
  parseHostPort,
  parseIpAddress,
  parsePrefix,
  parsePublicKey,
  SecretKey,
} from '@warren/base';
import {
  type InterfaceAddress,
  isConfText,
  PRIVATE_KEY_PLACEHOLDER,
  type WgQuickConf,
  type WgQuickInterface,
  type WgQuickPeer,
} from './wg-quick.js';

/** Why a file was not read. The message quotes keys' names, never their values: one may be a private key. */
export interface WgQuickProblem {
  /** 1 for the first. */
  readonly line: number;
  readonly message: string;
}

/** Longest file that is looked at, in characters: two thousand peers. */
export const MAX_CONF_LENGTH = 1_000_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K] };
type InterfaceDraft = Mutable<WgQuickInterface>;
type PeerDraft = Partial<Mutable<WgQuickPeer>> & { allowedIps: Prefix[]; readonly line: number };
/** Takes a value into the draft. @returns what it should have been, when it is not. */
type Setter<Draft> = (draft: Draft, value: string) => string | undefined;

/**
 * Reads a wg-quick file as wg-quick(8) does: keys in any case, `#` comments, lists by comma or repetition, the last of
 * a repeated single value. `# Name = …` inside a section names it. Never throws.
 */
export function parseWgQuick(text: string): WgQuickConf | WgQuickProblem {
  if (text.length > MAX_CONF_LENGTH) return { line: 1, message: 'the file is too long to be a wg-quick file' };
  const parser = new Parser();
  // Windows editors put a mark in front.
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const message = parser.take(line, index + 1);
    if (message !== undefined) return { line: index + 1, message };
  }
  return parser.finish();
}

/** Tells a problem from a file. */
export const isWgQuickProblem = (result: WgQuickConf | WgQuickProblem): result is WgQuickProblem => 'message' in result;

class Parser {
  #interface: InterfaceDraft | undefined;
  #section: InterfaceDraft | PeerDraft | undefined;
  #sawPrivateKey = false;
  readonly #peers: PeerDraft[] = [];

  take(line: string, number: number): string | undefined {
    const name = /^\s*#\s*Name\s*=(.*)$/i.exec(line)?.[1];
    if (name !== undefined) return this.#name(name.trim());
    const content = line.replace(/#.*/, '').trim();
    if (content === '') return undefined;
    if (content.startsWith('[')) return this.#begin(content.toLowerCase(), number);
    const [, key, value] = /^([A-Za-z]+)\s*=\s*(.*)$/.exec(content) ?? [];
    if (key === undefined || value === undefined) return 'this is neither a section nor "Key = value"';
    return this.#set(key, value);
  }

  finish(): WgQuickConf | WgQuickProblem {
    if (!this.#interface) return { line: 1, message: 'the file has no [Interface] section' };
    const peers: WgQuickPeer[] = [];
    for (const { line, publicKey, ...peer } of this.#peers) {
      if (publicKey === undefined) return { line, message: 'this [Peer] has no PublicKey' };
      peers.push({ publicKey, ...peer });
    }
    return { interface: { ...this.#interface, ...(!this.#sawPrivateKey && { privateKeyElsewhere: true }) }, peers };
  }

  #begin(head: string, line: number): string | undefined {
    if (head === '[peer]') {
      const peer: PeerDraft = { line, allowedIps: [] };
      this.#peers.push(peer);
      this.#section = peer;
      return undefined;
    }
    if (head !== '[interface]') return 'a section is [Interface] or [Peer]';
    // wg takes a second [Interface] for more of the first one.
    this.#interface ??= { addresses: [], dns: [], preUp: [], postUp: [], preDown: [], postDown: [] };
    this.#section = this.#interface;
    return undefined;
  }

  /** Names are for people: one that cannot be kept is a comment like any other. */
  #name(name: string): undefined {
    if (this.#section && isConfText(name)) this.#section.name = name;
  }

  #set(key: string, value: string): string | undefined {
    if (!this.#section) return `${key} stands before any section`;
    const name = key.toLowerCase();
    const inInterface = this.#section === this.#interface;
    const interfaceSetter = INTERFACE_KEYS.get(name);
    const peerSetter = PEER_KEYS.get(name);
    if (inInterface ? !interfaceSetter : !peerSetter) {
      return `${key} is no key of ${inInterface ? '[Interface]' : '[Peer]'}`;
    }
    if (name === 'privatekey') this.#sawPrivateKey = true;
    const expected = inInterface
      ? interfaceSetter!(this.#section as InterfaceDraft, value)
      : peerSetter!(this.#section as PeerDraft, value);
    return expected === undefined ? undefined : `${key} must be ${expected}`;
  }
}

const INTERFACE_KEYS: ReadonlyMap<string, Setter<InterfaceDraft>> = new Map<string, Setter<InterfaceDraft>>([
  ['address', (draft, value) => addAll(draft.addresses, value, parseInterfaceAddress, 'addresses as in 10.44.0.3/32')],
  ['listenport', (draft, value) => setNumber(value, 65_535, (port) => ({ listenPort: port }), draft)],
  ['privatekey', setPrivateKey],
  ['dns', (draft, value) => addAll(draft.dns, value, (item) => (isConfText(item) ? item : undefined), 'a list')],
  ['table', setTable],
  ['mtu', (draft, value) => setNumber(value, 65_535, (mtu) => ({ mtu }), draft)],
  ['fwmark', (draft, value) => setNumber(value, 2 ** 32 - 1, (fwMark) => ({ fwMark }), draft)],
  ['saveconfig', setSaveConfig],
  ['preup', (draft, value) => addCommand(draft.preUp, value)],
  ['postup', (draft, value) => addCommand(draft.postUp, value)],
  ['predown', (draft, value) => addCommand(draft.preDown, value)],
  ['postdown', (draft, value) => addCommand(draft.postDown, value)],
]);

const PEER_KEYS: ReadonlyMap<string, Setter<PeerDraft>> = new Map<string, Setter<PeerDraft>>([
  ['endpoint', setEndpoint],
  ['publickey', setPublicKey],
  ['presharedkey', setPresharedKey],
  ['allowedips', (draft, value) => addAll(draft.allowedIps, value, parsePrefix, 'prefixes as in 10.44.0.0/16')],
  [
    'persistentkeepalive',
    (draft, value) => setNumber(value, 65_535, (persistentKeepalive) => ({ persistentKeepalive }), draft),
  ],
]);

function setPrivateKey(draft: InterfaceDraft, value: string): string | undefined {
  if (value === PRIVATE_KEY_PLACEHOLDER) return undefined;
  const key = SecretKey.parse(value);
  if (!key) return 'the base64 of 32 bytes';
  draft.privateKey = key;
  return undefined;
}

function setTable(draft: InterfaceDraft, value: string): string | undefined {
  const table = value.toLowerCase();
  if (!/^(off|auto|\d{1,10}|0x[0-9a-f]{1,8})$/.test(table)) return 'off, auto or a number';
  draft.table = table;
  return undefined;
}

function setSaveConfig(draft: InterfaceDraft, value: string): string | undefined {
  const text = value.toLowerCase();
  if (text !== 'true' && text !== 'false') return 'true or false';
  draft.saveConfig = text === 'true';
  return undefined;
}

function setEndpoint(draft: PeerDraft, value: string): string | undefined {
  if (!parseHostPort(value)) return 'host:port, IPv6 addresses in brackets';
  draft.endpoint = value as HostPort;
  return undefined;
}

function setPublicKey(draft: PeerDraft, value: string): string | undefined {
  const key: PublicKey | undefined = parsePublicKey(value);
  if (!key) return 'the base64 of 32 bytes';
  draft.publicKey = key;
  return undefined;
}

function setPresharedKey(draft: PeerDraft, value: string): string | undefined {
  const key = SecretKey.parse(value);
  if (!key) return 'the base64 of 32 bytes';
  draft.presharedKey = key;
  return undefined;
}

/** `off` is 0 for every number that wg knows. */
function setNumber<Draft extends object>(
  value: string,
  max: number,
  field: (number: number) => Partial<Draft>,
  draft: Draft,
): string | undefined {
  const text = value.toLowerCase();
  const number = text === 'off' ? 0 : /^(\d{1,10}|0x[0-9a-f]{1,8})$/.test(text) ? Number(text) : Number.NaN;
  if (!(number <= max)) return `a number of 0 to ${max}, or off`;
  Object.assign(draft, field(number));
  return undefined;
}

function addCommand(commands: string[], value: string): string | undefined {
  if (!isConfText(value)) return 'a command of printable text';
  commands.push(value);
  return undefined;
}

function addAll<T>(
  into: T[],
  value: string,
  parse: (text: string) => T | undefined,
  expected: string,
): string | undefined {
  for (const text of value.split(',')) {
    const item = parse(text.trim());
    if (item === undefined && value.trim() !== '') return expected;
    if (item !== undefined) into.push(item);
  }
  return undefined;
}

function parseInterfaceAddress(text: string): InterfaceAddress | undefined {
  if (!parsePrefix(text)) return undefined;
  const [addressText, length] = text.split('/');
  const address: IpAddress = parseIpAddress(addressText!)!;
  return { address, length: length === undefined ? addressBits(address) : Number(length) };
}
