import { nodeId, parsePrefix, WarrenError } from '@warren/base';
import { type Peer, PRIVATE_KEY_PLACEHOLDER, renderWg0Conf } from '@warren/topology';
import type { AcceptedPeer } from '../codec/domain.js';
import { NetworkView } from '../daemon/network-view.js';
import type { ExitCode } from '../errors.js';
import { listNetworks, selectNetwork } from '../state/network-state.js';
import { x25519PublicKey } from '../state/node-keys.js';
import type { CommandContext } from './context.js';

export interface ConfOptions {
  /** Whether private and preshared keys are in the file. */
  readonly private: boolean;
}

/**
 * `agent conf`: this node as a wg-quick file, from what is on disk, daemon or not; without `--private` it has no
 * PrivateKey line. With `--json` an object with `conf`.
 */
export async function confCommand(context: CommandContext, options: ConfOptions): Promise<ExitCode> {
  const { state, membership } = selectNetwork(await listNetworks(context.stateDir), context.network);
  const keys = await state.keys();
  const view = new NetworkView(
    membership,
    () => x25519PublicKey(keys.wireguard),
    () => undefined,
  );
  const lastKnown = await state.lastKnown();
  const self = lastKnown && view.restore(lastKnown) ? view.self : undefined;
  if (!self) throw new WarrenError('state-damaged', 'nothing is known of this network: leave it and join again');
  const peers = view.peers();
  const text = renderWg0Conf(
    { name: self.name, role: self.role, addresses: self.addresses },
    new Map(peers.map((peer) => [peer.id, topologyPeer(peer, options.private)])),
    {
      cidrs: self.cidrs.map((cidr) => parsePrefix(cidr)).filter((cidr) => cidr !== undefined),
      listenPort: membership.listenPort,
      mtu: membership.mtu ?? self.mtu,
      ...(options.private && { privateKey: keys.wireguard }),
    },
  );
  const conf = options.private ? text : withoutPlaceholder(text);
  context.output.result({ conf }, conf.trimEnd());
  return 0;
}

const withoutPlaceholder = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.includes(PRIVATE_KEY_PLACEHOLDER))
    .join('\n');

function topologyPeer({ dataPlane, via, pathKey: _, ...peer }: AcceptedPeer, withKeys: boolean): Peer {
  return {
    ...peer,
    kind: 'agent',
    allowedIps: dataPlane?.allowedIps ?? [],
    ...(dataPlane?.endpoint && { endpoint: dataPlane.endpoint }),
    persistentKeepalive: dataPlane?.persistentKeepalive ?? 0,
    ...(via !== undefined && { via: nodeId(via) }),
    ...(withKeys && dataPlane?.presharedKey && { presharedKey: dataPlane.presharedKey }),
  };
}
