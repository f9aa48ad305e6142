import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64, type NetworkId, networkId, toBase64, WarrenError } from '@warren/base';
import { isMissing } from '../errors.js';
import { makePrivateFolder, readFileIfThere, readJsonIfThere, writeFileAtomically } from './atomic-file.js';
import { loadMembership, type Membership, saveMembership } from './membership.js';
import { loadNodeKeys, type NodeKeys, saveNodeKeys } from './node-keys.js';
import {
  loadPendingRotation,
  type PendingRotation,
  removePendingRotation,
  savePendingRotation,
} from './pending-rotation.js';

/** Why a node will not come back by itself. */
export interface TerminalState {
  readonly state: 'revoked' | 'expired';
  /** The node was deleted there, its keys are not banned: joining again is all that is needed. */
  readonly removed?: boolean;
  readonly message: string;
  /** RFC 3339. */
  readonly at: string;
}

/** What a join gives. */
export interface FreshJoin {
  readonly keys: NodeKeys;
  readonly membership: Membership;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Encoded Snapshot without peers. */
  readonly lastKnown: Uint8Array;
}

const NETWORK_ID = /^[0-9a-zA-Z-]{1,64}$/;

/**
 * The folder of one network: keys, membership, certificate, last known state and counters. One process writes it at
 * a time: the daemon, or a command while no daemon runs.
 */
export class NetworkState {
  constructor(readonly folder: string) {}

  /** Writes everything of a fresh join. */
  async create({ keys, membership, chain, lastKnown }: FreshJoin): Promise<void> {
    await makePrivateFolder(this.folder);
    await Promise.all([
      saveNodeKeys(this.#path('keys.json'), keys),
      this.saveCertificateChain(chain),
      this.saveLastKnown(lastKnown),
    ]);
    // Last: a folder with a membership is a network that was joined.
    await this.saveMembership(membership);
  }

  membership(): Promise<Membership | undefined> {
    return loadMembership(this.#path('membership.json'));
  }

  async saveMembership(membership: Membership): Promise<void> {
    await saveMembership(this.#path('membership.json'), membership);
  }

  /** @throws WarrenError `state-damaged` when they are gone. */
  async keys(): Promise<NodeKeys> {
    const keys = await loadNodeKeys(this.#path('keys.json'));
    if (keys) return keys;
    throw new WarrenError(
      'state-damaged',
      `the keys in ${this.folder} are gone: restore them, or leave and join again`,
    );
  }

  async saveKeys(keys: NodeKeys): Promise<void> {
    await saveNodeKeys(this.#path('keys.json'), keys);
  }

  /** The next WireGuard key, if one was made and may have been asked for. */
  pendingRotation(): Promise<PendingRotation | undefined> {
    return loadPendingRotation(this.#path('rotation.json'));
  }

  async savePendingRotation(pending: PendingRotation): Promise<void> {
    await savePendingRotation(this.#path('rotation.json'), pending);
  }

  async removePendingRotation(): Promise<void> {
    await removePendingRotation(this.#path('rotation.json'));
  }

  /** DER, leaf first. Empty when it was lost: `Renew` gives another. */
  async certificateChain(): Promise<Uint8Array[]> {
    const file = await readJsonIfThere(this.#path('certificate.json'));
    const chain = Array.isArray(file?.chain) ? file.chain : [];
    return chain.map((der) => fromBase64(String(der))).filter((der) => der !== undefined);
  }

  async saveCertificateChain(chain: readonly Uint8Array[]): Promise<void> {
    await writeFileAtomically(this.#path('certificate.json'), `${JSON.stringify({ chain: chain.map(toBase64) })}\n`);
  }

  /** Encoded Snapshot of what was applied last. */
  async lastKnown(): Promise<Uint8Array | undefined> {
    return readFileIfThere(this.#path('last-known.bin'));
  }

  async saveLastKnown(snapshot: Uint8Array): Promise<void> {
    await writeFileAtomically(this.#path('last-known.bin'), snapshot);
  }

  /** The ticket for signal servers, verbatim; undefined: none was received yet. */
  async ticket(): Promise<Uint8Array | undefined> {
    return readFileIfThere(this.#path('ticket.bin'));
  }

  async saveTicket(ticket: Uint8Array): Promise<void> {
    await writeFileAtomically(this.#path('ticket.bin'), ticket);
  }

  /** UDP port that our signal server took before; undefined: it never ran. */
  async signalPort(): Promise<number | undefined> {
    const port = (await readJsonIfThere(this.#path('signal-port.json')))?.port;
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  }

  async saveSignalPort(port: number): Promise<void> {
    await writeFileAtomically(this.#path('signal-port.json'), `${JSON.stringify({ port })}\n`);
  }

  /** Unix milliseconds at which the control plane was last heard; undefined: never since the join. */
  async lastContact(): Promise<number | undefined> {
    const at = (await readJsonIfThere(this.#path('contact.json')))?.at;
    return typeof at === 'number' ? at : undefined;
  }

  async saveLastContact(at: number): Promise<void> {
    await writeFileAtomically(this.#path('contact.json'), `${JSON.stringify({ at })}\n`);
  }

  /** Where peers were when they were last heard, by public key; empty when that is older than `since`. */
  async lastEndpoints(since: number): Promise<Map<string, string>> {
    const file = await readJsonIfThere(this.#path('endpoints.json'));
    if (typeof file?.at !== 'number' || file.at < since || !Array.isArray(file.endpoints)) return new Map();
    return new Map(file.endpoints as [string, string][]);
  }

  async saveLastEndpoints(endpoints: readonly (readonly [string, string])[], at: number): Promise<void> {
    await writeFileAtomically(this.#path('endpoints.json'), `${JSON.stringify({ at, endpoints })}\n`);
  }

  /** Counts this start, on disk before it is used: a copy of the folder falls behind or collides (ADR 0007). */
  async nextStartGeneration(): Promise<number> {
    const path = this.#path('generation.json');
    const last = (await readJsonIfThere(path))?.start;
    const start = (typeof last === 'number' ? last : 0) + 1;
    await writeFileAtomically(path, `${JSON.stringify({ start })}\n`);
    return start;
  }

  async terminal(): Promise<TerminalState | undefined> {
    const file = await readJsonIfThere(this.#path('terminal.json'));
    if (file?.state !== 'revoked' && file?.state !== 'expired') return undefined;
    const removed = file.removed === true && { removed: true };
    return { state: file.state, ...removed, message: String(file.message), at: String(file.at) };
  }

  async saveTerminal(terminal: TerminalState): Promise<void> {
    await writeFileAtomically(this.#path('terminal.json'), `${JSON.stringify(terminal)}\n`);
  }

  /** It came back. */
  async clearTerminal(): Promise<void> {
    await rm(this.#path('terminal.json'), { force: true });
  }

  /** Removes everything, keys included. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}

/** A joined network on disk. */
export interface JoinedNetwork {
  readonly state: NetworkState;
  readonly membership: Membership;
}

/** @throws WarrenError `protocol-error` for an id that is no safe folder name. */
export function networkStateOf(stateDir: string, id: NetworkId): NetworkState {
  if (!NETWORK_ID.test(id)) {
    throw new WarrenError(
      'protocol-error',
      'the control plane sent a network id that is none: update agent or control',
    );
  }
  return new NetworkState(join(stateDir, 'networks', id));
}

/** All networks that were joined, in the order of joining. */
export async function listNetworks(stateDir: string): Promise<JoinedNetwork[]> {
  const found: JoinedNetwork[] = [];
  for (const id of await namesIn(join(stateDir, 'networks'))) {
    if (!NETWORK_ID.test(id)) continue;
    const state = networkStateOf(stateDir, networkId(id));
    const membership = await state.membership();
    if (membership) found.push({ state, membership });
  }
  return found.sort((a, b) => a.membership.joinedAt.localeCompare(b.membership.joinedAt));
}

/** @returns whether the control plane has deleted the node: then the host may join as if it never had. */
export const isRemoved = async ({ state }: JoinedNetwork): Promise<boolean> =>
  (await state.terminal())?.removed === true;

/** @returns whether the node's key has expired: it may join again as the same node, or be extended by an operator. */
export const isExpired = async ({ state }: JoinedNetwork): Promise<boolean> => {
  const terminal = await state.terminal();
  return terminal?.state === 'expired' && !terminal.removed;
};

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

export const notJoined = (): WarrenError =>
  new WarrenError('not-joined', 'this host has joined no network: run `agent join --token …` first');

/**
 * Chooses by `--network` (name or id); without it the one that was joined first.
 * @throws WarrenError `not-joined`, `network-unknown` or `network-ambiguous`.
 */
export function selectNetwork(networks: readonly JoinedNetwork[], selector: string | undefined): JoinedNetwork {
  const first = networks[0];
  if (!first) {
    throw notJoined();
  }
  if (selector === undefined) return first;
  const byId = networks.find(({ membership }) => membership.networkId === selector);
  const named = networks.filter(({ membership }) => membership.networkName === selector);
  const chosen = byId ?? named[0];
  if (chosen && (byId || named.length === 1)) return chosen;
  if (chosen) {
    // Of two control planes; each has a network `default`.
    const ids = named.map(({ membership }) => membership.networkId).join(', ');
    throw new WarrenError(
      'network-ambiguous',
      `this host is in ${named.length} networks ${selector}: give the id, ${ids}`,
    );
  }
  const names = networks.map(({ membership }) => membership.networkName).join(', ');
  throw new WarrenError('network-unknown', `this host has not joined network ${selector}; it has joined: ${names}`);
}
