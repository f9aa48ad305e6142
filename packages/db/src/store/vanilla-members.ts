import { randomUUID } from 'node:crypto';
import { nodeId, type PublicKey, parsePublicKey, WarrenError } from '@warren/base';
import { type ConfSettings, type ConfSettingsPatch, confSettingsProblem, mergeConfSettings } from '@warren/topology';
import type { Prisma } from '../gen/prisma/client.js';
import type { Actor, CreatedVanilla, NetworkRow, NodeRow, VanillaInput } from '../store-api.js';
import { badRequest, checkName } from './checks.js';
import { newConfigKey } from './config-keys.js';
import type { Database, Transaction } from './database.js';
import { added, addMember, checkKeys, checkNameIsFree, endpointFor, wireguardKeyBytes } from './members.js';
import { changeNetwork } from './network-change.js';
import { checkTags } from './tokens.js';

/**
 * Adds a member that runs any WireGuard, with a config key that is returned once. Its private key stays with its maker.
 * @throws WarrenError `not-found`, `name-taken`, `key-banned`, `key-taken`, `endpoint-missing`, `addresses-exhausted`,
 * `address-taken`, `bad-request`.
 */
export async function createVanilla(
  database: Database,
  input: VanillaInput,
  actor: Actor,
  rest: number,
): Promise<CreatedVanilla> {
  const { name, role, publicKey = null, tags = [], settings = {}, addresses = [] } = input;
  checkName('node', name);
  checkTags(tags);
  checkSettings(settings, 'node');
  if (publicKey !== null) checkPublicKey(publicKey);
  const endpoint = endpointFor(role, input.endpoint ?? null);
  const { secret: configKey, columns: keptKey } = newConfigKey();
  const node = await changeNetwork(database, input.networkId, actor, async (tx, network) => {
    if (publicKey !== null) await checkKeys(tx, network, publicKey, null);
    await checkNameIsFree(tx, network, name);
    const member = { id: nodeId(randomUUID()), name, role, publicKey, endpoint, tags, settings, addresses, keptKey };
    const node = await addMember(tx, network, { ...member, ...VANILLA }, rest);
    return added(node, node, 'node.create', {});
  });
  return { ...node, configKey };
}

const VANILLA = { kind: 'vanilla', status: 'active', ephemeral: false, listenPort: null, record: null } as const;

/** What a change of key or settings means for a node's row, and what the audit log says of it. */
export interface VanillaChange {
  readonly data: Prisma.NodeUpdateInput;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Works out a new key and new settings of a member, inside the transaction that writes them. A first key makes a member that
 * waits for one active; another one cuts it off until it is used there, too, because a file cannot change at the same moment
 * everywhere. @throws WarrenError `not-vanilla`, `key-banned`, `key-taken`, `bad-request`.
 */
export async function vanillaChange(
  tx: Transaction,
  network: NetworkRow,
  before: NodeRow,
  { publicKey, settings }: { publicKey?: PublicKey; settings?: ConfSettingsPatch },
): Promise<VanillaChange> {
  const isNewKey = publicKey !== undefined && publicKey !== before.publicKey;
  const key = isNewKey ? await keyChange(tx, network, before, publicKey) : NOTHING;
  const merged = settings && mergeConfSettings(before.settings ?? {}, settings);
  if (!merged || sameSettings(merged, before.settings ?? {})) return key;
  checkSettings(merged, 'node');
  return {
    data: { ...key.data, settings: merged as Prisma.InputJsonObject },
    details: { ...key.details, settings: merged },
  };
}

async function keyChange(
  tx: Transaction,
  network: NetworkRow,
  before: NodeRow,
  publicKey: PublicKey,
): Promise<VanillaChange> {
  checkPublicKey(publicKey);
  if (before.kind !== 'vanilla') {
    const text = `node "${before.name}" runs an agent, which makes its own keys: see \`warren node rotate-key\``;
    throw new WarrenError('not-vanilla', text);
  }
  await checkKeys(tx, network, publicKey, null);
  const mine = { networkId: network.id, nodeId: before.id, kind: 'wireguard' };
  await tx.nodeKey.updateMany({ where: { ...mine, state: 'current' }, data: { state: 'past' } });
  await tx.nodeKey.create({ data: { ...mine, key: wireguardKeyBytes(publicKey), state: 'current' } });
  const isFirst = before.publicKey === null;
  const becomesActive = isFirst && before.status === 'pending' && before.disabledAt === null;
  return {
    data: { publicKey, keyChangedAt: new Date(), ...(becomesActive && { status: 'active' }) },
    details: isFirst
      ? { publicKey }
      : { publicKey, replaces: before.publicKey, interruption: 'cut off until it uses the new key' },
  };
}

const NOTHING: VanillaChange = { data: {}, details: {} };

/** @throws WarrenError `bad-request`. */
export function checkSettings(settings: ConfSettings, of: 'network' | 'node'): void {
  const problem = confSettingsProblem(settings, of);
  if (problem !== undefined) throw badRequest(problem);
}

/** Whether two sets of settings say the same, whatever the order of their keys. */
export const sameSettings = (a: ConfSettings, b: ConfSettings): boolean => canonical(a) === canonical(b);

const canonical = (settings: ConfSettings): string =>
  JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));

function checkPublicKey(publicKey: PublicKey): void {
  if (!parsePublicKey(publicKey)) throw badRequest('the WireGuard public key must be 32 bytes in base64');
}
