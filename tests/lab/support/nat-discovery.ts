import { fileURLToPath } from 'node:url';
import { execute, type Host, type NatBehaviour, type World } from '@warren/netlab';
import type { NatDiscoveryResult } from '@warren/stun';
import { expect } from 'vitest';

const BEHAVIOURS = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const;

export interface NatUnderTest {
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
}

/** Every mapping with every filtering. */
export const NINE_NATS: readonly NatUnderTest[] = BEHAVIOURS.flatMap((mapping) =>
  BEHAVIOURS.map((filtering) => ({ mapping, filtering })),
);

/** A host behind each of the nine, in their order. */
export async function addNineHosts(world: World): Promise<Host[]> {
  const hosts: Host[] = [];
  for (const [index, nat] of NINE_NATS.entries()) {
    const router = await world.addRouter({ name: `router${index}`, nat, lan: '192.168.1.0/24' });
    hosts.push(await world.addHost({ name: `host${index}`, on: router }));
  }
  return hosts;
}

/** Gives a public host a second address: known to it, and to the internet as being there. */
export async function addPublicAddress(world: World, host: Host, address: string): Promise<void> {
  await host.run('ip', ['address', 'add', `${address}/32`, 'dev', 'eth0']);
  const route = ['-n', `${world.prefix}internet`, 'route', 'add', `${address}/32`, 'via', host.ipv4];
  expect(await execute('ip', route)).toMatchObject({ code: 0 });
}

/** Discovers the NAT before `host` with the STUN servers at port 3478 of these addresses. */
export async function discover(host: Host, ...servers: string[]): Promise<NatDiscoveryResult> {
  const script = fileURLToPath(new URL('discover.mjs', import.meta.url));
  const { stdout, stderr } = await host.run(process.execPath, [script, ...servers.map((address) => `${address}:3478`)]);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as NatDiscoveryResult;
}
