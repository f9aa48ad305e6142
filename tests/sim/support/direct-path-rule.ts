import { type IpAddress, ipFamily } from '@warren/base';
import { type Behaviour, type Gateway, type Host, type NatKind, Router, type Segment } from '@warren/simnet';

/** Whether two hosts can have a direct path. `either`: by luck, which a test must not count on. */
export interface DirectPathRule {
  readonly direct: 'always' | 'never' | 'either';
  readonly because: string;
}

/** RFC 4787 behaviour of all NATs on the way together: the most restrictive of each. */
export interface CombinedNat {
  readonly mapping: Behaviour;
  readonly filtering: Behaviour;
}

const STRICTNESS: readonly Behaviour[] = [
  'none',
  'endpoint-independent',
  'address-dependent',
  'address-and-port-dependent',
];
const stricter = (a: Behaviour, b: Behaviour): Behaviour => (STRICTNESS.indexOf(a) >= STRICTNESS.indexOf(b) ? a : b);

export function combineNats(kinds: readonly { mapping: Behaviour; filtering: Behaviour }[]): CombinedNat {
  return {
    mapping: kinds.reduce<Behaviour>((all, { mapping }) => stricter(all, mapping), 'none'),
    filtering: kinds.reduce<Behaviour>((all, { filtering }) => stricter(all, filtering), 'none'),
  };
}

/**
 * What plain simultaneous opening can do, cell by cell: may be crossed, by whether the mapping of each side depends on the
 * destination, and how strictly each filters. It is a table on purpose: the code under test has a formula.
 */
export function natsCanBeCrossed(a: CombinedNat, b: CombinedNat): boolean {
  const [strict, loose] = [class4787(a), class4787(b)].sort((x, y) => CLASSES.indexOf(y) - CLASSES.indexOf(x));
  return !IMPASSABLE.has(`${loose} × ${strict}`);
}

/** `open`: lets everybody in. Else whether ports can be known (`fixed`) or not (`dependent`), and what gets in. */
type Class4787 = 'open' | 'fixed, by address' | 'fixed, by port' | 'dependent, by address' | 'dependent, by port';
const CLASSES: readonly Class4787[] = [
  'open',
  'fixed, by address',
  'fixed, by port',
  'dependent, by address',
  'dependent, by port',
];
const IMPASSABLE = new Set<string>([
  'fixed, by port × dependent, by address',
  'fixed, by port × dependent, by port',
  'dependent, by address × dependent, by address',
  'dependent, by address × dependent, by port',
  'dependent, by port × dependent, by port',
]);

function class4787({ mapping, filtering }: CombinedNat): Class4787 {
  if (filtering === 'none' || filtering === 'endpoint-independent') return 'open';
  const ports = mapping === 'none' || mapping === 'endpoint-independent' ? 'fixed' : 'dependent';
  return `${ports}, by ${filtering === 'address-dependent' ? 'address' : 'port'}`;
}

/** Routers from a host up to the internet. */
export function routersAbove(host: Host): Router[] {
  const routers: Router[] = [];
  for (let gateway: Gateway | undefined = host.segment?.gateway; gateway; gateway = gateway.outside.gateway) {
    routers.push(gateway as Router);
  }
  return routers;
}

/** How the NATs above a host behave together, as a discovery by RFC 5780 would find out. */
export function natOf(host: Host): CombinedNat {
  return combineNats(routersAbove(host).map(({ nat }) => nat.kind));
}

/** What a measurement finds (`createBindingLifetimeMeasurement`): the longest silence that all its NATs forgive. */
export function lifetimeOf(host: Host): { readonly bindingLifetimeMs?: number } {
  const nats = routersAbove(host).map(({ nat }) => nat.kind);
  const lifetime = Math.min(...nats.map(({ lifetimeMs }) => lifetimeMs));
  const survived = [10, 20, 30, 45, 60, 90, 120, 180].map((seconds) => seconds * 1_000).filter((ms) => ms < lifetime);
  return nats.length > 0 ? { bindingLifetimeMs: survived.at(-1) ?? 0 } : {};
}

/** What the topology allows, known from outside: paths of both families, local networks, hairpinning, firewalls. */
export function directPathRule(a: Host, b: Host): DirectPathRule {
  const rules = [ruleOf(a, b, 4), ruleOf(a, b, 6)];
  return (
    rules.find(({ direct }) => direct === 'always') ?? rules.find(({ direct }) => direct === 'either') ?? rules[0]!
  );
}

const never = (because: string): DirectPathRule => ({ direct: 'never', because });
const either = (because: string): DirectPathRule => ({ direct: 'either', because });
const always = (because: string): DirectPathRule => ({ direct: 'always', because });

function ruleOf(a: Host, b: Host, family: 4 | 6): DirectPathRule {
  const [addressA, addressB] = [a, b].map((host) => host.addresses.find((one) => ipFamily(one) === family));
  if (!addressA || !addressB || !a.segment || !b.segment) return never(`no IPv${family} on both sides`);
  if (!a.link.up || !b.link.up) return never('a cable is out');
  if (a.udpBlocked || b.udpBlocked) return never('UDP is blocked on the host');
  const [above, below] = [routersAbove(a), routersAbove(b)];
  const shared = above.filter((router) => below.includes(router));
  const [ownA, ownB] = [above, below].map((routers) => routers.filter((router) => !shared.includes(router))) as [
    Router[],
    Router[],
  ];
  if (ownA.length === 0 && ownB.length === 0) {
    return a.segment.isCut(a, b) ? never('cut from each other') : always('the same local network');
  }
  const crossed = [...ownA, ...ownB];
  if (crossed.some(({ udpBlocked, link }) => udpBlocked || !link.up)) return never('UDP is blocked on the way');
  if (ownA.length === 0 && isReached(b, a, addressA)) return sideBySide(b, a, ownB);
  if (ownB.length === 0 && isReached(a, b, addressB)) return sideBySide(a, b, ownA);
  if (family === 6) return byIpv6(a, b, above, below);
  const rule = byIpv4(a, b, above, below, shared);
  if (rule.direct !== 'never' || shared.length === 0 || isCutAtTheTop(a, b, above, below)) return rule;
  // One of them may have been there without a router, and the other have seen its addresses.
  const [ours, theirs] = [ownA, ownB].map((routers) => combineNats(routers.map(({ nat }) => nat.kind)));
  return natsCanBeCrossed(ours!, theirs!) ? either("who remembers the carrier's addresses needs no hairpinning") : rule;
}

/** One of the two is where the other's outermost own router is: no NAT is between it and there. */
function sideBySide(inner: Host, outer: Host, routers: readonly Router[]): DirectPathRule {
  const last = routers.at(-1)!;
  return last.outside.isCut(last, outer) ? never('cut from each other') : always(`${inner.name} reaches ${outer.name}`);
}

/** Whether a packet to the address gets to this host and is not taken by a namesake on the way. */
function isReached(from: Host, to: Host, address: IpAddress): boolean {
  let segment: Segment | undefined = from.segment;
  let station = segment?.next(address, from);
  while (segment && station instanceof Router && station.inside === segment) {
    const router: Router = station;
    segment = router.outside;
    station = segment.next(address, router);
  }
  return station === to;
}

function byIpv6(a: Host, b: Host, above: readonly Router[], below: readonly Router[]): DirectPathRule {
  const all = [...above, ...below];
  if (all.some(({ firewall }) => !firewall)) return never('a router has no IPv6');
  if (isCutAtTheTop(a, b, above, below)) return never('cut from each other');
  const [ours, theirs] = [above, below].map((routers) => combineNats(routers.map(({ firewall }) => firewall!.kind)));
  return natsCanBeCrossed(ours!, theirs!) ? always('IPv6') : never('IPv6 firewalls');
}

function byIpv4(
  a: Host,
  b: Host,
  above: readonly Router[],
  below: readonly Router[],
  shared: readonly Router[],
): DirectPathRule {
  if (isCutAtTheTop(a, b, above, below)) return never('cut from each other');
  // Below a shared carrier's NAT nobody knows the addresses that the carrier gave: what a server saw has to do.
  if (shared.some(({ udpBlocked, link }) => udpBlocked || !link.up)) return never('UDP is blocked by the carrier');
  if (shared.length > 0 && !shared.at(-1)!.nat.kind.hairpinning) return never('no hairpinning');
  const kinds = [above, below].map((routers) => routers.map(({ nat }) => nat.kind));
  const [ours, theirs] = kinds.map(combineNats);
  if (natsCanBeCrossed(ours!, theirs!)) return always('the NATs can be crossed');
  if (kinds.flat().some(isLucky))
    return either('ports that depend on the destination may still be those that are known');
  // Seed 1439: a mobile moves between two places below one carrier and keeps its public address. The peer's mapping, which it has
  // used before, lets that address in from any port: no punch could find the mapping, but whoever remembers it needs none.
  const moved = a.epoch > 1 || b.epoch > 1;
  if (moved && shared.length === 0 && [ours!, theirs!].some((nat) => class4787(nat) === 'dependent, by address'))
    return either('who keeps its public address may still be let in where it was');
  const [reallyOurs, reallyTheirs] = kinds.map(withoutOpenOuter);
  return natsCanBeCrossed(reallyOurs!, reallyTheirs!)
    ? either('only who knows each of the NATs on the way knows that it can be crossed')
    : never(`${describeNat(ours!)} × ${describeNat(theirs!)}`);
}

/** An outer NAT that lets everybody in binds its ports to whoever comes: that they depend on destinations does no harm. */
function withoutOpenOuter(inner: readonly NatKind[]): CombinedNat {
  const filters = (kind: NatKind): boolean => class4787(kind) !== 'open';
  return combineNats(inner.slice(0, inner.findLastIndex(filters) + 1));
}

/** Gives each destination another port, unless the host's own happens to be free. */
const isLucky = ({ mapping, ports }: NatKind): boolean =>
  ports === 'preserving' && (mapping === 'address-dependent' || mapping === 'address-and-port-dependent');

function isCutAtTheTop(a: Host, b: Host, above: readonly Router[], below: readonly Router[]): boolean {
  const [left, right] = [above.at(-1) ?? a, below.at(-1) ?? b];
  return a.internet.core.isCut(left, right);
}

const describeNat = ({ mapping, filtering }: CombinedNat): string => `${mapping}/${filtering}`;
