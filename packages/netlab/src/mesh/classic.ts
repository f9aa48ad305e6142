import type { Host } from '../host.js';
import { CARRIER_NAT, HOME_NAT } from '../nat.js';
import { createWorld, type World, type WorldOptions } from '../world.js';
import { AgentNode, type AgentOptions } from './agent-node.js';
import { ControlPlane, type ControlPlaneOptions } from './control-plane.js';

/** The five hosts that WireGuard's community documentation explains everything with, in the order of their addresses. */
export const CLASSIC_NODES = [
  { name: 'public-server1', role: 'bounce', ipv4: '10.44.0.1' },
  { name: 'public-server2', role: 'direct', ipv4: '10.44.0.2' },
  { name: 'home-server', role: 'client', ipv4: '10.44.0.3' },
  { name: 'laptop', role: 'client', ipv4: '10.44.0.4' },
  { name: 'phone', role: 'client', ipv4: '10.44.0.5' },
] as const;

export type ClassicName = (typeof CLASSIC_NODES)[number]['name'];

/** The places of the classic example, before anything runs there. */
export interface ClassicSite {
  readonly world: World;
  /** Where the control plane belongs: a public host of its own. */
  readonly control: Host;
  readonly hosts: Readonly<Record<ClassicName, Host>>;
}

/**
 * Two public servers; `home-server` and `laptop` behind a home NAT each, both on 192.168.1.0/24; `phone` tethered,
 * behind a NAT behind its carrier's.
 */
export async function createClassicSite(options: WorldOptions): Promise<ClassicSite> {
  const world = await createWorld(options);
  try {
    return await populate(world);
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function populate(world: World): Promise<ClassicSite> {
  const home = { nat: HOME_NAT, lan: '192.168.1.0/24' };
  const control = await world.addHost({ name: 'control' });
  const server1 = await world.addHost({ name: 'public-server1' });
  const server2 = await world.addHost({ name: 'public-server2' });
  const homeRouter = await world.addRouter({ name: 'home-nat', ...home });
  const officeRouter = await world.addRouter({ name: 'laptop-nat', ...home });
  const carrier = await world.addRouter({ name: 'carrier-nat', nat: CARRIER_NAT, lan: '100.64.0.0/24' });
  const tether = await world.addRouter({
    name: 'tether-nat',
    nat: HOME_NAT,
    lan: '192.168.43.0/24',
    upstream: carrier,
  });
  return {
    world,
    control,
    hosts: {
      'public-server1': server1,
      'public-server2': server2,
      'home-server': await world.addHost({ name: 'home-server', on: homeRouter }),
      laptop: await world.addHost({ name: 'laptop', on: officeRouter }),
      phone: await world.addHost({ name: 'phone', on: tether }),
    },
  };
}

/** The classic example with everything running. `site.world.close()` ends it. */
export interface ClassicMesh {
  readonly site: ClassicSite;
  readonly control: ControlPlane;
  readonly agents: Readonly<Record<ClassicName, AgentNode>>;
}

export interface ClassicMeshOptions {
  readonly control?: ControlPlaneOptions;
  /** What each agent is given beside name, role and token. */
  readonly agent?: (name: ClassicName) => Partial<AgentOptions>;
  /** Told of each step as it is done. */
  readonly onStep?: (step: string) => unknown;
}

/**
 * Starts the control plane and joins the hosts one after the other, so that each has the address that the example
 * gives it.
 */
export async function startClassicMesh(site: ClassicSite, options: ClassicMeshOptions = {}): Promise<ClassicMesh> {
  const step = options.onStep ?? (() => undefined);
  const control = await ControlPlane.start(site.control, options.control);
  step(`control plane at ${site.control.ipv4}`);
  const token = await control.createToken(['--uses', String(CLASSIC_NODES.length)]);
  const agents: Partial<Record<ClassicName, AgentNode>> = {};
  for (const { name, role } of CLASSIC_NODES) {
    const agent = await AgentNode.join(site.hosts[name], { name, role, token, ...options.agent?.(name) });
    agents[name] = agent;
    step(`${name} joined as ${role}: ${agent.ipv4}, ${agent.ipv6}`);
  }
  return { site, control, agents: agents as Record<ClassicName, AgentNode> };
}
