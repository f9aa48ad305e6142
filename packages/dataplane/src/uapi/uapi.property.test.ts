import { type Endpoint, type Prefix, parsePrefix, publicKeyFromBytes, SecretKey, unixMillis } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceSettings, PeerSettings } from '../device-settings-api.js';
import { isProblem, parseSet } from './parse-set.js';
import { renderGet } from './render-get.js';
import { RequestReader, type UapiRequest } from './request-reader.js';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const secret = fc.option(
  key.map((bytes) => new SecretKey(bytes)),
  { nil: undefined },
);
const prefix = fc
  .oneof(fc.tuple(fc.ipV4(), fc.nat(32)), fc.tuple(fc.ipV6(), fc.nat(128)))
  .map(([address, length]) => parsePrefix(`${address}/${length}`))
  .filter((parsed): parsed is Prefix => parsed !== undefined);
const peer: fc.Arbitrary<PeerSettings> = fc.record({
  publicKey: key.map(publicKeyFromBytes),
  presharedKey: secret,
  endpoint: fc.option(
    fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map((parts) => parts.join(':') as Endpoint),
    { nil: undefined },
  ),
  persistentKeepalive: fc.nat(65_535),
  allowedIps: fc.uniqueArray(prefix, { maxLength: 5 }),
  lastHandshake: fc.option(fc.nat().map(unixMillis), { nil: undefined }),
  rxBytes: fc.nat(),
  txBytes: fc.nat(),
  managed: fc.boolean(),
});
const settings: fc.Arbitrary<DeviceSettings> = fc.record({
  privateKey: secret,
  listenPort: fc.nat(65_535),
  fwmark: fc.nat(0xffff_ffff),
  peers: fc.array(peer, { maxLength: 6 }),
});

/** Of an answer to `get`, what `set` takes. */
const settable = (answer: string) =>
  answer
    .split('\n')
    .filter((line) => line !== '' && !/^(errno|rx_bytes|tx_bytes|last_handshake_time_n?sec)=/.test(line))
    .join('\n');

describe('what get renders', () => {
  it('set understands as the same settings', () => {
    fc.assert(
      fc.property(settings, (given) => {
        const change = parseSet(settable([...renderGet(given)].join('')));
        if (isProblem(change)) throw new Error(change.message);
        expect(change.privateKey?.expose()).toEqual(given.privateKey?.expose());
        expect(change.listenPort ?? 0).toBe(given.listenPort);
        expect(change.fwmark ?? 0).toBe(given.fwmark);
        expect(change.peers).toHaveLength(given.peers.length);
        for (const [index, wanted] of given.peers.entries()) {
          const found = change.peers[index]!;
          expect(found.publicKey).toBe(wanted.publicKey);
          expect(found.presharedKey?.expose()).toEqual(wanted.presharedKey?.expose() ?? new Uint8Array(32));
          expect(found.endpoint).toBe(wanted.endpoint);
          expect(found.persistentKeepalive).toBe(wanted.persistentKeepalive);
          expect(found.allowedIps.map((change) => change.prefix)).toEqual(wanted.allowedIps);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('ends with the error number and a blank line, and has no other blank line', () => {
    fc.assert(
      fc.property(settings, (given) => {
        const answer = [...renderGet(given)].join('');
        expect(answer.endsWith('errno=0\n\n')).toBe(true);
        expect(answer.indexOf('\n\n')).toBe(answer.length - 2);
      }),
    );
  });
});

describe('the request reader', () => {
  const body = fc.array(fc.stringMatching(/^[a-z_]{1,20}=[a-z0-9./-]{0,40}$/), { maxLength: 8 });
  const request = fc.oneof(
    fc.constant<UapiRequest>({ operation: 'get' }),
    body.map<UapiRequest>((lines) => ({ operation: 'set', body: lines.join('\n') })),
  );
  const textOf = (given: UapiRequest) => {
    if (given.operation !== 'set') return 'get=1\n\n';
    return `set=1\n${given.body === '' ? '' : `${given.body}\n`}\n`;
  };

  it('finds the same requests however the text is cut', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 5 }), fc.array(fc.nat(60), { maxLength: 60 }), (requests, cuts) => {
        let rest = requests.map(textOf).join('');
        const reader = new RequestReader();
        const found: UapiRequest[] = [];
        for (const cut of cuts) {
          found.push(...reader.push(rest.slice(0, cut)));
          rest = rest.slice(cut);
        }
        found.push(...reader.push(rest));
        expect(found).toEqual(requests);
        expect(reader.inRequest).toBe(false);
      }),
    );
  });
});
