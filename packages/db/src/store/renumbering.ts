import { type IpAddress, type NetworkId, type NodeId, type Prefix, prefixesOverlap } from '@warren/base';
import {
  type AddressedNode,
  checkCidrs,
  checkPools,
  movePrefix,
  type NodeKind,
  planRenumbering,
  type RenumberPlan,
} from '@warren/topology';
import type { Renumbered, RenumberInput } from '../address-api.js';
import type { Actor, NetworkRow } from '../store-api.js';
import type { Database, Transaction } from './database.js';
import { changeNetwork } from './network-change.js';
import { readReservations, reservationText } from './reservations.js';
import { sortAddresses, toNetworkRow } from './rows.js';

type Member = AddressedNode & { readonly kind: NodeKind };

/**
 * Gives a network other prefixes and all its nodes other addresses, in one transaction. Addresses that are given up rest like
 * those of nodes that are gone. Every follower takes a snapshot afterwards.
 * @throws WarrenError `not-found`, `bad-request`, `addresses-exhausted`.
 */
export async function renumberNetwork(
  database: Database,
  id: NetworkId,
  input: RenumberInput,
  actor: Actor,
  rest: number,
): Promise<Renumbered> {
  const { cidrs, warnings } = checkCidrs(input.cidrs);
  return changeNetwork(database, id, actor, async (tx, network) => {
    const pools = input.pools ? checkPools(input.pools, cidrs) : movedPools(network, cidrs);
    const [members, reservations, resting] = await Promise.all([
      readMembers(tx, id),
      readReservations(tx, id),
      readResting(tx, id, rest),
    ]);
    const plan = planRenumbering({ from: network, to: { cidrs, pools }, nodes: members, reservations, resting });
    const kinds = new Map(members.map((member) => [member.id, member.kind]));
    const described = {
      nodes: plan.nodes.map((node) => ({ ...node, kind: kinds.get(node.id)! })),
      reservations: plan.reservations,
      warnings,
    };
    const same = [network.cidrs, network.pools].join('|') === [cidrs, pools].join('|');
    if (input.dryRun || same) {
      const shown = { ...network, cidrs, pools, revision: network.revision - 1 };
      return { result: { network: shown, ...described }, change: null };
    }
    const renumbered = await apply(tx, network, { cidrs, pools }, plan);
    const from = { cidrs: network.cidrs, pools: network.pools };
    const details = { from, to: { cidrs, pools }, nodes: members.length, dropped: droppedReservations(plan) };
    const audit = { action: 'network.renumber', subject: network.name, details };
    return { result: { network: renumbered, ...described }, change: { networkChanged: true, audit } };
  });
}

/** Pools move with their network; those that have no place there, or would overlap, are gone. */
function movedPools({ pools, cidrs: from }: NetworkRow, to: readonly Prefix[]): Prefix[] {
  const moved: Prefix[] = [];
  for (const pool of pools) {
    const next = movePrefix(pool, from, to);
    if (next && !moved.some((other) => prefixesOverlap(other, next))) moved.push(next);
  }
  return moved;
}

async function readMembers(tx: Transaction, id: NetworkId): Promise<Member[]> {
  const rows = await tx.$queryRaw<{ id: NodeId; name: string; kind: NodeKind; addresses: string[] }[]>`
    SELECT node.id, node.name, node.kind, array_agg(host(a.address)) AS addresses
    FROM node JOIN node_address a ON a.node_id = node.id
    WHERE node.network_id = ${id}::uuid GROUP BY node.id ORDER BY min(a.address), node.id`;
  return rows.map((row) => ({ ...row, addresses: sortAddresses(row.addresses) }));
}

async function readResting(tx: Transaction, id: NetworkId, rest: number): Promise<Set<IpAddress>> {
  const [row] = await tx.$queryRaw<{ all: string | null }[]>`
    SELECT string_agg(host(address), ' ') AS all FROM node_address
    WHERE network_id = ${id}::uuid AND rested_at > ${new Date(Date.now() - rest)}`;
  return new Set(row?.all ? (row.all.split(' ') as IpAddress[]) : []);
}

async function apply(
  tx: Transaction,
  { id }: NetworkRow,
  { cidrs, pools }: { cidrs: readonly Prefix[]; pools: readonly Prefix[] },
  plan: RenumberPlan,
): Promise<NetworkRow> {
  const pairs = plan.nodes.flatMap((node) => node.next.map((address) => [node.id, address] as const));
  const [nodes, addresses] = [pairs.map(([node]) => node), pairs.map(([, address]) => address)];
  await tx.$executeRaw`
    UPDATE node_address SET state = 'resting', rested_at = ${new Date()}, node_id = NULL
    WHERE network_id = ${id}::uuid AND state = 'in-use'
      AND NOT EXISTS (SELECT 1 FROM unnest(${addresses}::text[]) AS kept(address) WHERE kept.address::inet = node_address.address)`;
  await tx.$executeRaw`
    INSERT INTO node_address (network_id, address, node_id, state)
    SELECT ${id}::uuid, address::inet, node_id::uuid, 'in-use'
    FROM unnest(${addresses}::text[], ${nodes}::text[]) AS given(address, node_id)
    ON CONFLICT (network_id, address) DO UPDATE SET node_id = excluded.node_id, state = 'in-use', rested_at = NULL`;
  await moveReservations(tx, id, plan);
  return toNetworkRow(await tx.network.update({ where: { id }, data: { cidrs: [...cidrs], pools: [...pools] } }));
}

async function moveReservations(tx: Transaction, networkId: NetworkId, { reservations }: RenumberPlan): Promise<void> {
  const next = new Map(reservations.map((one) => [reservationText(one.prefix), one.next && reservationText(one.next)]));
  const rows = await tx.addressReservation.findMany({ where: { networkId } });
  await tx.addressReservation.deleteMany({ where: { networkId } });
  await tx.addressReservation.createMany({
    data: rows.flatMap((row) => {
      const prefix = next.get(row.prefix);
      return prefix ? [{ ...row, prefix }] : [];
    }),
  });
}

const droppedReservations = ({ reservations }: RenumberPlan): Prefix[] =>
  reservations.flatMap(({ prefix, next }) => (next ? [] : [prefix]));
