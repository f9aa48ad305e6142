import type { DataPlanePeerStats } from '@warren/dataplane';
import { x25519PublicKey } from '../state/node-keys.js';
import { VERSION } from '../version.js';
import type { NetworkRunner } from './network-runner.js';
import { describePeers } from './peer-status.js';
import { type Status, UNKNOWN_NAT } from './status-types.js';

/** What a running network looks like now. */
export async function describeRunner(runner: NetworkRunner, networks: readonly string[]): Promise<Status> {
  const { membership, view, plane } = runner;
  const stats = await runner.stats();
  const self = view.self;
  const byKey = new Map<string, DataPlanePeerStats>((stats?.peers ?? []).map((peer) => [peer.publicKey, peer]));
  const facts = { now: Date.now(), stats: byKey, pings: runner.pings };
  return {
    state: runner.state,
    message: runner.connected ? null : (runner.failure ?? null),
    node: {
      id: membership.nodeId,
      name: self?.name ?? membership.name,
      role: self?.role ?? 'client',
      publicKey: x25519PublicKey(runner.keys.wireguard),
      addresses: self?.addresses ?? [],
    },
    network: {
      id: membership.networkId,
      name: self?.networkName ?? membership.networkName,
      cidrs: self?.cidrs ?? [],
    },
    control: {
      url: `https://${runner.address}`,
      connected: runner.connected,
      revision: view.position.revision,
      since: runner.since,
    },
    dataPlane: {
      backend: 'userspace',
      interface: membership.interfaceName,
      listenPort: plane?.listenPort ?? membership.listenPort,
      mtu: plane?.mtu ?? membership.mtu ?? self?.mtu ?? 0,
      crypto: stats?.crypto ?? null,
      path: stats?.path ?? null,
    },
    // UDP goes through if anybody has answered.
    nat: { ...UNKNOWN_NAT, udp: stats?.peers.some((peer) => peer.lastHandshake) ? true : null },
    peers: describePeers(view.peers(), facts, runner.history),
    networks,
    agent: { version: VERSION, pid: process.pid },
  };
}
