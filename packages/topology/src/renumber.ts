import {
  addressBits,
  type IpAddress,
  type IpFamily,
  ipFamily,
  makePrefix,
  type NodeId,
  type Prefix,
  prefixAddress,
  prefixContains,
  prefixLength,
  WarrenError,
} from '@warren/base';
import { fromNumber, offsetIn, sizeOf, toNumber } from './address-number.js';
import {
  type AddressSet,
  type AddressSpace,
  isInSpan,
  isUsable,
  lowestFree,
  mirrorOf,
  narrowestOf,
  poolsOf,
  spanKey,
  spansOf,
} from './addressing.js';

/** A node that has addresses. */
export interface AddressedNode {
  readonly id: NodeId;
  readonly name: string;
  readonly addresses: readonly IpAddress[];
}

/** Addresses that are handed to nobody by themselves. */
export interface Reservation {
  readonly prefix: Prefix;
  /** The node that gets it; null: nobody does. */
  readonly name: string | null;
}

export interface RenumberInput {
  readonly from: AddressSpace;
  readonly to: AddressSpace;
  readonly nodes: readonly AddressedNode[];
  readonly reservations: readonly Reservation[];
  /** Addresses that nobody may have yet. */
  readonly resting: AddressSet;
}

/** What becomes of a network whose prefixes are others. */
export interface RenumberPlan {
  /** In the order given. IPv4 first in each. */
  readonly nodes: readonly (AddressedNode & { readonly next: readonly IpAddress[] })[];
  /** `next` null: it has no place there. */
  readonly reservations: readonly (Reservation & { readonly next: Prefix | null })[];
}

/**
 * Finds every node an address of each family of `to`. It keeps the one that it has where that is still in the network, else
 * gets the one as far behind the beginning of its prefix as before, IPv6 as IPv4; else the next free one. Nobody gets an
 * address that another node has now: who has not heard of the change yet would send it to the wrong one.
 *
 * @throws WarrenError `addresses-exhausted` when a family of `to` has not enough.
 */
export function planRenumbering(input: RenumberInput): RenumberPlan {
  const seen = new Set<Prefix>();
  const reservations = input.reservations.map((one) => {
    const next = movePrefix(one.prefix, input.from.cidrs, input.to.cidrs);
    // Two prefixes that become one: a second reservation of the same has no place.
    if (!next || seen.has(next)) return { ...one, next: null };
    seen.add(next);
    return { ...one, next };
  });
  const moved = reservations.flatMap(({ name, next }) => (next ? [{ name, prefix: next }] : []));
  const planner = new Planner(input, moved);
  const v4 = planner.family(4, () => undefined);
  const v6 = planner.family(6, (node) => v4.get(node.id));
  const nodes = input.nodes.map((node) => {
    const next = [v4.get(node.id), v6.get(node.id)].filter((address) => address !== undefined);
    return { ...node, next };
  });
  return { nodes, reservations };
}

class Planner {
  readonly #owners = new Map<IpAddress, NodeId>();
  readonly #given = new Set<IpAddress>();
  readonly #reservationOf: (address: IpAddress) => Reservation | undefined;

  constructor(
    private readonly input: RenumberInput,
    private readonly reservations: readonly Reservation[],
  ) {
    this.#reservationOf = narrowestOf(reservations);
    for (const { id, addresses } of input.nodes) for (const address of addresses) this.#owners.set(address, id);
  }

  /** @param v4Of the IPv4 address that a node was just given. */
  family(family: IpFamily, v4Of: (node: AddressedNode) => IpAddress | undefined): Map<NodeId, IpAddress> {
    const result = new Map<NodeId, IpAddress>();
    const { to, nodes } = this.input;
    if (!to.cidrs.some((cidr) => ipFamily(cidr) === family)) return result;
    const give = (node: AddressedNode, address: IpAddress | undefined): void => {
      if (!address || result.has(node.id) || !this.#isFreeFor(node, address)) return;
      result.set(node.id, address);
      this.#given.add(address);
    };
    const spans = spansOf(
      to,
      family,
      this.reservations.map(({ prefix }) => prefix),
    );
    // Whoever can stay stays before anybody moves in.
    for (const node of nodes) give(node, this.#kept(node, family));
    for (const node of nodes) give(node, this.#alike(node, family));
    for (const node of nodes) {
      const v4 = v4Of(node);
      if (v4) give(node, mirrorOf(to.cidrs, v4, spans));
    }
    const startAt = new Map<string, number>();
    for (const node of nodes) {
      if (result.has(node.id)) continue;
      const found = lowestFree(spans, { has: (address) => !this.#isFreeFor(node, address) }, startAt);
      if (!found) throw exhausted(to, family, nodes.length);
      // What was passed over is taken for everybody: their own addresses have been tried, and reserved ones are in no span.
      for (const span of spans.slice(0, spans.indexOf(found.span))) startAt.set(spanKey(span), span.last + 1);
      startAt.set(spanKey(found.span), found.offset + 1);
      give(node, found.address);
    }
    return result;
  }

  #kept(node: AddressedNode, family: IpFamily): IpAddress | undefined {
    const old = addressOf(node, family);
    return old && isUsable(this.input.to.cidrs, old) ? old : undefined;
  }

  /** As far behind the beginning as before. Who had an address out of a pool gets one out of a pool. */
  #alike(node: AddressedNode, family: IpFamily): IpAddress | undefined {
    const { from, to } = this.input;
    const old = addressOf(node, family);
    const cidr = old && from.cidrs.find((prefix) => prefixContains(prefix, old));
    const target = cidr && partnerOf(cidr, from.cidrs, to.cidrs);
    if (!old || !cidr || !target) return undefined;
    const offset = offsetIn(cidr, old);
    if (offset >= sizeOf(target)) return undefined;
    const next = fromNumber(toNumber(prefixAddress(target)) + offset, addressBits(target));
    if (!isUsable(to.cidrs, next)) return undefined;
    const wasPooled = poolsOf(from, family).some((pool) => prefixContains(pool, old));
    const isPooled = spansOf(to, family).some((span) => isInSpan(span, next));
    return isPooled || !wasPooled ? next : undefined;
  }

  #isFreeFor(node: AddressedNode, address: IpAddress): boolean {
    const owner = this.#owners.get(address);
    if (owner === node.id) return !this.#given.has(address);
    if (owner !== undefined || this.#given.has(address)) return false;
    const reserved = this.#reservationOf(address);
    if (reserved) return reserved.name === node.name;
    return !this.input.resting.has(address);
  }
}

const addressOf = ({ addresses }: AddressedNode, family: IpFamily): IpAddress | undefined =>
  addresses.find((address) => ipFamily(address) === family);

/** The prefix that takes the place of another: of the same family, and the same place among those. */
function partnerOf(cidr: Prefix, from: readonly Prefix[], to: readonly Prefix[]): Prefix | undefined {
  const family = ipFamily(cidr);
  const ofFamily = (all: readonly Prefix[]): Prefix[] => all.filter((prefix) => ipFamily(prefix) === family);
  const targets = ofFamily(to);
  return targets[ofFamily(from).indexOf(cidr)] ?? targets[0];
}

/**
 * Where a part of a network is after its prefixes have changed: where it was if that is still in the network, else as far
 * behind the beginning as before. @returns null when it has no place there.
 */
export function movePrefix(prefix: Prefix, from: readonly Prefix[], to: readonly Prefix[]): Prefix | null {
  const first = prefixAddress(prefix);
  if (to.some((cidr) => prefixLength(cidr) <= prefixLength(prefix) && prefixContains(cidr, first))) return prefix;
  const cidr = from.find((known) => prefixContains(known, first));
  const target = cidr && partnerOf(cidr, from, to);
  if (!cidr || !target) return null;
  const offset = offsetIn(cidr, first);
  if (offset + sizeOf(prefix) > sizeOf(target)) return null;
  const next = fromNumber(toNumber(prefixAddress(target)) + offset, addressBits(target));
  return makePrefix(next, prefixLength(prefix));
}

function exhausted({ cidrs, pools }: AddressSpace, family: IpFamily, nodes: number): WarrenError {
  const where = poolsOf({ cidrs, pools }, family).join(', ');
  return new WarrenError(
    'addresses-exhausted',
    `${where} has no room for ${nodes} nodes beside what is reserved and what rests: take a larger prefix`,
  );
}
