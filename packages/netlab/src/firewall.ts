import type { NatSite } from './nat.js';

/**
 * What a router lets its LAN send outwards; answers to it come back in. All but `open` hold for flows that exist already
 * too. `tls-443-only` wants a TLS ClientHello as the first bytes of each TCP connection to port 443; connections to it that
 * exist when the firewall is switched go on.
 */
export type FirewallKind = 'open' | 'udp-blocked' | 'tcp-443-only' | 'tls-443-only';

// nft 1.0.6 would make one comparison of two ports that are told apart in the same rule.
const tcp443Alone = (inside: string): string => `meta l4proto != tcp drop
    iifname "${inside}" tcp dport != 443 drop
    iifname != "${inside}" tcp sport != 443 drop`;

/** Connection mark of those whose ClientHello was seen. */
const TLS_MARK = '0x715';

/** Packets without content, a handshake's for instance, are at most so long: IP and TCP headers with all options. */
const EMPTY = 'meta nfproto ipv4 meta length <= 60 accept\n    meta nfproto ipv6 meta length <= 80 accept';

/** What flows before the switch to `tls-443-only` is not asked for its ClientHello again. */
const trustEstablished = (inside: string): string =>
  `iifname "${inside}" ct state established tcp dport 443 ct mark set ${TLS_MARK}`;

const RULES: Record<FirewallKind, (inside: string) => string> = {
  open: trustEstablished,
  'udp-blocked': (inside) => `meta l4proto udp drop\n    ${trustEstablished(inside)}`,
  'tcp-443-only': (inside) => `${tcp443Alone(inside)}\n    ${trustEstablished(inside)}`,
  'tls-443-only': (inside) => `${tcp443Alone(inside)}
    ct state new tcp flags & (syn | ack) != syn drop
    iifname "${inside}" ct state established tcp dport 443 @ih,0,8 0x16 @ih,40,8 0x01 ct mark set ${TLS_MARK} accept
    ct state established ct mark != ${TLS_MARK} jump before_hello`,
};

/**
 * nftables rules of a router's firewall for both IP versions, table `inet firewall`: nothing new comes in from outside
 * except what the NAT has translated for an inner host, or what the router itself takes where its input is open.
 */
export function renderFirewall(
  kind: FirewallKind,
  site: Pick<NatSite, 'inside' | 'outside'>,
  inputAccepted = false,
): string {
  const input = `iifname "${site.outside}" ct state new meta l4proto != { icmp, icmpv6 } drop`;
  return `
table inet firewall {
  chain before_hello {
    ${EMPTY}
    drop
  }
  chain input {
    type filter hook input priority filter; policy accept;
    ${inputAccepted ? '' : input}
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ${RULES[kind](site.inside)}
    ct state established,related accept
    iifname "${site.outside}" ct status dnat accept
    iifname "${site.inside}" accept
  }
}
`;
}

/** nftables rules that lose the given share of what a router forwards in either direction, table `inet loss`. */
export function renderLoss(share: number): string {
  const rule = share > 0 ? `numgen random mod 10000 < ${Math.round(share * 10_000)} drop` : '';
  return `
table inet loss {
  chain forward {
    type filter hook forward priority -10; policy accept;
    ${rule}
  }
}
`;
}

/** nftables rules that let no UDP through from or to an IPv4 address, table `inet blocked`. */
export function renderBlock(address: string | undefined): string {
  const rules = ['saddr', 'daddr'].map((side) => `ip ${side} ${address} meta l4proto udp drop`);
  return `
table inet blocked {
  chain forward {
    type filter hook forward priority -20; policy accept;
    ${address === undefined ? '' : rules.join('\n    ')}
  }
}
`;
}
