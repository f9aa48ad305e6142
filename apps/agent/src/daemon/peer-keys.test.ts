import { networkId, publicKeyBytes, publicKeyFromBytes } from '@warren/base';
import { signRecord } from '@warren/identity';
import * as wire from '@warren/proto';
import { beforeEach, describe, expect, it } from 'vitest';
import { generateNodeKeys, type NodeKeys, x25519PublicKey } from '../state/node-keys.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { makePeer, TestNetworkAuthority, type TestPeer, testNetworkId } from '../testing/peers.js';
import { DataPlaneKeeper } from './data-plane-keeper.js';
import { PeerTable } from './peer-table.js';

const network = testNetworkId();
const authority = new TestNetworkAuthority();
let warnings: string[];
let table: PeerTable;

beforeEach(() => {
  warnings = [];
  const log = (_level: string, message: string) => void warnings.push(message);
  const ownKey = publicKeyFromBytes(new Uint8Array(32).fill(7));
  table = new PeerTable({ networkId: networkId(network), authorityKey: authority.key, ownKey: () => ownKey, log });
});

const before = makePeer(network, 'one');
const next = generateNodeKeys().wireguard;

const recordOf = (keys: NodeKeys, change: Partial<NodeKeys> = {}): wire.SignedRecord => {
  const { identity, path, wireguard, nodeId, generation } = { ...keys, ...change };
  const signed = signRecord(identity, {
    ...{ networkId: networkId(network), nodeId, generation },
    wireguardKey: x25519PublicKey(wireguard),
    pathKey: x25519PublicKey(path),
  });
  const { record, identityKey, signature } = signed;
  return { record: Buffer.from(record), identityKey: Buffer.from(identityKey), signature: Buffer.from(signature) };
};

/** The node after its change, while both keys are accepted. */
const both = (change: Partial<wire.PeerEntry> = {}): Buffer => {
  const entry: wire.PeerEntry = {
    ...before.entry,
    wireguardKey: Buffer.from(publicKeyBytes(x25519PublicKey(next))),
    record: recordOf(before.keys, { wireguard: next, generation: 2 }),
    previousWireguardKey: before.entry.wireguardKey,
    previousRecord: before.entry.record,
    ...change,
  };
  return Buffer.from(wire.PeerEntry.encode(entry).finish());
};
const none = { previousWireguardKey: Buffer.alloc(0), previousRecord: undefined };

const use = (...peers: Buffer[]) => table.replace({ peers, tombstones: [] });

describe('the key that a peer had before', () => {
  it('is used with the one of now when the same identity signed both', () => {
    use(both());
    expect(warnings).toEqual([]);
    expect(table.accepted()[0]!.dataPlane).toMatchObject({
      publicKey: x25519PublicKey(next),
      previousKey: before.publicKey,
    });
  });

  it.each<[string, Partial<wire.PeerEntry>]>([
    ['has a wrong length', { previousWireguardKey: Buffer.alloc(31) }],
    ['the record of its keys is missing', { previousRecord: undefined }],
    ['not the one that it signed', { previousWireguardKey: Buffer.alloc(32, 9) }],
    ['another identity', { previousRecord: recordOf(before.keys, { identity: generateNodeKeys().identity }) }],
    ['signed for another node', { previousRecord: recordOf(before.keys, { nodeId: generateNodeKeys().nodeId }) }],
    ['not older', { previousRecord: recordOf(before.keys, { generation: 2 }) }],
    ['signature over its keys is wrong', { previousRecord: { ...before.entry.record!, signature: Buffer.alloc(64) } }],
  ])('is refused with its peer: %s', (why, change) => {
    use(both(change));
    expect(table.accepted()).toEqual([]);
    expect(warnings.join()).toContain(why);
  });

  it('of a vanilla member is the control plane’s word, as the other', () => {
    const vanilla = { vanilla: true, record: undefined, previousRecord: undefined };
    use(both(vanilla));
    expect(table.accepted()[0]!.dataPlane).toMatchObject({ previousKey: before.publicKey });
    use(both({ ...vanilla, previousRecord: before.entry.record! }));
    expect(table.accepted()).toEqual([]);
  });

  it('is not used if it was revoked', () => {
    const revoked: TestPeer = { ...before, keys: generateNodeKeys() };
    table.replace({ peers: [both()], tombstones: [authority.revoke(network, revoked)] });
    expect(table.accepted()).toEqual([]);
  });
});

describe('the data plane', () => {
  const plan = { interfaceName: 'wg0', listenPort: 1, mtu: 1400, addresses: [] };

  it('is told of the same peer by its new key, and of one that went', async () => {
    const { planes, start } = fakeDataPlanes();
    const two = makePeer(network, 'two');
    const keeper = new DataPlaneKeeper({
      start,
      keys: () => ({ privateKey: next, other: before.keys.wireguard, initiateWithOther: true }),
      signalling: undefined as never,
      log: () => undefined,
      onStarted: async () => undefined,
      onLost: () => undefined,
      onNetworkChange: () => undefined,
      onPathChange: () => undefined,
    });
    keeper.remembered = new Map([[before.publicKey, '192.0.2.7:7']]);
    use(before.bytes, two.bytes);
    await keeper.apply(plan, table.accepted());
    const plane = planes[0]!;
    // Which of its own keys it accepts it knows before anything else.
    expect(plane.keys).toMatchObject([{ initiateWithOther: true }]);
    use(both());
    await keeper.apply(plan, table.accepted());
    expect([...plane.peers.values()]).toMatchObject([
      { publicKey: x25519PublicKey(next), formerKey: before.publicKey, previousKey: before.publicKey },
    ]);
    use(both(none));
    await keeper.apply(plan, table.accepted());
    const [peer] = [...plane.peers.values()];
    expect([peer!.formerKey, peer!.previousKey]).toEqual([undefined, undefined]);
  });
});
