import { WarrenError } from '@warren/base';
import { x25519PublicKey } from '../state/node-keys.js';
import { VERSION } from '../version.js';
import { explain, serverStatus } from './explanation.js';
import { describeNat } from './nat-status.js';
import type { NetworkRunner } from './network-runner.js';
import { describePeers, type PeerFacts } from './peer-status.js';
import type { DaemonReplies } from './socket-messages.js';
import { approvalText, keyWarning } from './standing.js';
import type { Explanation, PathStatus, Status } from './status-types.js';

/** What a running network looks like now. */
export async function describeRunner(runner: NetworkRunner, networks: readonly string[]): Promise<Status> {
  const { membership, view, plane } = runner;
  await runner.inquire();
  const { stats, nat, facts } = await observe(runner);
  const self = view.self;
  const expiring = keyWarning(self, Date.now());
  return {
    state: runner.state,
    message: runner.connected ? (self?.pending ? approvalText(self.name) : null) : (runner.failure ?? null),
    node: {
      id: membership.nodeId,
      name: self?.name ?? membership.name,
      role: self?.role ?? 'client',
      publicKey: x25519PublicKey(runner.keys.wireguard),
      addresses: self?.addresses ?? [],
      keyExpiresAt: self?.keyExpiresAt === undefined ? null : new Date(self.keyExpiresAt).toISOString(),
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
    nat,
    peers: describePeers(view.peers(), facts, runner.history),
    signalServer: runner.support.signalServer,
    warnings: [...runner.addressing.warnings, ...(expiring ? [expiring] : [])],
    networks,
    agent: { version: VERSION, pid: process.pid },
  };
}

/** The path to one node now. @returns null when there is no such node. */
export async function describePath(runner: NetworkRunner, peer: string): Promise<PathStatus | null> {
  const { facts } = await observe(runner);
  return describePeers(runner.view.peers(), facts, runner.history).find(({ id }) => id === peer)?.path ?? null;
}

/** Why the path to one node is what it is. @throws WarrenError `node-unknown`. */
export async function describeExplanation(runner: NetworkRunner, id: string): Promise<Explanation> {
  await runner.inquire();
  const { paths, nat, facts } = await observe(runner);
  const peers = runner.view.peers();
  const peer = peers.find((candidate) => candidate.id === id);
  const status = describePeers(peers, facts, runner.history).find((candidate) => candidate.id === id);
  if (peer && status) return explain({ peer, status, paths, nat });
  throw new WarrenError('node-unknown', 'the network has no such node any more: see `agent peers`');
}

/** Signal servers, and what the router gave us. */
export async function describeServers(runner: NetworkRunner): Promise<DaemonReplies['servers']> {
  const { paths, nat } = await observe(runner);
  return {
    servers: (paths?.servers ?? []).map(serverStatus),
    portMapping: nat.portMapping,
    bindingLifetimeS: runner.support.nat?.bindingLifetimeS ?? null,
  };
}

/** Everything that the data plane and discovery know at this moment. */
export async function observe(runner: NetworkRunner) {
  const [stats, paths] = await Promise.all([runner.stats(), runner.paths()]);
  const anyHandshake = stats?.peers.some((peer) => peer.lastHandshake !== undefined) ?? false;
  const facts: PeerFacts = {
    now: Date.now(),
    stats: new Map((stats?.peers ?? []).map((peer) => [peer.publicKey, peer])),
    paths: new Map((paths?.peers ?? []).map((report) => [report.publicKey, report])),
    serverNames: new Map((paths?.servers ?? []).map(({ id, name }) => [id, name])),
    registered: (paths?.servers ?? []).some(({ registered }) => registered),
    pings: runner.pings,
  };
  const nat = describeNat({
    finding: runner.support.nat,
    paths,
    anyHandshake,
    portMapping: runner.support.portMapping,
  });
  return { stats, paths, nat, facts };
}
