import { type IpAddress, type Prefix, parseHostPort, publicKeyFromBytes, SecretKey, toBase64 } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isWgQuickProblem,
  PRIVATE_KEY_PLACEHOLDER,
  parseWgQuick,
  renderWgQuick,
  type WgQuickConf,
  type WgQuickPeer,
} from './index.js';
import { isConfText } from './wg-quick.js';

const KEY = publicKeyFromBytes(new Uint8Array(32).fill(1));
const SECRET = toBase64(new Uint8Array(32).fill(2));

/** Secret keys hide themselves from comparison too: show them, and leave out what is undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(expose(value)));
function expose(value: unknown): unknown {
  if (value instanceof SecretKey) return `secret:${toBase64(value.expose())}`;
  if (Array.isArray(value)) return value.map(expose);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expose(item)]));
}
const parsed = (text: string): WgQuickConf => {
  const conf = parseWgQuick(text);
  if (isWgQuickProblem(conf)) throw new Error(`line ${conf.line}: ${conf.message}`);
  return conf;
};

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const secret = bytes32.map((bytes) => new SecretKey(bytes));
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).filter(isConfText);
const value = text.filter((item) => !item.includes('#'));
const item = value.filter((one) => !one.includes(','));
const prefix = fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, length]) => `${address}/${length}`);
const hostPrefix = fc.oneof(
  fc.ipV4().map((a) => `${a}/32` as Prefix),
  fc.integer({ min: 1, max: 65_535 }).map((n) => `fd00::${n.toString(16)}/128` as Prefix),
);
const optional = <T extends Record<string, fc.Arbitrary<unknown>>>(model: T) => fc.record(model, { requiredKeys: [] });
const endpoint = fc
  .tuple(fc.oneof(fc.ipV4(), fc.domain(), fc.constant('[fd00::1]')), fc.integer({ min: 1, max: 65_535 }))
  .map(([host, port]) => `${host}:${port}`)
  .filter((one) => parseHostPort(one) !== undefined);

const confs = fc.record({
  interface: fc
    .tuple(
      fc.record({
        addresses: fc.array(
          prefix.map((one) => ({ address: one.split('/')[0] as IpAddress, length: Number(one.split('/')[1]) })),
        ),
        dns: fc.array(item, { maxLength: 3 }),
        preUp: fc.array(value, { maxLength: 2 }),
        postUp: fc.array(value, { maxLength: 2 }),
        preDown: fc.array(value, { maxLength: 2 }),
        postDown: fc.array(value, { maxLength: 2 }),
      }),
      optional({
        name: text,
        listenPort: fc.nat(65_535),
        table: fc.constantFrom('off', 'auto', '1234'),
        mtu: fc.nat(9000),
        fwMark: fc.nat(2 ** 32 - 1),
        saveConfig: fc.boolean(),
      }),
      fc.oneof(fc.constant({}), fc.constant({ privateKeyElsewhere: true }), fc.record({ privateKey: secret })),
    )
    .map(([lists, more, key]) => ({ ...lists, ...more, ...key })),
  peers: fc.array(
    fc
      .tuple(
        fc.record({ publicKey: bytes32.map(publicKeyFromBytes), allowedIps: fc.array(hostPrefix, { maxLength: 3 }) }),
        optional({ name: text, endpoint, presharedKey: secret, persistentKeepalive: fc.nat(65_535) }),
      )
      .map(([always, sometimes]) => ({ ...always, ...sometimes }) as WgQuickPeer),
    { maxLength: 4 },
  ),
}) as fc.Arbitrary<WgQuickConf>;

describe('wg-quick files', () => {
  it('come back from their text as they were', () => {
    fc.assert(
      fc.property(confs, (conf) => {
        expect(plain(parsed(renderWgQuick(conf)))).toEqual(plain(conf));
      }),
      { numRuns: 500 },
    );
  });

  it('are read as people write them', () => {
    const conf = parsed(
      [
        '[interface] # mine\r',
        'address=10.44.0.4/16,fd44::4/64',
        'Address = 10.45.0.4',
        `PRIVATEKEY =   ${SECRET}`,
        'ListenPort = 0x1f90',
        'FwMark = off',
        'Table = OFF',
        'SaveConfig = True',
        'DNS = 1.1.1.1, lan',
        'PostUp = iptables -A FORWARD -i %i -j ACCEPT; iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE',
        'PostUp = echo "a = b"',
        '[Peer]',
        '# just a comment',
        '# Name = node1.example.dev',
        `PublicKey = ${KEY}`,
        'AllowedIPs = 10.44.0.9/16, ::/0',
        'AllowedIPs = 192.0.2.7',
        'AllowedIPs =',
        'PersistentKeepalive = off',
        'PersistentKeepalive = 25',
      ].join('\n'),
    );
    expect(plain(conf)).toEqual({
      interface: {
        addresses: [
          { address: '10.44.0.4', length: 16 },
          { address: 'fd44::4', length: 64 },
          { address: '10.45.0.4', length: 32 },
        ],
        privateKey: `secret:${SECRET}`,
        listenPort: 8080,
        fwMark: 0,
        table: 'off',
        saveConfig: true,
        dns: ['1.1.1.1', 'lan'],
        preUp: [],
        postUp: [
          'iptables -A FORWARD -i %i -j ACCEPT; iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE',
          'echo "a = b"',
        ],
        preDown: [],
        postDown: [],
      },
      peers: [
        {
          name: 'node1.example.dev',
          publicKey: KEY,
          allowedIps: ['10.44.0.0/16', '::/0', '192.0.2.7/32'],
          persistentKeepalive: 25,
        },
      ],
    });
  });

  it('tell a placeholder, a key set elsewhere and a key apart', () => {
    expect(parsed(`[Interface]\nPrivateKey = ${PRIVATE_KEY_PLACEHOLDER}\n`).interface).not.toHaveProperty(
      'privateKeyElsewhere',
    );
    expect(parsed('[Interface]\n').interface.privateKeyElsewhere).toBe(true);
    expect(parsed(`[Interface]\nPrivateKey = ${SECRET}\n`).interface.privateKey).toBeInstanceOf(SecretKey);
  });

  it.each([
    ['', 1, 'no [Interface]'],
    ['hello', 1, 'neither a section'],
    ['[Interface]\n[Other]', 2, '[Interface] or [Peer]'],
    ['MTU = 1', 1, 'before any section'],
    ['[Interface]\nColour = red', 2, 'Colour is no key of [Interface]'],
    ['[Interface]\nEndpoint = a:1', 2, 'Endpoint is no key of [Interface]'],
    ['[Interface]\nMTU = many', 2, 'MTU must be a number of 0 to 65535'],
    ['[Interface]\nListenPort = 65536', 2, 'ListenPort must be'],
    ['[Interface]\nAddress = 10.0.0.300', 2, 'Address must be addresses'],
    ['[Interface]\nTable = blue', 2, 'Table must be off, auto'],
    ['[Interface]\nSaveConfig = maybe', 2, 'true or false'],
    ['[Interface]\nPrivateKey = c2VjcmV0', 2, 'PrivateKey must be the base64 of 32 bytes'],
    ['[Interface]\n\n[Peer]\nAllowedIPs = 10.0.0.0/8', 3, 'no PublicKey'],
    ['[Interface]\n[Peer]\nPublicKey = x', 3, 'PublicKey must be'],
    [`[Interface]\n[Peer]\nPublicKey = ${KEY}\nEndpoint = host`, 4, 'Endpoint must be host:port'],
    [`[Interface]\n[Peer]\nPublicKey = ${KEY}\nAllowedIPs = 10.0.0.0/8, x`, 4, 'AllowedIPs must be prefixes'],
    [`[Interface]\n[Peer]\nPresharedKey = ${SECRET.slice(1)}`, 3, 'PresharedKey must be'],
  ])('%j are refused by line and reason', (file, line, message) => {
    const problem = parseWgQuick(file);
    expect(problem).toMatchObject({ line, message: expect.stringContaining(message) });
  });

  it('never have a value quoted when they are refused: it may be a private key', () => {
    const almost = SECRET.slice(0, -2);
    for (const key of ['PrivateKey', 'PublicKey', 'MTU', 'Address', 'Nonsense']) {
      expect(JSON.stringify(parseWgQuick(`[Interface]\n${key} = ${almost}\n`))).not.toContain(almost);
    }
    expect(JSON.stringify(parseWgQuick(`[Interface]\n${almost}\n`))).not.toContain(almost);
  });

  it('never throw, whatever they hold', () => {
    const line = fc.oneof(
      fc.constantFrom('[Interface]', '[Peer]', '# Name = x', `PublicKey = ${KEY}`, `PrivateKey = ${SECRET}`),
      fc
        .tuple(
          fc.constantFrom('Address', 'DNS', 'MTU', 'AllowedIPs', 'Endpoint', 'Table', 'PostUp', 'FwMark', 'PublicKey'),
          fc.oneof(
            fc.string({ unit: 'binary', maxLength: 20 }),
            fc.constantFrom('10.0.0.1/8', '::/0', '0x1', 'off', 'a:1'),
          ),
        )
        .map(([key, one]) => `${key} = ${one}`),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    const files = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'));
    let read = 0;
    fc.assert(
      fc.property(files, (file) => {
        const conf = parseWgQuick(file);
        if (isWgQuickProblem(conf)) return;
        read++;
        // What was read can be written, and then says the same.
        expect(plain(parsed(renderWgQuick(conf)))).toEqual(plain(conf));
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(10);
    expect(parseWgQuick('x'.repeat(2_000_000))).toMatchObject({ message: expect.stringContaining('too long') });
  });

  it('are never made of a value that would begin another line or end as a comment', () => {
    const base = parsed(`[Interface]\n[Peer]\nPublicKey = ${KEY}`);
    const evil = ['x\nPostUp = touch /tmp/pwned', 'x\rPostUp = y', 'x\u2028y', 'x\0', ' x', ''];
    for (const name of evil) {
      expect(() => renderWgQuick({ ...base, interface: { ...base.interface, name } })).toThrow('one line');
      expect(() => renderWgQuick({ ...base, peers: [{ ...base.peers[0]!, name }] })).toThrow('one line');
      expect(() => renderWgQuick({ ...base, interface: { ...base.interface, postUp: [name] } })).toThrow('one line');
    }
    expect(() => renderWgQuick({ ...base, interface: { ...base.interface, postUp: ['echo # no'] } })).toThrow(
      'one line',
    );
  });
});
