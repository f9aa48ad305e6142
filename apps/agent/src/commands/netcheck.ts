import { fromBase64, WarrenError } from '@warren/base';
import type { SignalServerConfig } from '@warren/dataplane';
import { certificatePem } from '../control/client.js';
import { askDaemon } from '../daemon/socket-client.js';
import type { DaemonReplies } from '../daemon/socket-messages.js';
import type { ExitCode } from '../errors.js';
import { discoverNat, localAddresses } from '../netcheck/discover.js';
import { tryPortMapping } from '../netcheck/port-mapping-trial.js';
import { describeNetcheck } from '../netcheck/report.js';
import { probeTls, type TlsProbe } from '../netcheck/tls-probe.js';
import { type JoinedNetwork, listNetworks, selectNetwork } from '../state/network-state.js';
import type { CommandContext } from './context.js';
import { renderNetcheck } from './render-netcheck.js';

/**
 * `agent netcheck`: what this host's network lets through, found out anew from sockets of its own, daemon or not.
 * @returns 0 whatever it found: a network that lets nothing out is a finding.
 * @throws WarrenError `not-joined`, `state-damaged`, `no-signal-servers`.
 */
export async function netcheckCommand(context: CommandContext): Promise<ExitCode> {
  const network = selectNetwork(await listNetworks(context.stateDir), context.network);
  const self = await readSelf(network);
  const servers = self.signalServers;
  if (servers.length === 0) {
    throw new WarrenError(
      'no-signal-servers',
      'the control plane has named no signal server to ask: start it with --stun, then `agent up`, and try again',
    );
  }
  const { nodeId, control } = network.membership;
  const root = certificatePem(fromBase64(control.root) ?? new Uint8Array(0));
  // A bounce does not ask its own server, which would see it from inside.
  const others = servers.filter(({ id }) => id !== nodeId);
  const targets = others.flatMap(({ id, udp }) => (udp ? [{ id, udp }] : []));
  const agent = await askAgent(context, network);
  const [discovery, tls, portMapping] = await Promise.all([
    discoverNat(targets),
    Promise.all(servers.map((server) => probeServer(server, root))),
    agent ? agent.portMapping : tryPortMapping(context, network.membership),
  ]);
  const ours = new Set<string>(self.addresses);
  const addresses = (family: 4 | 6) => localAddresses(family).filter((address) => !ours.has(address));
  const report = describeNetcheck({
    ...{ servers, own: nodeId, discovery, tls, portMapping },
    agentServers: agent?.servers,
    bindingLifetimeS: agent?.bindingLifetimeS ?? null,
    addresses: { ipv4: addresses(4), ipv6: addresses(6) },
  });
  context.output.result(report, renderNetcheck(report));
  return 0;
}

/** From disk, which the running agent keeps current. */
async function readSelf({ state }: JoinedNetwork) {
  const [{ decodeLastKnown }, { decodeSelf }] = await Promise.all([
    import('../codec/sync.js'),
    import('../codec/self-config.js'),
  ]);
  const bytes = await state.lastKnown();
  const known = bytes && decodeLastKnown(bytes);
  if (known) return decodeSelf(known.self);
  throw new WarrenError('state-damaged', 'nothing is known of this network: leave it and join again');
}

const probeServer = ({ tls }: SignalServerConfig, root: string): Promise<TlsProbe[]> =>
  Promise.all(tls.map((endpoint) => probeTls(endpoint, root)));

/** What the running agent knows. @returns undefined when none runs this network. */
async function askAgent(
  { stateDir }: CommandContext,
  { membership }: JoinedNetwork,
): Promise<DaemonReplies['servers'] | undefined> {
  try {
    return await askDaemon(stateDir, { method: 'servers', network: membership.networkId });
  } catch (error) {
    if (error instanceof WarrenError && error.code === 'not-running') return undefined;
    throw error;
  }
}
