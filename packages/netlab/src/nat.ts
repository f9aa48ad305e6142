import { invariant } from '@warren/base';

/** RFC 4787 §4.1 (mapping) and §5 (filtering) use the same three kinds. */
export type NatBehaviour = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

/** How a NAT behaves for UDP: by the terms of RFC 4787, or as the kernel's own `masquerade`. */
export type NatKind = BehaviouralNat | MasqueradeNat;

/** A NAT that is made of a mapping and a filtering behaviour. */
export interface BehaviouralNat {
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
  /**
   * RFC 4787 §4.2.1: `preserved` keeps the inner port while nobody else has it, `random` never does, `sequential` gives
   * the next number to each new mapping (with dependent mapping only). Preserved unless said.
   */
  readonly ports?: 'preserved' | 'random' | 'sequential';
  /** RFC 4787 §6: two inner hosts reach each other by their outer addresses. Off unless said. */
  readonly hairpinning?: boolean;
  /** Seconds without an outgoing packet until a mapping ends (RFC 4787 §4.3); 120 unless said. */
  readonly timeoutS?: number;
}

/**
 * Stock `masquerade` of Linux routers. It keeps the source port, and so looks endpoint-independent, until the flow that it
 * would make exists already: by another host with the same port, or because a packet from outside came first.
 */
export interface MasqueradeNat {
  /**
   * What becomes of a packet from outside that belongs to no flow. `accepted`: the router takes it itself, so that an
   * early packet of a peer occupies the port, and the inner host's own flow to that peer gets another one.
   */
  readonly masquerade: 'input-dropped' | 'input-accepted';
  /** Seconds of the kernel's entries; its own 30 (unanswered) and 120 (answered) unless said. */
  readonly timeoutS?: number;
}

/** What a NAT stands between. */
export interface NatSite {
  readonly inside: string;
  readonly outside: string;
  readonly publicAddress: string;
}

/** The home router of the classic example. */
export const HOME_NAT: BehaviouralNat = { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' };
/** The carrier of the classic example. */
export const CARRIER_NAT: BehaviouralNat = {
  mapping: 'address-and-port-dependent',
  filtering: 'address-and-port-dependent',
  ports: 'random',
};

const FIRST_PORT = 20_000;
const PORTS = `${FIRST_PORT}-59999`;
/** Sequential ports begin anew after so many; nftables takes them as a list. */
const SEQUENTIAL_PORTS = 4_096;

/** The kind is how these two keys are built: beside the inner endpoint, the part of the outer endpoint that counts. */
const MAPPING_KEY: Record<NatBehaviour, { type: string; packet: string; remote: string }> = {
  'endpoint-independent': { type: '', packet: '', remote: '' },
  'address-dependent': { type: ' . ip daddr', packet: ' . ip daddr', remote: ' . ip daddr' },
  'address-and-port-dependent': {
    type: ' . ip daddr . udp dport',
    packet: ' . ip daddr . udp dport',
    remote: ' . ip daddr . udp dport',
  },
};

const FILTER_KEY: Record<NatBehaviour, { type: string; incoming: string; outgoing: string } | undefined> = {
  'endpoint-independent': undefined,
  'address-dependent': { type: ' . ip saddr', incoming: ' . ip saddr', outgoing: ' . ip daddr' },
  'address-and-port-dependent': {
    type: ' . ip saddr . udp sport',
    incoming: ' . ip saddr . udp sport',
    outgoing: ' . ip daddr . udp dport',
  },
};

/** nftables rules of a NAT, table `ip nat`. */
export function renderNat(kind: NatKind, site: NatSite): string {
  return 'masquerade' in kind ? renderMasquerade(kind, site) : renderBehaviour(kind, site);
}

/**
 * That a flow which began outside keeps its port from the inner host is said in rules: kernels before 6.12 do so by
 * themselves, later ones let the two flows be one now and then.
 */
function renderMasquerade(kind: MasqueradeNat, site: NatSite): string {
  const early = kind.masquerade === 'input-accepted';
  return `
table ip nat {
  set early { typeof udp dport . ip saddr . udp sport; flags dynamic,timeout; timeout ${kind.timeoutS ?? 30}s; size 65535; }
  chain input {
    type filter hook input priority 10; policy accept;
    ${early ? `iifname "${site.outside}" meta l4proto udp update @early { udp dport . ip saddr . udp sport }` : ''}
  }
  chain outbound {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${site.outside}" udp sport . ip daddr . udp dport @early masquerade to :${PORTS} fully-random
    oifname "${site.outside}" masquerade
  }
}
`;
}

/**
 * Mappings are learned from the packets that leave: the kernel chooses the
 * port of a first packet, the maps hold it for every later flow of the same key.
 */
function renderBehaviour(kind: BehaviouralNat, site: NatSite): string {
  const timeout = kind.timeoutS ?? 120;
  invariant(timeout > 0, 'a NAT timeout is positive');
  const learned = `flags dynamic,timeout; timeout ${timeout}s; size 65535;`;
  const mapping = MAPPING_KEY[kind.mapping];
  const filter = FILTER_KEY[kind.filtering];
  return `
table ip nat {
  map out { typeof ip saddr . udp sport${mapping.type} : udp sport; ${learned} }
  map in { typeof udp dport : ip daddr . udp dport; ${learned} }
  set used { typeof udp dport; ${learned} }
  set owners { typeof udp sport . ip saddr . udp sport; ${learned} }
  ${filter ? `set peers { typeof udp dport${filter.type}; ${learned} }` : ''}
  chain filtering {
    type filter hook prerouting priority -150; policy accept;
    ${renderFiltering(filter, site)}
  }
  chain inbound {
    type nat hook prerouting priority dstnat; policy accept;
    ${kind.hairpinning ? '' : `iifname "${site.outside}" `}ip daddr ${site.publicAddress} dnat ip to udp dport map @in
  }
  chain outbound {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${site.outside}" jump translate
    ${kind.hairpinning ? `oifname "${site.inside}" ct status dnat jump translate` : ''}
  }
  chain translate {
    meta l4proto udp snat ip to ${site.publicAddress} : ip saddr . udp sport${mapping.packet} map @out
    ${renderAllocation(kind, site)}
  }
  chain learn {
    type filter hook postrouting priority 300; policy accept;
    oifname "${site.outside}" meta l4proto udp jump learn_mapping
    ${kind.hairpinning ? `oifname "${site.inside}" ct status dnat meta l4proto udp ip saddr ${site.publicAddress} jump learn_mapping` : ''}
  }
  chain learn_mapping {
    ct direction original udp sport @used udp sport . ct original ip saddr . ct original proto-src != @owners drop
    ${renderLearning('original', mapping.remote)}
    ${renderLearning('reply', mapping.remote)}
    update @used { udp sport }
    ${filter ? `update @peers { udp sport${filter.outgoing} }` : ''}
  }
}
`;
}

/** Ports of one inner endpoint are never given to another: the kernel alone would, towards another destination. */
function renderAllocation(kind: BehaviouralNat, site: NatSite): string {
  if (kind.ports === 'sequential') {
    invariant(kind.mapping !== 'endpoint-independent', 'ports are sequential where a flow has a port of its own');
    return `meta l4proto udp snat ip to ${site.publicAddress} : ${sequence()}\n    snat ip to ${site.publicAddress}`;
  }
  const random = `snat ip to ${site.publicAddress}:${PORTS} fully-random`;
  const lines = [
    kind.ports === 'random' || kind.mapping !== 'endpoint-independent'
      ? `meta l4proto udp ${random}`
      : `udp sport @used ${random}`,
    `snat ip to ${site.publicAddress}`,
  ];
  return lines.join('\n    ');
}

/** By a map, because nft 1.0.6 would write the number itself with its bytes swapped. */
function sequence(): string {
  const entries = Array.from({ length: SEQUENTIAL_PORTS }, (_, index) => `${index} : ${FIRST_PORT + index}`);
  return `numgen inc mod ${SEQUENTIAL_PORTS} map { ${entries.join(', ')} }`;
}

function renderFiltering(filter: { incoming: string } | undefined, site: NatSite): string {
  if (!filter) return '';
  const known = `udp dport${filter.incoming} != @peers`;
  return `iifname "${site.outside}" meta l4proto udp ct state new udp dport @used ${known} drop`;
}

/**
 * Here the packet has its outer source already, and the conntrack entry knows the inner one: as the original source of
 * a flow that began inside, as the reply's source of one that began outside.
 */
function renderLearning(direction: 'original' | 'reply', remote: string): string {
  const inner = `ct ${direction} ip saddr . ct ${direction} proto-src`;
  // Without the protocol in the same rule nft 1.0.6 does not know what kind of port the entry holds.
  const when = `meta l4proto udp ct direction ${direction}`;
  return [
    `${when} update @out { ${inner}${remote} : udp sport }`,
    `${when} update @in { udp sport : ${inner} }`,
    `${when} update @owners { udp sport . ${inner} }`,
  ].join('\n    ');
}
