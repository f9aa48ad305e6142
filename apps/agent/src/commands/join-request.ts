import { type HostPort, nodeId, publicKeyBytes, WarrenError } from '@warren/base';
import type { JoinToken } from '@warren/identity';
import type { JoinResponse } from '@warren/proto';
import { decodeSelf } from '../codec/self-config.js';
import { decodeLastKnown } from '../codec/sync.js';
import { certificatePem, withControlClient } from '../control/client.js';
import { type JoinWishes, type Prepared, prepareOrResume, sendJoin } from '../control/join-exchange.js';
import { findPinnedControl } from '../control/pinned-root.js';
import { isRefusal } from '../control/refusal.js';
import { readHostPrefixes, requireNoLanClash, requireNoNetworkClash } from '../host/lan.js';
import { runProgram } from '../host/program.js';
import type { WgQuickHost } from '../host/wg-quick-host.js';
import type { JoinFolder } from '../state/join-folder.js';
import type { JoinedNetwork } from '../state/network-state.js';
import { x25519PublicKey } from '../state/node-keys.js';

export interface JoinRequestOptions {
  readonly token: JoinToken;
  readonly addresses: readonly HostPort[];
  readonly wishes: JoinWishes;
  readonly networks: readonly JoinedNetwork[];
  /** Networks in which this host's node has expired: it comes back there as the same node. */
  readonly expired: readonly JoinedNetwork[];
  readonly folder: JoinFolder;
  /** Private key and file of the vanilla member that this host is. */
  readonly takeOver?: WgQuickHost;
  /** Join although the network overlaps a LAN of this host. */
  readonly allowLanClash: boolean;
}

/** A new membership with the root that was pinned (DER) and where it was found, or the one that this host has already. */
export type JoinOutcome =
  | {
      readonly reply: JoinResponse;
      readonly root: Uint8Array;
      readonly address: HostPort;
      readonly revived?: JoinedNetwork;
    }
  | { readonly again: JoinedNetwork; readonly root: Uint8Array };

/**
 * Checks the pin, asks what the token leads to, compares that with this host's LANs and networks, and joins.
 * @throws WarrenError with exit codes 1, 3, 4 and 5 as docs/operate.md has them.
 */
export async function requestJoin(options: JoinRequestOptions): Promise<JoinOutcome> {
  const { token, addresses, networks, folder, takeOver } = options;
  const [{ address, root }, prefixes] = await Promise.all([
    findPinnedControl(addresses, token.pin, () => new Date()),
    readHostPrefixes(runProgram),
  ]);
  const target = { address, rootPem: certificatePem(root.raw) };
  return withControlClient(target, async (client) => {
    const prepared = await prepareOrResume(
      client,
      token,
      folder.pending,
      takeOver ? publicKeyBytes(x25519PublicKey(takeOver.privateKey)) : new Uint8Array(),
    );
    const again = networks.find(({ membership }) => membership.networkId === prepared.networkId);
    if (again) return { again, root: root.raw };
    const ours = new Set(networks.map(({ membership }) => membership.interfaceName));
    if (!options.allowLanClash) requireNoLanClash(prepared.cidrs, prefixes, ours);
    requireNoNetworkClash(prepared.cidrs, await joinedPrefixes(networks));
    const wishes = takeOver ? await becomeMember(prepared, takeOver, options) : options.wishes;
    const revived = options.expired.find(({ membership }) => membership.networkId === prepared.networkId);
    if (revived) await folder.pending.revive(await revived.state.keys());
    folder.setSent();
    try {
      const reply = await sendJoin(client, token, folder.pending, prepared, wishes);
      return { reply, root: root.raw, address, ...(revived && { revived }) };
    } catch (error) {
      if (isRefusal(error)) folder.setRefused();
      throw error;
    }
  });
}

/**
 * Goes on as the member that has the key of this host: name, role and endpoint stay its own. After a lost answer it may be
 * an agent already, ours: then the same request gets the same answer.
 */
async function becomeMember(prepared: Prepared, host: WgQuickHost, options: JoinRequestOptions): Promise<JoinWishes> {
  const { folder, wishes } = options;
  const { member, networkName } = prepared;
  const role = undefined;
  if (member) {
    await folder.pending.become(nodeId(member.nodeId), host.privateKey);
    return { ...wishes, role, name: member.name, endpoint: undefined };
  }
  const ours = x25519PublicKey(folder.pending.keys.wireguard) === x25519PublicKey(host.privateKey);
  if (folder.pending.sent && ours) return { ...wishes, role, endpoint: undefined };
  throw new WarrenError(
    'no-member',
    `no vanilla member of network ${networkName} has the key of ${host.path}: import the network's files with \`warren import\` first, or join without --take-over`,
  );
}

async function joinedPrefixes(
  networks: readonly JoinedNetwork[],
): Promise<{ name: string; cidrs: readonly string[] }[]> {
  return Promise.all(
    networks.map(async ({ state, membership }) => {
      const bytes = await state.lastKnown();
      const known = bytes && decodeLastKnown(bytes);
      return { name: membership.networkName, cidrs: known ? decodeSelf(known.self).cidrs : [] };
    }),
  );
}
