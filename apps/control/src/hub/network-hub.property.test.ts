import { createHash } from 'node:crypto';
import {
  type HostPort,
  type IpAddress,
  type NodeId,
  networkId,
  nodeId,
  type Prefix,
  publicKeyFromBytes,
} from '@warren/base';
import type { ChangeRow, NetworkState, Store } from '@warren/db';
import { encodeNodeRecord } from '@warren/identity';
import { PeerEntry, type SignalServer, SyncResponse } from '@warren/proto';
import { decideNetwork, type NetworkNode, type Role, type SignedRecord } from '@warren/topology';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { partsOf } from '../testing/hub-parts.fixture.js';
import { entriesOf } from './entries.js';
import { NetworkHub } from './network-hub.js';
import { Session } from './session.js';

const NETWORK = networkId('0b0e5d6c-1111-4111-8111-111111111111');
const IDS = Array.from({ length: 6 }, (_, i) => nodeId(`0b0e5d6c-2222-4222-8222-00000000000${i}`));
const EPOCH = 1;

/** What a hub needs of the store: one network and its whole log, in memory. */
class MemoryLog {
  readonly rows: ChangeRow[] = [];
  readonly nodes = new Map<NodeId, NetworkNode>();
  /** Nodes that are there and not active. */
  readonly rest = new Map<NodeId, NetworkNode & { status: 'pending' | 'expired' }>();
  mtu = 1400;
  /** Rows up to this revision were pruned. */
  pruned = 0;

  get revision(): number {
    return this.rows.length;
  }

  set(id: NodeId, after: NetworkNode | null): void {
    const before = this.nodes.get(id) ?? null;
    this.rest.delete(id);
    if (after) this.nodes.set(id, after);
    else this.nodes.delete(id);
    this.rows.push({ revision: this.revision + 1, nodeId: id, before, after, tombstone: null, networkChanged: false });
  }

  /** As an operator disables a node, or its key runs out. */
  hold(id: NodeId, status: 'pending' | 'expired'): void {
    const node = this.nodes.get(id);
    if (!node) return;
    this.set(id, null);
    this.rest.set(id, { ...node, status });
  }

  approve(id: NodeId): void {
    const waiting = this.rest.get(id);
    if (!waiting) return;
    const { status: _, ...node } = waiting;
    this.set(id, node);
  }

  changeNetwork(): void {
    this.mtu = this.mtu === 1400 ? 1380 : 1400;
    this.rows.push({
      revision: this.revision + 1,
      nodeId: null,
      before: null,
      after: null,
      tombstone: null,
      networkChanged: true,
    });
  }

  state(): NetworkState {
    const cidrs = ['10.44.0.0/16' as Prefix];
    const network = { id: NETWORK, name: 'n', cidrs, mtu: this.mtu, nodes: new Map(this.nodes) };
    return { network, epoch: EPOCH, revision: this.revision, tombstones: [] };
  }

  store(): Store {
    return {
      loadNetwork: async () => this.state(),
      changesSince: async (_: unknown, revision: number) =>
        revision < this.pruned ? undefined : this.rows.slice(revision),
      claimGeneration: async () => true,
      findNode: async (id: NodeId) => {
        const node = this.nodes.get(id);
        const row = node ? { ...node, status: 'active' } : this.rest.get(id);
        return row && { ...row, networkId: NETWORK };
      },
    } as unknown as Store;
  }
}

/** An agent that applies what it is sent, strictly. */
class Follower {
  entries = new Map<string, Uint8Array>();
  position = { epoch: 0, revision: 0 };
  mtu = 0;
  pending = false;
  signalServers: SignalServer[] = [];
  ticket: Buffer | undefined;
  farewell: string | undefined;
  lastReply: Buffer | undefined;
  session: Session | undefined;
  #stream: object | undefined;

  constructor(readonly id: NodeId) {}

  connect(hub: NetworkHub): Promise<void> {
    this.farewell = undefined;
    this.ticket = undefined;
    const stream = {
      send: (bytes: Uint8Array, flushed: () => void) => {
        // An agent that connected again no longer reads its old stream.
        if (this.#stream === stream) this.#take(bytes);
        flushed();
      },
      end: () => {},
    };
    this.#stream = stream;
    this.session = new Session(this.id, 1, stream, { maxBuffered: 1e9, maxUnacked: 1e9 }, () => 0);
    return hub.attach(this.session, { position: this.position, digest: this.digest() });
  }

  disconnect(hub: NetworkHub): void {
    if (this.session) hub.detach(this.session);
    this.session = undefined;
  }

  digest(): Buffer {
    let sum = 0n;
    for (const bytes of this.entries.values()) sum += BigInt(`0x${createHash('sha256').update(bytes).digest('hex')}`);
    return Buffer.from((sum % 2n ** 256n).toString(16).padStart(64, '0'), 'hex');
  }

  #take(bytes: Uint8Array): void {
    const { message } = SyncResponse.decode(bytes);
    if (message?.$case === 'farewell') this.farewell = message.value.code;
    else if (message?.$case === 'heartbeatReply') this.lastReply = message.value.digest;
    else if (message?.$case === 'signalTicket') this.ticket = message.value.ticket;
    else if (message?.$case === 'snapshot') {
      this.entries.clear();
      this.#apply(message.value.peers);
      this.position = message.value.position!;
      this.mtu = message.value.self!.mtu;
      this.pending = message.value.self!.pending;
      this.signalServers = message.value.self!.signalServers;
    } else if (message?.$case === 'delta') {
      expect(message.value.from).toEqual(this.position);
      for (const id of message.value.remove) expect(this.entries.delete(id)).toBe(true);
      this.#apply(message.value.upsert);
      this.signalServers = message.value.self?.signalServers ?? this.signalServers;
      this.pending = message.value.self?.pending ?? this.pending;
      this.position = message.value.to!;
    }
  }

  #apply(upsert: readonly Buffer[]): void {
    for (const entry of upsert) this.entries.set(PeerEntry.decode(entry).nodeId, entry);
  }
}

function recordOf(id: NodeId, key: number): SignedRecord {
  const publicKey = publicKeyFromBytes(new Uint8Array(32).fill(key));
  const record = { networkId: NETWORK, nodeId: id, wireguardKey: publicKey, pathKey: publicKey, generation: 1 };
  return { record: encodeNodeRecord(record), identityKey: new Uint8Array(32), signature: new Uint8Array(64) };
}

function node(index: number, role: Role, name: number, kind: 'agent' | 'vanilla', key: number): NetworkNode {
  return {
    id: IDS[index]!,
    name: `node-${index}-${name}`,
    role,
    kind,
    publicKey: publicKeyFromBytes(new Uint8Array(32).fill(index * 16 + key)),
    addresses: [`10.44.0.${index + 1}` as IpAddress],
    ...(kind === 'agent' && { record: recordOf(IDS[index]!, key) }),
    ...(role === 'client' ? {} : { endpoint: `203.0.113.${index + 1}:${51820 + key}` as HostPort }),
  };
}

const index = fc.integer({ min: 0, max: IDS.length - 1 });
const small = fc.integer({ min: 0, max: 2 });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      index,
      role: fc.constantFrom<Role>('client', 'direct', 'bounce'),
      kind: fc.constantFrom('agent' as const, 'vanilla' as const),
      name: small,
      key: small,
    }),
  },
  // Alone, because everything else about a node hides what follows from its name.
  { weight: 3, arbitrary: fc.record({ do: fc.constant('rename' as const), index, name: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('disable' as const), index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('approve' as const), index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const), index }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('connect' as const), index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('disconnect' as const), index }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('publish' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('heartbeat' as const), index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('network' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('signals' as const), count: small }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('signal port' as const), index, port: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('prune' as const) }) },
);

it('whoever follows holds exactly what the compiler says, however it came to be there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }), async (steps) => {
      const log = new MemoryLog();
      const signals = { servers: [] as SignalServer[] };
      const hub = (await NetworkHub.open(NETWORK, partsOf(log.store(), { signals, signTicket: ticketOf })))!;
      const followers = IDS.map((id) => new Follower(id));
      for (const action of steps) {
        const follower = 'index' in action ? followers[action.index]! : undefined;
        if (action.do === 'set')
          log.set(IDS[action.index]!, node(action.index, action.role, action.name, action.kind, action.key));
        else if (action.do === 'rename' && log.nodes.has(follower!.id)) {
          log.set(follower!.id, { ...log.nodes.get(follower!.id)!, name: `renamed-${action.index}-${action.name}` });
        } else if (action.do === 'remove' && (log.nodes.has(follower!.id) || log.rest.has(follower!.id))) {
          log.set(follower!.id, null);
        } else if (action.do === 'disable') log.hold(follower!.id, 'pending');
        else if (action.do === 'expire') log.hold(follower!.id, 'expired');
        else if (action.do === 'approve') log.approve(follower!.id);
        else if (action.do === 'connect') await follower!.connect(hub);
        else if (action.do === 'disconnect') follower!.disconnect(hub);
        else if (action.do === 'publish') await hub.catchUp();
        else if (action.do === 'heartbeat' && follower!.session)
          hub.heartbeat(follower!.session, { position: follower!.position, digest: follower!.digest() });
        else if (action.do === 'network') log.changeNetwork();
        else if (action.do === 'signals') {
          signals.servers = Array.from({ length: action.count }, (_, i) => sharedServer(i));
          hub.signalsChanged();
        } else if (action.do === 'signal port' && log.nodes.has(follower!.id)) {
          log.set(follower!.id, { ...log.nodes.get(follower!.id)!, signalPort: 3478 + action.port });
        } else if (action.do === 'prune') log.pruned = log.revision;
      }
      await hub.catchUp();
      const now = decideNetwork(log.state().network);
      for (const follower of followers) {
        if (follower.session?.open) check(hub, now, follower, log.rest.get(follower.id)?.status === 'pending');
      }
    }),
    { numRuns: 500 },
  );
});

/** Names the keys that it is for, as a real one does. */
const ticketOf = (_: unknown, { record }: NetworkNode): Uint8Array | undefined => record?.record;

const sharedServer = (n: number): SignalServer => ({
  id: `shared-${n}`,
  name: 'somewhere',
  udp: `198.51.100.${n + 1}:3478`,
  tls: [],
  key: Buffer.alloc(32, n),
});

function check(hub: NetworkHub, now: ReturnType<typeof decideNetwork>, follower: Follower, waits: boolean): void {
  const session = follower.session!;
  expect(follower.farewell).toBeUndefined();
  expect((waits ? hub.waiting : hub.sessions).get(follower.id)).toBe(session);
  expect((waits ? hub.sessions : hub.waiting).has(follower.id)).toBe(false);
  expect(follower.pending).toBe(waits);
  if (waits) {
    expect([follower.entries.size, follower.signalServers]).toEqual([0, []]);
    hub.heartbeat(session, { position: follower.position, digest: follower.digest() });
    expect(follower.farewell).toBeUndefined();
    expect(follower.lastReply).toEqual(follower.digest());
    return;
  }
  const expected = [...entriesOf(now, follower.id)].map(([id, entry]) => [
    id,
    Buffer.from(entry.bytes).toString('hex'),
  ]);
  const held = [...follower.entries].map(([id, bytes]) => [id, Buffer.from(bytes).toString('hex')]);
  expect(Object.fromEntries(held)).toEqual(Object.fromEntries(expected));
  expect(follower.mtu).toBe(now.network.mtu);
  expect(follower.signalServers).toEqual(hub.signalServers);
  const { record } = now.network.nodes.get(follower.id)!;
  if (record) expect(follower.ticket).toEqual(Buffer.from(record.record));
  hub.heartbeat(session, { position: follower.position, digest: follower.digest() });
  expect(follower.farewell).toBeUndefined();
  expect(follower.lastReply).toEqual(follower.digest());
  expect(follower.position.revision).toBe(hub.version.revision);
}
