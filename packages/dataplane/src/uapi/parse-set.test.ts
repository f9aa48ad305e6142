import { type Prefix, publicKeyFromBytes, toHex } from '@warren/base';
import { describe, expect, it } from 'vitest';
import type { DeviceChange } from '../device-settings-api.js';
import { isProblem, parseSet } from './parse-set.js';

const bytes = (byte: number) => new Uint8Array(32).fill(byte);
const hex = (byte: number) => toHex(bytes(byte));

function parsed(...lines: string[]): DeviceChange {
  const change = parseSet(lines.join('\n'));
  if (isProblem(change)) throw new Error(change.message);
  return change;
}

describe('a set request', () => {
  it('may ask for nothing', () => {
    expect(parsed()).toEqual({ replacePeers: false, peers: [] });
  });

  it('sets every key of the device', () => {
    const change = parsed(`private_key=${hex(1)}`, 'listen_port=51820', 'fwmark=4294967295', 'replace_peers=true');
    expect(change).toMatchObject({ listenPort: 51_820, fwmark: 0xffff_ffff, replacePeers: true });
    expect(change.privateKey?.expose()).toEqual(bytes(1));
  });

  it('sets every key of a peer', () => {
    const change = parsed(
      `public_key=${hex(2)}`,
      'update_only=true',
      `preshared_key=${hex(3)}`,
      'endpoint=[2001:db8::0:1]:51820',
      'persistent_keepalive_interval=25',
      'replace_allowed_ips=true',
      'allowed_ip=10.1.2.3/8',
      'allowed_ip=-fd00::1/64',
      'protocol_version=1',
    );
    expect(change.peers[0]).toMatchObject({
      publicKey: publicKeyFromBytes(bytes(2)),
      remove: false,
      updateOnly: true,
      endpoint: '[2001:db8::1]:51820',
      persistentKeepalive: 25,
      replaceAllowedIps: true,
      allowedIps: [
        { verb: 'add', prefix: '10.0.0.0/8' as Prefix },
        { verb: 'remove', prefix: 'fd00::/64' as Prefix },
      ],
    });
    expect(change.peers[0]?.presharedKey?.expose()).toEqual(bytes(3));
  });

  it('keeps the order of its peers, and one that comes twice twice', () => {
    const change = parsed(`public_key=${hex(1)}`, 'remove=true', `public_key=${hex(2)}`, `public_key=${hex(1)}`);
    expect(change.peers.map(({ publicKey, remove }) => [publicKey, remove])).toEqual([
      [publicKeyFromBytes(bytes(1)), true],
      [publicKeyFromBytes(bytes(2)), false],
      [publicKeyFromBytes(bytes(1)), false],
    ]);
  });

  it('forgets the prefixes that come before they are replaced', () => {
    const change = parsed(`public_key=${hex(1)}`, 'allowed_ip=10.0.0.0/8', 'replace_allowed_ips=true');
    expect(change.peers[0]).toMatchObject({ replaceAllowedIps: true, allowedIps: [] });
  });

  it('takes keys in capitals', () => {
    expect(parsed(`public_key=${'AB'.repeat(32)}`).peers[0]?.publicKey).toBe(publicKeyFromBytes(bytes(0xab)));
  });

  it.each([
    ['listen_port', 71],
    ['', 71],
    [`private_key=${hex(1).slice(1)}`, 22],
    [`private_key=${hex(1)}0`, 22],
    [`private_key=${'g'.repeat(64)}`, 22],
    ['listen_port=65536', 22],
    ['listen_port=-1', 22],
    ['listen_port=0x10', 22],
    ['listen_port=', 22],
    ['fwmark=4294967296', 22],
    ['replace_peers=false', 22],
    ['unknown=1', 22],
    ['allowed_ip=10.0.0.0/8', 22],
    ['=', 22],
    [`public_key=${hex(1)}00`, 22],
    ['public_key=', 22],
  ])('is refused as a whole for the device line %j', (line, errno) => {
    expect(parseSet(`listen_port=1\n${line}`)).toMatchObject({ errno });
  });

  it.each([
    'listen_port=1',
    'remove=1',
    'update_only=',
    'preshared_key=00',
    'endpoint=example.org:51820',
    'endpoint=1.2.3.4',
    'endpoint=1.2.3.4:0',
    'endpoint=1.2.3.4:65536',
    'endpoint=fd00::1:51820',
    'persistent_keepalive_interval=65536',
    'persistent_keepalive_interval=off',
    'replace_allowed_ips=yes',
    'allowed_ip=10.0.0.1',
    'allowed_ip=10.0.0.0/33',
    'allowed_ip=--10.0.0.0/8',
    'allowed_ip=-',
    'allowed_ip=::/129',
    'protocol_version=2',
    'rx_bytes=1',
  ])('is refused as a whole for the peer line %j', (line) => {
    expect(parseSet(`public_key=${hex(1)}\n${line}`)).toMatchObject({ errno: 22 });
  });

  it('never repeats a key in what it says about it', () => {
    const secret = `${'5e'.repeat(31)}zz`;
    for (const line of [`private_key=${secret}`, `public_key=${hex(1)}\npreshared_key=${secret}`, secret]) {
      const problem = parseSet(line);
      expect(JSON.stringify(problem)).not.toContain('5e5e');
    }
  });
});
