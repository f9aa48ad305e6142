import { type NetworkId, parsePublicKey, publicKeyBytes, WarrenError } from '@warren/base';
import { checkCidrs, DEFAULT_MTU, type PlannedNode } from '@warren/topology';
import type { Imported, ImportInput } from '../import-api.js';
import type { Actor, NetworkRow, NodeRow } from '../store-api.js';
import { forgetHints } from './address-hints.js';
import { badRequest, checkName, nameTaken } from './checks.js';
import { type Database, isUniqueViolation, type Transaction, transaction } from './database.js';
import { checkKeys } from './members.js';
import { changeNetwork, notify, writeAudit } from './network-change.js';
import { addPresharedKeys } from './preshared-keys.js';
import { plain, toNetworkRow, toNodeRow, WITH_ADDRESSES } from './rows.js';

/**
 * Makes a network with all its members, or fills one that has none, in one transaction. An empty network takes the prefixes
 * of the import: nobody is there who had others.
 * @throws WarrenError `network-not-empty`, `name-taken`, `key-banned`, `key-taken`, `bad-request`.
 */
export async function importNetwork(
  database: Database,
  input: ImportInput,
  actor: Actor,
  sealingKey: Uint8Array,
): Promise<Imported> {
  checkName('network', input.name);
  checkCidrs(input.cidrs);
  for (const node of input.nodes) checkNode(node);
  const found = await database.prisma.network.findUnique({ where: { name: input.name }, select: { id: true } });
  try {
    if (!found) return await transaction(database, (tx) => makeNetwork(tx, input, actor, sealingKey));
    return await changeNetwork(database, found.id as NetworkId, actor, async (tx, network) => {
      const result = await fillNetwork(tx, network, input, sealingKey);
      return { result, change: { networkChanged: true, audit: auditOf(input) } };
    });
  } catch (error) {
    throw isUniqueViolation(error) ? nameTaken('network', input.name) : error;
  }
}

async function makeNetwork(
  tx: Transaction,
  input: ImportInput,
  actor: Actor,
  sealingKey: Uint8Array,
): Promise<Imported> {
  const { name, cidrs } = input;
  const network = toNetworkRow(await tx.network.create({ data: { name, cidrs: [...cidrs], mtu: DEFAULT_MTU } }));
  const nodes = await addNodes(tx, network, input, sealingKey);
  await writeAudit(tx, network.id, auditOf(input), actor);
  await notify(tx, network.id);
  return { network, nodes, created: true };
}

async function fillNetwork(
  tx: Transaction,
  network: NetworkRow,
  input: ImportInput,
  sealingKey: Uint8Array,
): Promise<Imported> {
  const members = await tx.node.count({ where: { networkId: network.id, status: { not: 'revoked' } } });
  if (members > 0) throw networkNotEmpty(network.name, members);
  for (const { publicKey } of input.nodes) await checkKeys(tx, network, publicKey, null);
  forgetHints(network);
  const data = { cidrs: [...input.cidrs], pools: [] };
  const changed = toNetworkRow(await tx.network.update({ where: { id: network.id }, data }));
  return { network: changed, nodes: await addNodes(tx, changed, input, sealingKey), created: false };
}

/** Refuses to import into a network that has members: whose they are could not be told afterwards. */
export const networkNotEmpty = (name: string, members: number): WarrenError =>
  new WarrenError(
    'network-not-empty',
    `network "${name}" has ${members} node${members === 1 ? '' : 's'} already: import into a new one with --network NAME`,
  );

async function addNodes(
  tx: Transaction,
  network: NetworkRow,
  { nodes, presharedKeys }: ImportInput,
  sealingKey: Uint8Array,
): Promise<NodeRow[]> {
  const networkId = network.id;
  await tx.node.createMany({
    data: nodes.map(({ id, name, role, publicKey, endpoint, settings }) => ({
      ...{ id, networkId, name, role, publicKey, kind: 'vanilla', status: 'active', tags: [], ephemeral: false },
      endpoint: endpoint ?? null,
      settings: { ...settings } as object,
    })),
  });
  await tx.nodeKey.createMany({
    data: nodes.map(({ id, publicKey }) => ({
      ...{ networkId, nodeId: id, kind: 'wireguard', state: 'current' },
      key: plain(publicKeyBytes(publicKey)),
    })),
  });
  const addresses = nodes.flatMap((node) => node.addresses.map((address) => ({ address, id: node.id })));
  // Resting ones too: without members nobody is left who could take the new owner for the old one.
  await tx.$executeRaw`
    INSERT INTO node_address (network_id, address, node_id, state)
    SELECT ${networkId}::uuid, address::inet, id::uuid, 'in-use'
    FROM unnest(${addresses.map(({ address }) => address)}::text[], ${addresses.map(({ id }) => id)}::text[]) AS a(address, id)
    ON CONFLICT (network_id, address) DO UPDATE SET node_id = excluded.node_id, state = 'in-use', rested_at = NULL`;
  await addPresharedKeys(tx, sealingKey, networkId, presharedKeys);
  const rows = await tx.node.findMany({ where: { networkId }, include: WITH_ADDRESSES, orderBy: { name: 'asc' } });
  return rows.filter(({ status }) => status === 'active').map(toNodeRow);
}

const auditOf = ({ name, cidrs, nodes, presharedKeys }: ImportInput) => ({
  action: 'network.import',
  subject: name,
  details: { cidrs: [...cidrs], nodes: nodes.map((node) => node.name), presharedKeys: presharedKeys.length },
});

function checkNode({ name, publicKey, addresses }: PlannedNode): void {
  checkName('node', name);
  if (!parsePublicKey(publicKey)) throw badRequest(`node "${name}" has no valid public key`);
  if (addresses.length === 0) throw badRequest(`node "${name}" has no address`);
}
