import type { JoinedNetwork } from '../state/network-state.js';
import { VERSION } from '../version.js';
import { UNKNOWN_NAT } from './nat-status.js';
import type { Status } from './status-types.js';

/** What is on disk says while no daemon runs: the terminal state, else `stopped`. */
export async function describeStopped(
  network: JoinedNetwork | undefined,
  networks: readonly string[],
): Promise<Status> {
  const agent = { version: VERSION, pid: null };
  const nothing = {
    signalServer: null,
    node: null,
    network: null,
    control: null,
    dataPlane: null,
    nat: UNKNOWN_NAT,
    peers: [],
    warnings: [],
  };
  if (!network) return { state: 'stopped', message: 'joined no network', ...nothing, networks, agent };
  const terminal = await network.state.terminal();
  const described = await describeMembership(network);
  return {
    ...nothing,
    ...described,
    state: terminal?.state ?? 'stopped',
    message: terminal?.message ?? 'the daemon is not running',
    networks,
    agent,
  };
}

async function describeMembership({ state, membership }: JoinedNetwork) {
  // The wire's code is a large module: a status of a running daemon must not pay for it.
  const [{ decodeLastKnown }, { decodeSelf }, { x25519PublicKey }] = await Promise.all([
    import('../codec/sync.js'),
    import('../codec/self-config.js'),
    import('../state/node-keys.js'),
  ]);
  const bytes = await state.lastKnown();
  const known = bytes && decodeLastKnown(bytes);
  const self = known && decodeSelf(known.self);
  const { wireguard } = await state.keys();
  return {
    node: {
      id: membership.nodeId,
      name: self?.name ?? membership.name,
      role: self?.role ?? 'client',
      publicKey: x25519PublicKey(wireguard),
      addresses: self?.addresses ?? [],
      keyExpiresAt: self?.keyExpiresAt === undefined ? null : new Date(self.keyExpiresAt).toISOString(),
    },
    network: { id: membership.networkId, name: membership.networkName, cidrs: self?.cidrs ?? [] },
    control: {
      url: `https://${membership.control.addresses[0]}`,
      connected: false,
      revision: known?.position.revision ?? 0,
      since: null,
    },
    dataPlane: {
      backend: 'userspace' as const,
      interface: membership.interfaceName,
      listenPort: membership.listenPort,
      mtu: membership.mtu ?? self?.mtu ?? 0,
      crypto: null,
      path: null,
    },
  };
}
