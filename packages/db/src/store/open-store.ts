import { checkDatabase, parseDatabaseUrl } from '../connection.js';
import { migrate } from '../migrate.js';
import type { OpenStoreOptions, Store } from '../store-api.js';
import { listAddresses, summariseAddresses } from './address-list.js';
import { ADDRESS_REST } from './addresses.js';
import { checkApiKey, createApiKey, deleteApiKey, listApiKeys } from './api-keys.js';
import { approveNode, disableNode } from './approvals.js';
import { listAudit } from './audit.js';
import { restoreBounce, withdrawBounce } from './bounces.js';
import { ChangeFeed } from './change-feed.js';
import { changesSince, loadNetwork, pruneChanges } from './change-log.js';
import { clearClone, noteClone } from './clones.js';
import { missingMigrations, nodeCounts } from './condition.js';
import { checkConfigKey, configKeySince, createConfigKey, deleteConfigKey } from './config-keys.js';
import { type Database, openClients } from './database.js';
import { removeEphemeral } from './ephemeral.js';
import { eventsAfter, eventTail, isEventPosition, onEvent } from './events.js';
import { createExclusive } from './exclusive.js';
import { guard } from './guard.js';
import { idempotentRequests } from './idempotent-requests.js';
import { importNetwork } from './imports.js';
import { join } from './joins.js';
import { dueKeys, expireNode, extendNode, warnOfExpiry } from './key-expiry.js';
import { endKeyOverlap, keyOverlaps, requestRotation, rotateKey } from './key-rotations.js';
import { createNetwork, deleteNetwork, findNetwork, listNetworks, updateNetwork } from './networks.js';
import { claimGeneration, findNode, findNodeByIdentity, listNodes, updateNode } from './nodes.js';
import { noteSeen, presences } from './presence.js';
import { deletePresharedKey, listPresharedKeys, presharedKeys, setPresharedKey } from './preshared-keys.js';
import { renumberNetwork } from './renumbering.js';
import { createReservation, deleteReservation, listReservations } from './reservations.js';
import { deleteNode, listTombstones, revokeNode } from './revocations.js';
import { checkSealingKey, secret } from './secrets.js';
import {
  checkSession,
  endSession,
  findUser,
  isSetUp,
  listSessions,
  noteFailedSignIns,
  openSession,
} from './sessions.js';
import { members, noteSightings } from './sightings.js';
import { checkSignInLink, createSignInLink, setPassword, useSignInLink } from './sign-in-links.js';
import {
  announceSignalServer,
  deleteSignalServer,
  enrollSignalServer,
  listSignalServers,
  renewSignalServer,
} from './signal-servers.js';
import { createSignalToken, listSignalTokens, revokeSignalToken } from './signal-tokens.js';
import { findVanillaByKey } from './take-over.js';
import { createToken, findToken, listTokens, lookAtToken, revokeToken } from './tokens.js';
import { createVanilla } from './vanilla-members.js';

/** How long a lost notification may delay a change, milliseconds. */
const POLL_INTERVAL = 5_000;

/**
 * Opens the store of one database: checks that it answers, migrates it, and checks the sealing key.
 * @throws WarrenError as `checkDatabase` and `migrate`, or `sealing-key-wrong`.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const connection = parseDatabaseUrl(options.url);
  await checkDatabase(connection);
  await migrate(options.url);
  const database = openClients(connection);
  const feed = new ChangeFeed(database.sql, options.pollInterval ?? POLL_INTERVAL);
  const close = async () => {
    await feed.close();
    await database.sql.end({ timeout: 5 });
    await database.prisma.$disconnect();
  };
  try {
    await checkSealingKey(database, options.sealingKey);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...guardedMethods(database, options, feed), close };
}

function guardedMethods(database: Database, options: OpenStoreOptions, feed: ChangeFeed): Omit<Store, 'close'> {
  const exclusive = createExclusive(database.sql);
  const { signTombstone, sealingKey, addressRest = ADDRESS_REST } = options;
  return {
    createNetwork: guard((input, actor) => createNetwork(database, input, actor)),
    listNetworks: guard((page) => listNetworks(database, page)),
    findNetwork: guard((idOrName) => findNetwork(database, idOrName)),
    updateNetwork: guard((id, change, actor) => updateNetwork(database, id, change, actor)),
    deleteNetwork: guard((id, actor) => deleteNetwork(database, id, actor)),
    createToken: guard((input, actor) => createToken(database, input, actor)),
    listTokens: guard((filter) => listTokens(database, filter)),
    findToken: guard((id) => findToken(database, id)),
    revokeToken: guard((id, actor) => revokeToken(database, id, actor)),
    checkToken: guard((id, given) => lookAtToken(database, id, given)),
    importNetwork: guard((input, actor) => importNetwork(database, input, actor, sealingKey)),
    findVanillaByKey: guard((networkId, key) => findVanillaByKey(database, networkId, key)),
    join: guard((input, actor) => join(database, input, actor, addressRest)),
    listNodes: guard((filter) => listNodes(database, filter)),
    findNode: guard((idOrName, networkId) => findNode(database, idOrName, networkId)),
    findNodeByIdentity: guard((key, networkId) => findNodeByIdentity(database, key, networkId)),
    updateNode: guard((id, change, actor) => updateNode(database, id, change, actor, addressRest)),
    revokeNode: guard((id, actor) => revokeNode(database, id, actor, signTombstone)),
    ...keyMethods(database),
    deleteNode: guard((id, actor) => deleteNode(database, id, actor)),
    claimGeneration: guard((id, generation, resuming) => claimGeneration(database, id, generation, resuming)),
    noteSeen: guard((ids) => noteSeen(database, ids)),
    noteSightings: guard((sightings) => noteSightings(database, sightings)),
    members: guard((network) => members(database, network)),
    presences: guard((kind) => presences(database, kind)),
    removeEphemeral: guard((id, unseenMs, actor) => removeEphemeral(database, id, unseenMs, actor)),
    withdrawBounce: guard((id, condition, actor) => withdrawBounce(database, id, condition, actor)),
    restoreBounce: guard((id, actor) => restoreBounce(database, id, actor)),
    loadNetwork: guard((id) => loadNetwork(database, sealingKey, id)),
    changesSince: guard((id, revision) => changesSince(database, id, revision)),
    pruneChanges: guard((keep) => pruneChanges(database, keep)),
    onChange: guard((listener) => feed.add(listener)),
    secret: guard((name, make) => secret(database, sealingKey, name, make)),
    ...lifecycleMethods(database),
    ...signalMethods(database),
    ...sessionMethods(database),
    ...vanillaMethods(database, sealingKey, addressRest),
    ...addressMethods(database, addressRest),
    createApiKey: guard((name, input, actor) => createApiKey(database, name, input, actor)),
    listApiKeys: guard(() => listApiKeys(database)),
    deleteApiKey: guard((id, actor) => deleteApiKey(database, id, actor)),
    checkApiKey: guard((text) => checkApiKey(database, text)),
    exclusive: (name, work) => exclusive(name, work),
    idempotent: idempotentRequests(database, sealingKey),
    audit: guard((filter) => listAudit(database, filter)),
    eventsAfter: guard((position, limit) => eventsAfter(database, position, limit)),
    eventTail: guard(() => eventTail(database)),
    isEventPosition: guard((position) => isEventPosition(database, position)),
    onEvent: guard((listener) => onEvent(database, listener)),
    nodeCounts: guard(() => nodeCounts(database)),
    missingMigrations: guard(() => missingMigrations(database)),
    ping: guard(async () => {
      await database.sql`SELECT 1`;
    }),
  };
}

function lifecycleMethods(database: Database) {
  return {
    approveNode: guard((id, actor) => approveNode(database, id, actor)),
    disableNode: guard((id, actor) => disableNode(database, id, actor)),
    extendNode: guard((id, expiresAt, actor) => extendNode(database, id, expiresAt, actor)),
    dueKeys: guard(() => dueKeys(database)),
    expireNode: guard((id, actor) => expireNode(database, id, actor)),
    warnOfExpiry: guard((id, actor) => warnOfExpiry(database, id, actor)),
    noteClone: guard((id, sighting, actor) => noteClone(database, id, sighting, actor)),
    clearClone: guard((id, actor) => clearClone(database, id, actor)),
  } satisfies Partial<Store>;
}

function keyMethods(database: Database) {
  return {
    rotateKey: guard((input, actor) => rotateKey(database, input, actor)),
    requestRotation: guard((id, generationOf, actor) => requestRotation(database, id, generationOf, actor)),
    endKeyOverlap: guard((id, previous, actor) => endKeyOverlap(database, id, previous, actor)),
    keyOverlaps: guard(() => keyOverlaps(database)),
  } satisfies Partial<Store>;
}

function addressMethods(database: Database, rest: number) {
  return {
    renumberNetwork: guard((id, input, actor) => renumberNetwork(database, id, input, actor, rest)),
    listAddresses: guard((id, filter) => listAddresses(database, id, filter, rest)),
    summariseAddresses: guard((id) => summariseAddresses(database, id, rest)),
    createReservation: guard((id, input, actor) => createReservation(database, id, input, actor)),
    listReservations: guard((id, page) => listReservations(database, id, page)),
    deleteReservation: guard((id, prefix, actor) => deleteReservation(database, id, prefix, actor)),
  } satisfies Partial<Store>;
}

function signalMethods(database: Database) {
  return {
    createSignalToken: guard((input, actor) => createSignalToken(database, input, actor)),
    listSignalTokens: guard(() => listSignalTokens(database)),
    revokeSignalToken: guard((id, actor) => revokeSignalToken(database, id, actor)),
    enrollSignalServer: guard((input, actor) => enrollSignalServer(database, input, actor)),
    renewSignalServer: guard((id, key, input) => renewSignalServer(database, id, key, input)),
    announceSignalServer: guard((id, region, input) => announceSignalServer(database, id, region, input)),
    listSignalServers: guard((staleMs) => listSignalServers(database, staleMs)),
    deleteSignalServer: guard((id, actor) => deleteSignalServer(database, id, actor)),
    tombstones: guard((ageMs, network) => listTombstones(database, ageMs, network)),
  } satisfies Partial<Store>;
}

function sessionMethods(database: Database) {
  return {
    isSetUp: guard(() => isSetUp(database)),
    findUser: guard((name) => findUser(database, name)),
    openSession: guard((user, origin) => openSession(database, user, origin)),
    checkSession: guard((secret, isUse) => checkSession(database, secret, isUse)),
    listSessions: guard((page) => listSessions(database, page)),
    endSession: guard((id, action, actor) => endSession(database, id, action, actor)),
    noteFailedSignIns: guard((failure) => noteFailedSignIns(database, failure)),
    createSignInLink: guard((lifeMs, actor) => createSignInLink(database, lifeMs, actor)),
    checkSignInLink: guard((link) => checkSignInLink(database, link)),
    useSignInLink: guard((link, hash, origin) => useSignInLink(database, link, hash, origin)),
    setPassword: guard((session, hash) => setPassword(database, session, hash)),
  } satisfies Partial<Store>;
}

function vanillaMethods(database: Database, sealingKey: Uint8Array, rest: number) {
  return {
    createVanilla: guard((input, actor) => createVanilla(database, input, actor, rest)),
    setPresharedKey: guard((pair, key, actor) => setPresharedKey(database, sealingKey, pair, key, actor)),
    deletePresharedKey: guard((pair, actor) => deletePresharedKey(database, pair, actor)),
    listPresharedKeys: guard((id) => listPresharedKeys(database, id)),
    presharedKeys: guard((network) => presharedKeys(database, sealingKey, network)),
    createConfigKey: guard((id, actor) => createConfigKey(database, id, actor)),
    deleteConfigKey: guard((id, actor) => deleteConfigKey(database, id, actor)),
    checkConfigKey: guard((secret) => checkConfigKey(database, secret)),
    configKeySince: guard((id) => configKeySince(database, id)),
  } satisfies Partial<Store>;
}
