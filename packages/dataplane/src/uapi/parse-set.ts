import {
  type Endpoint,
  formatEndpoint,
  fromHex,
  KEY_LENGTH,
  type Prefix,
  parseEndpoint,
  parsePrefix,
  publicKeyFromBytes,
  SecretKey,
} from '@warren/base';
import type { AllowedIpChange, DeviceChange, PeerChange } from '../device-settings-api.js';
import { invalidProblem, protocolProblem, type UapiProblem } from './errno.js';

type Draft<T> = { -readonly [K in keyof T]: T[K] };
type PeerDraft = Omit<Draft<PeerChange>, 'allowedIps'> & { allowedIps: AllowedIpChange[] };
type DeviceDraft = Omit<Draft<DeviceChange>, 'peers'> & { peers: PeerDraft[] };

/** Takes the value of one key. @returns what is wrong with it, never the value itself: it may be a secret. */
type Setter<T> = (draft: T, value: string) => string | undefined;

/**
 * The lines of a `set=1` request after the first and without the blank one, to the change that they ask for.
 * Source: https://www.wireguard.com/xplatform/#configuration-protocol; where that is silent, wireguard-go.
 *
 * Deviation: the whole request is parsed before anything is applied, so that a bad line changes nothing. wireguard-go
 * applies line by line and leaves what came before the bad one.
 */
export function parseSet(body: string): DeviceChange | UapiProblem {
  const device: DeviceDraft = { replacePeers: false, peers: [] };
  let peer: PeerDraft | undefined;
  for (const line of body === '' ? [] : body.split('\n')) {
    const equals = line.indexOf('=');
    if (equals < 0) return protocolProblem('a line of the request has no "="');
    const key = line.slice(0, equals);
    const value = line.slice(equals + 1);
    if (key === 'public_key') {
      const bytes = parseKey(value);
      if (!bytes) return invalidProblem('public_key is not 64 hexadecimal digits');
      peer = newPeer(bytes);
      device.peers.push(peer);
      continue;
    }
    const problem = peer ? setValue(PEER_KEYS, peer, key, value) : setValue(DEVICE_KEYS, device, key, value);
    if (problem !== undefined) return invalidProblem(problem);
  }
  return device;
}

export const isProblem = (result: DeviceChange | UapiProblem): result is UapiProblem => 'errno' in result;

const newPeer = (publicKey: Uint8Array): PeerDraft => ({
  publicKey: publicKeyFromBytes(publicKey),
  remove: false,
  updateOnly: false,
  replaceAllowedIps: false,
  allowedIps: [],
});

function setValue<T>(keys: ReadonlyMap<string, Setter<T>>, draft: T, key: string, value: string): string | undefined {
  const setter = keys.get(key);
  if (!setter) return `${JSON.stringify(key.slice(0, 40))} is no key that can be set here`;
  const problem = setter(draft, value);
  return problem === undefined ? undefined : `${key} ${problem}`;
}

const DEVICE_KEYS: ReadonlyMap<string, Setter<DeviceDraft>> = new Map<string, Setter<DeviceDraft>>([
  [
    'private_key',
    (device, value) => {
      const bytes = parseKey(value);
      if (!bytes) return NO_KEY;
      device.privateKey = new SecretKey(bytes);
      bytes.fill(0);
      return undefined;
    },
  ],
  ['listen_port', number(65_535, (device, port) => (device.listenPort = port))],
  ['fwmark', number(0xffff_ffff, (device, mark) => (device.fwmark = mark))],
  ['replace_peers', yes((device) => (device.replacePeers = true))],
]);

const PEER_KEYS: ReadonlyMap<string, Setter<PeerDraft>> = new Map<string, Setter<PeerDraft>>([
  ['remove', yes((peer) => (peer.remove = true))],
  ['update_only', yes((peer) => (peer.updateOnly = true))],
  [
    'preshared_key',
    (peer, value) => {
      const bytes = parseKey(value);
      if (!bytes) return NO_KEY;
      peer.presharedKey = new SecretKey(bytes);
      bytes.fill(0);
      return undefined;
    },
  ],
  [
    'endpoint',
    (peer, value) => {
      const endpoint = canonicalEndpoint(value);
      if (!endpoint) return 'is not address:port, an IPv6 address in brackets';
      peer.endpoint = endpoint;
      return undefined;
    },
  ],
  ['persistent_keepalive_interval', number(65_535, (peer, seconds) => (peer.persistentKeepalive = seconds))],
  [
    'replace_allowed_ips',
    yes((peer) => {
      peer.replaceAllowedIps = true;
      peer.allowedIps = [];
    }),
  ],
  [
    'allowed_ip',
    (peer, value) => {
      const verb = value.startsWith('-') ? 'remove' : 'add';
      const prefix = canonicalPrefix(verb === 'remove' ? value.slice(1) : value);
      if (!prefix) return 'is not address/length';
      peer.allowedIps.push({ verb, prefix });
      return undefined;
    },
  ],
  ['protocol_version', (_peer, value) => (value === '1' ? undefined : 'is not 1, the only version that there is')],
]);

const NO_KEY = 'is not 64 hexadecimal digits';

function number<T>(most: number, set: (draft: T, value: number) => void): Setter<T> {
  return (draft, text) => {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= most)) return `is not a number from 0 to ${most}`;
    set(draft, value);
    return undefined;
  };
}

function yes<T>(set: (draft: T) => void): Setter<T> {
  return (draft, text) => {
    if (text !== 'true') return 'can only be "true"';
    set(draft);
    return undefined;
  };
}

function parseKey(text: string): Uint8Array | undefined {
  const bytes = text.length === KEY_LENGTH * 2 ? fromHex(text) : undefined;
  return bytes?.length === KEY_LENGTH ? bytes : undefined;
}

function canonicalEndpoint(text: string): Endpoint | undefined {
  const parsed = parseEndpoint(text);
  return parsed && formatEndpoint(parsed.address, parsed.port);
}

/** Host bits are cut off, as WireGuard does; a bare address is refused, as wireguard-go does. */
const canonicalPrefix = (text: string): Prefix | undefined => (text.includes('/') ? parsePrefix(text) : undefined);
