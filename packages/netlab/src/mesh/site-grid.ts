import { crossable } from '../crossable.js';
import { SITE_KINDS, type SiteKind } from '../site.js';
import type { JoinOptions, PlacedAgent, SiteMesh } from './site-mesh.js';

/**
 * Each kind of site twice, so that the pairs from left to right are all ordered pairs of kinds, each between two agents that
 * have not talked before. Both sites with a carrier's NAT are customers of the same one: that is what hairpinning is for.
 */
export interface SiteGrid {
  readonly left: readonly PlacedAgent[];
  readonly right: readonly PlacedAgent[];
}

/** Joins an agent `a-KIND` and one `b-KIND` of every kind, in the order of `SITE_KINDS`. */
export async function joinGrid(mesh: SiteMesh): Promise<SiteGrid> {
  const kinds: readonly SiteKind[] = SITE_KINDS;
  const left = await mesh.joinAll(kinds.map((kind): JoinOptions => ({ name: `a-${kind.name}`, at: kind })));
  const right = await mesh.joinAll(
    kinds.map((kind, index): JoinOptions => {
      const carrier = left[index]!.site.routers[1];
      return { name: `b-${kind.name}`, at: kind, ...(carrier ? { customerOf: carrier } : {}) };
    }),
  );
  return { left, right };
}

/** Pairs of the grid in waves: in each, every agent is in one pair. */
export function gridWaves({ left, right }: SiteGrid): (readonly [PlacedAgent, PlacedAgent])[][] {
  return left.map((_, wave) => left.map((from, index) => [from, right[(index + wave) % right.length]!] as const));
}

/** What plain punching gives a pair; `either` where it is a race. */
export function expectedPath(from: PlacedAgent, to: PlacedAgent): 'direct' | 'relay' | 'either' {
  const [a, b] = [from.site.kind, to.site.kind];
  const carrier = from.site.routers[1];
  // Customers of one carrier have the same outer address: they meet only if it sends them back in.
  if (carrier && carrier === to.site.routers[1])
    return 'hairpinning' in carrier.nat && carrier.nat.hairpinning ? 'direct' : 'relay';
  if (!crossable(a, b)) return 'relay';
  return a.race || b.race ? 'either' : 'direct';
}

/** Nobody knows anybody any more: routers have rebooted, agents have ended and started again. */
export async function forgetAll({ left, right }: SiteGrid): Promise<void> {
  const all = [...left, ...right];
  await Promise.all(all.map(({ agent }) => agent.process.stop()));
  await Promise.all([...new Set(all.flatMap(({ site }) => site.routers))].map((router) => router.reboot()));
  for (const { agent } of all) await agent.up();
}
