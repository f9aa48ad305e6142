import {
  type HostPort,
  type IpAddress,
  type NodeId,
  networkId,
  nodeId,
  type Prefix,
  publicKeyFromBytes,
} from '@warren/base';
import fc from 'fast-check';
import type { Network, NetworkNode, NodeKind, Role } from '../model.js';

export const CIDRS = ['10.44.0.0/16', 'fd44::/64'] as Prefix[];

export interface NodeShape {
  readonly role: Role;
  readonly kind: NodeKind;
  readonly reachable: boolean;
  readonly v6: boolean;
  readonly salt: number;
}

/** Node number `index` of a test: addresses 10.44.0.(index+1) and fd44::(index+1), a key and an id of its own. */
export function makeNode(index: number, shape: Partial<NodeShape> = {}): NetworkNode {
  const { role = 'client', kind = 'agent', reachable = role !== 'client', v6 = true, salt = 0 } = shape;
  const id = `${((salt * 2_654_435_761 + index) >>> 0).toString(16).padStart(8, '0')}-${index}`;
  const key = new Uint8Array(32).fill(salt & 0xff);
  key[0] = index;
  const record = { record: Uint8Array.of(index, salt), identityKey: key, signature: new Uint8Array(64).fill(index) };
  const addresses = [`10.44.0.${index + 1}`, ...(v6 ? [`fd44::${(index + 1).toString(16)}`] : [])] as IpAddress[];
  return {
    id: nodeId(id),
    name: `${role}-${index}`,
    role,
    kind,
    publicKey: publicKeyFromBytes(key),
    addresses,
    ...(reachable && { endpoint: `203.0.113.${index + 1}:51820` as HostPort }),
    ...(kind === 'agent' && { record }),
  };
}

export function makeNetwork(nodes: Iterable<NetworkNode>, cidrs: readonly Prefix[] = CIDRS): Network {
  const map = new Map<NodeId, NetworkNode>(Array.from(nodes, (node) => [node.id, node]));
  return { id: networkId('net'), name: 'default', cidrs, mtu: 1400, nodes: map };
}

const shapes = (roles: readonly Role[]): fc.Arbitrary<NodeShape> =>
  fc.record({
    role: fc.constantFrom(...roles),
    kind: fc.constantFrom<NodeKind>('agent', 'agent', 'vanilla'),
    // Now and then a public role without an endpoint: it must still be reached, as a client is.
    reachable: fc.nat(9).map((n) => n > 0),
    v6: fc.nat(9).map((n) => n > 0),
    salt: fc.nat(1_000_000),
  });

/** 0 to 3 bounces and up to 12 other nodes of all roles and kinds. */
export const nodeLists: fc.Arbitrary<NetworkNode[]> = fc
  .tuple(
    fc.array(shapes(['bounce']), { maxLength: 3 }),
    fc.array(shapes(['direct', 'client', 'client']), { maxLength: 12 }),
  )
  .map(([bounces, others]) =>
    [...bounces, ...others].map((shape, index) =>
      makeNode(index, { ...shape, reachable: shape.reachable && shape.role !== 'client' }),
    ),
  );
