import { type NetworkId, type Prefix, WarrenError } from '@warren/base';
import { checkCidrs, checkPools, DEFAULT_MTU, mergeConfSettings } from '@warren/topology';
import type { Prisma } from '../gen/prisma/client.js';
import type { Actor, NetworkRow, NetworkSettings, Page, PageQuery } from '../store-api.js';
import { checkMtu, checkName, isUuid, nameTaken } from './checks.js';
import { type Database, isUniqueViolation, transaction } from './database.js';
import { applyKeyExpiry } from './key-expiry.js';
import { changeNetwork, notify, takeRevision, writeAudit } from './network-change.js';
import { checkNetworkTimes } from './network-times.js';
import { pageArguments, toPage } from './pages.js';
import { toNetworkRow } from './rows.js';
import { checkSettings, sameSettings } from './vanilla-members.js';

/** CIDRs follow the rules of @warren/topology. @throws WarrenError `name-taken`, `bad-request`. */
export async function createNetwork(
  database: Database,
  input: { name: string; cidrs: readonly Prefix[]; mtu?: number; pools?: readonly string[] },
  actor: Actor,
): Promise<NetworkRow> {
  const { name, mtu = DEFAULT_MTU } = input;
  checkName('network', name);
  checkMtu(mtu);
  const cidrs = [...checkCidrs(input.cidrs).cidrs];
  const pools = [...checkPools(input.pools ?? [], cidrs)];
  return refusingTakenName(name, () =>
    transaction(database, async (tx) => {
      const network = toNetworkRow(await tx.network.create({ data: { name, cidrs, pools, mtu } }));
      await writeAudit(
        tx,
        network.id,
        { action: 'network.create', subject: name, details: { cidrs, pools, mtu } },
        actor,
      );
      await notify(tx, network.id);
      return network;
    }),
  );
}

/** Oldest first. */
export async function listNetworks({ prisma }: Database, page?: PageQuery): Promise<Page<NetworkRow>> {
  return toPage(page, await prisma.network.findMany(pageArguments(page)), toNetworkRow);
}

/** An id is looked for first: a name that looks like one does not hide a network. */
export async function findNetwork({ prisma }: Database, idOrName: string): Promise<NetworkRow | undefined> {
  const byId = isUuid(idOrName) ? await prisma.network.findUnique({ where: { id: idOrName } }) : null;
  const row = byId ?? (await prisma.network.findUnique({ where: { name: idOrName } }));
  return row ? toNetworkRow(row) : undefined;
}

/** Every follower takes a snapshot afterwards. @throws WarrenError `not-found`, `name-taken`, `bad-request`. */
export async function updateNetwork(
  database: Database,
  id: NetworkId,
  change: NetworkSettings,
  actor: Actor,
): Promise<NetworkRow> {
  const { name, mtu } = change;
  if (name !== undefined) checkName('network', name);
  if (mtu !== undefined) checkMtu(mtu);
  checkNetworkTimes(change);
  return refusingTakenName(name ?? '', () =>
    changeNetwork(database, id, actor, async (tx, network) => {
      const data = changedColumns(network, change);
      if (Object.keys(data).length === 0) {
        return { result: { ...network, revision: network.revision - 1 }, change: null };
      }
      const result = toNetworkRow(await tx.network.update({ where: { id }, data }));
      if ('keyExpiryMs' in data) await applyKeyExpiry(tx, result);
      const audit = { action: 'network.update', subject: network.name, details: data };
      return { result, change: { networkChanged: true, audit } };
    }),
  );
}

/** What of a change is one. */
function changedColumns(network: NetworkRow, { pools: given, settings: patch, ...rest }: NetworkSettings) {
  const plain = Object.entries(rest).filter(
    ([key, value]) => value !== undefined && network[key as keyof typeof rest] !== value,
  );
  const pools = given && checkPools(given, network.cidrs);
  const settings = patch && mergeConfSettings(network.settings, patch);
  if (settings) checkSettings(settings, 'network');
  return {
    ...(Object.fromEntries(plain) as typeof rest),
    ...(pools && pools.join() !== network.pools.join() && { pools: [...pools] }),
    ...(settings && !sameSettings(settings, network.settings) && { settings: settings as Prisma.InputJsonObject }),
  };
}

/**
 * Everything of the network goes with it, its tombstones too. @throws WarrenError `not-found`, `network-not-empty`.
 */
export async function deleteNetwork(database: Database, id: NetworkId, actor: Actor): Promise<void> {
  await transaction(database, async (tx) => {
    const network = await takeRevision(tx, id);
    const left = await tx.node.count({ where: { networkId: id, status: { in: ['active', 'pending'] } } });
    if (left > 0) {
      const text = `network "${network.name}" still has ${left} node${left === 1 ? '' : 's'}: revoke or delete them first`;
      throw new WarrenError('network-not-empty', text);
    }
    // Addresses refer to their nodes without a cascade, so that no node can vanish with its addresses unrested.
    await tx.nodeAddress.deleteMany({ where: { networkId: id } });
    await tx.network.delete({ where: { id } });
    await writeAudit(tx, id, { action: 'network.delete', subject: network.name }, actor);
    await notify(tx, id);
  });
}

async function refusingTakenName<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isUniqueViolation(error) ? nameTaken('network', name) : error;
  }
}
