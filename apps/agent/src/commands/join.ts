import { hostname } from 'node:os';
import { type HostPort, networkId, toBase64, WarrenError } from '@warren/base';
import { type JoinToken, parseJoinToken } from '@warren/identity';
import type { JoinResponse } from '@warren/proto';
import { nodeNameFromHostname, type Role } from '@warren/topology';
import { decodeLastKnown, encodeLastKnown, ZERO_POSITION } from '../codec/sync.js';
import { DEFAULT_INTERFACE, DEFAULT_LISTEN_PORT } from '../config.js';
import { findPinnedControl } from '../control/pinned-root.js';
import { askDaemon } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import { listInterfaces, nextFreeInterface, requireFreeInterface } from '../host/interfaces.js';
import { findPort, nextFreePort, requireFreePort } from '../host/ports.js';
import { requireRoot, requireTun } from '../host/requirements.js';
import { readWgQuickHost, requireDown, type WgQuickHost } from '../host/wg-quick-host.js';
import { JoinFolder } from '../state/join-folder.js';
import type { Membership } from '../state/membership.js';
import { isExpired, isRemoved, type JoinedNetwork, listNetworks, networkStateOf } from '../state/network-state.js';
import type { CommandContext } from './context.js';
import { requestJoin } from './join-request.js';

export interface JoinOptions {
  readonly token: string;
  readonly name: string | undefined;
  readonly role: Role | undefined;
  readonly endpoint: HostPort | undefined;
  readonly listenPort: number | undefined;
  readonly interfaceName: string | undefined;
  /** A wg-quick file of this host: join as the vanilla member that it is of. */
  readonly takeOver?: string;
  readonly mtu: number | undefined;
  readonly control: HostPort | undefined;
  readonly portPrediction: boolean | undefined;
  readonly allowLanClash: boolean;
  readonly foreground: boolean;
  readonly start: boolean;
}

/** Interface and port of the network to join. */
interface Place {
  readonly interfaceName: string;
  readonly listenPort: number;
  readonly anyPort: boolean;
}

/**
 * `agent join`: everything that this host could object to comes before the first request, and the pin before the
 * secret. Repeating it is safe; joined already, it goes up.
 * @throws WarrenError; then nothing half made is left, unless the answer to Join may have been lost.
 */
export async function joinCommand(context: CommandContext, options: JoinOptions): Promise<ExitCode> {
  requireRoot(context.host);
  await requireTun(context.host);
  const token = requireToken(options.token);
  const { networks, expired } = await listJoined(context.stateDir);
  const repeated = networks.find(({ membership }) => membership.tokenId === token.id);
  if (repeated) {
    if (!options.control) return goUpAgain(context, options, repeated);
    const { root } = await findPinnedControl([options.control], token.pin, () => new Date());
    return goUpAgain(context, options, await moveControl(repeated, [options.control], root.raw));
  }
  // While the control plane is asked, what comes after it is loaded.
  const ahead = Promise.all([import('./foreground.js'), options.start && import('@warren/dataplane')]);
  const host = options.takeOver === undefined ? undefined : await readHostToTakeOver(options.takeOver, options);
  const place = await choosePlace(host ? { ...options, ...placeOf(host, options) } : options, networks);
  const joined = await join(context, options, token, place, { networks, expired }, host);
  await ahead;
  if (host && 'membership' in joined) sayWhatStays(context, host);
  return 'again' in joined ? goUpAgain(context, options, joined.again) : goUp(context, options, joined.membership);
}

interface Joined {
  readonly networks: readonly JoinedNetwork[];
  readonly expired: readonly JoinedNetwork[];
}

/**
 * Networks that the control plane has removed this node from may be joined as if they never had been; those in which it
 * has expired, as the same node.
 */
async function listJoined(stateDir: string): Promise<Joined> {
  const [networks, expired]: [JoinedNetwork[], JoinedNetwork[]] = [[], []];
  for (const network of await listNetworks(stateDir)) {
    if (await isRemoved(network)) continue;
    ((await isExpired(network)) ? expired : networks).push(network);
  }
  return { networks, expired };
}

function requireToken(text: string): JoinToken {
  const token = parseJoinToken(text);
  if (token) return token;
  throw new WarrenError(
    'token-invalid',
    'this is no join token, or not all of it: copy the whole line that `warren token create` printed',
  );
}

async function choosePlace(options: JoinOptions, networks: readonly JoinedNetwork[]): Promise<Place> {
  const existing = await listInterfaces();
  const ours = networks.map(({ membership }) => membership);
  const taken = new Set([...existing, ...ours.map((membership) => membership.interfaceName)]);
  const first = networks.length === 0;
  const interfaceName = options.interfaceName ?? (first ? DEFAULT_INTERFACE : nextFreeInterface(taken));
  requireFreeInterface(interfaceName, taken);
  if (options.listenPort !== undefined || first) {
    const listenPort = await requireFreePort(options.listenPort ?? DEFAULT_LISTEN_PORT, findPort);
    return { interfaceName, listenPort, anyPort: options.listenPort === 0 };
  }
  const ports = new Set(ours.map((membership) => membership.listenPort));
  return { interfaceName, listenPort: await nextFreePort(DEFAULT_LISTEN_PORT, ports, findPort), anyPort: false };
}

async function join(
  context: CommandContext,
  options: JoinOptions,
  token: JoinToken,
  place: Place,
  { networks, expired }: Joined,
  host: WgQuickHost | undefined,
): Promise<{ membership: Membership } | { again: JoinedNetwork }> {
  const folder = await JoinFolder.open(context.stateDir, token.id);
  try {
    const name = options.name ?? nodeNameFromHostname(hostname()) ?? 'node';
    const wishes = { name, role: options.role, endpoint: options.endpoint, listenPort: place.listenPort };
    const addresses = options.control ? [options.control] : token.addresses;
    const outcome = await requestJoin({
      ...{ token, addresses, wishes, networks, expired, folder, allowLanClash: options.allowLanClash },
      ...(host && { takeOver: host }),
    });
    if ('again' in outcome) {
      await folder.discard();
      return { again: await moveControl(outcome.again, addresses, outcome.root) };
    }
    // The address that answered is the first that the daemon tries.
    const others = addresses.filter((address) => address !== outcome.address);
    const control = { addresses: [outcome.address, ...others], root: toBase64(outcome.root) };
    const { revived, reply } = outcome;
    const fresh = membershipOf(reply, options, token, place, control);
    const membership = revived ? { ...fresh, ...keptOf(revived.membership, options) } : fresh;
    await save(context.stateDir, folder, membership, reply, revived);
    return { membership };
  } catch (error) {
    await folder.discardUnlessSent();
    throw error;
  }
}

/** The host as its file describes it. @throws WarrenError when that cannot be, or when it still runs. */
async function readHostToTakeOver(path: string, { name, role, endpoint }: JoinOptions): Promise<WgQuickHost> {
  const given = Object.entries({ name, role, endpoint }).find(([, value]) => value !== undefined);
  if (given) throw new WarrenError('usage', `--${given[0]} does not go with --take-over: the member keeps its own`);
  const host = await readWgQuickHost(path);
  requireDown(host, await listInterfaces());
  return host;
}

/** As the file has it, unless the person said otherwise. */
const placeOf = (host: WgQuickHost, options: JoinOptions): Pick<JoinOptions, 'interfaceName' | 'listenPort'> => ({
  interfaceName: options.interfaceName ?? host.interfaceName,
  listenPort: options.listenPort ?? host.listenPort,
});

function sayWhatStays({ output }: CommandContext, { path, interfaceName, unused }: WgQuickHost): void {
  const unit = interfaceName === undefined ? '' : ` (\`systemctl disable wg-quick@${interfaceName}\`)`;
  output.note(`this host is run by the agent now: keep ${path} from coming up again${unit}`);
  if (unused.length > 0) output.note(`the agent does not do what ${path} says by ${unused.join(', ')}`);
}

/** An expired node comes back where it was, unless the person said otherwise. */
function keptOf(before: Membership, options: JoinOptions): Partial<Membership> {
  const { interfaceName, listenPort, anyPort, joinedAt, mtu, predictPorts } = before;
  return {
    joinedAt,
    ...(options.interfaceName === undefined && { interfaceName }),
    ...(options.listenPort === undefined && { listenPort, anyPort }),
    ...(options.mtu === undefined && mtu !== undefined && { mtu }),
    ...(options.portPrediction === undefined && predictPorts !== undefined && { predictPorts }),
  };
}

function membershipOf(
  reply: JoinResponse,
  options: JoinOptions,
  token: JoinToken,
  place: Place,
  control: Membership['control'],
): Membership {
  const self = reply.self!;
  return {
    networkId: networkId(self.networkId),
    networkName: self.networkName,
    nodeId: self.nodeId as Membership['nodeId'],
    name: self.name,
    tokenId: token.id,
    control,
    authorityKey: toBase64(reply.authorityKey),
    ...place,
    ...(options.mtu !== undefined && { mtu: options.mtu }),
    ...(options.portPrediction !== undefined && { predictPorts: options.portPrediction }),
    joinedAt: new Date().toISOString(),
  };
}

async function save(
  stateDir: string,
  folder: JoinFolder,
  membership: Membership,
  reply: JoinResponse,
  revived: JoinedNetwork | undefined,
): Promise<void> {
  const state = networkStateOf(stateDir, membership.networkId);
  // What may be there is of a node that was removed. Of one that comes back the count of starts and tombstones stay.
  if (!revived) await state.remove();
  const before = await revived?.state.lastKnown();
  const tombstones = (before && decodeLastKnown(before)?.tombstones) ?? [];
  const known = { position: ZERO_POSITION, self: reply.self!, peers: [], tombstones };
  await state.create({
    keys: folder.pending.keys,
    membership,
    chain: reply.certificateChain,
    lastKnown: encodeLastKnown(known),
  });
  await state.clearTerminal();
  await folder.finish();
}

async function goUpAgain(context: CommandContext, options: JoinOptions, network: JoinedNetwork): Promise<ExitCode> {
  const { networkName } = network.membership;
  const terminal = await network.state.terminal();
  if (terminal) {
    const advice = 'remove its keys with `agent leave`, then join with a new token';
    throw new WarrenError(
      `node-${terminal.state}`,
      `${terminal.state}: this node of network ${networkName} cannot come back (${terminal.message}); ${advice}`,
    );
  }
  context.output.note(`this host has already joined network ${networkName}: it keeps its identity`);
  return goUp(context, options, network.membership);
}

/**
 * Where the control plane was just found is where it is from now on: joining again is how a host learns that it moved.
 * A running daemon learns it from `add-network`.
 */
async function moveControl(
  network: JoinedNetwork,
  addresses: readonly HostPort[],
  root: Uint8Array,
): Promise<JoinedNetwork> {
  const { membership, state } = network;
  const known = membership.control;
  if (toBase64(root) !== known.root || [...addresses].sort().join() === [...known.addresses].sort().join())
    return network;
  const moved = { ...membership, control: { ...known, addresses } };
  await state.saveMembership(moved);
  return { state, membership: moved };
}

/** Hands the network to a running daemon, or starts one. */
async function goUp(context: CommandContext, options: JoinOptions, membership: Membership): Promise<ExitCode> {
  const { networkId: network, networkName } = membership;
  if (!options.start) {
    const { readStatus } = await import('./status.js');
    const status = await readStatus({ ...context, network });
    context.output.result(status, `joined network ${networkName}; start it with \`agent up\``);
    return 0;
  }
  const service = await import('./service.js');
  if (await askDaemon(context.stateDir, { method: 'status' })) {
    await askDaemon(context.stateDir, { method: 'add-network', network });
    return service.awaitConnection(context, network);
  }
  if (await service.runsAsService(options.foreground)) return service.startService(context, network);
  const { runForeground } = await import('./foreground.js');
  return runForeground({ ...context, network }, undefined);
}
