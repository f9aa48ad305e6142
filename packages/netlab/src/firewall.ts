import type { NatSite } from './nat.js';

/** What a router lets its LAN send outwards; answers to it always come back in. */
export type FirewallKind = 'open' | 'udp-blocked' | 'tcp-443-only';

const OUTWARDS: Record<FirewallKind, string> = {
  open: 'accept',
  'udp-blocked': 'meta l4proto != udp accept',
  'tcp-443-only': 'tcp dport 443 accept',
};

/**
 * nftables rules of a router's firewall for both IP versions, table `inet firewall`: nothing new comes in from outside
 * except what the NAT has translated for an inner host.
 */
export function renderFirewall(kind: FirewallKind, site: Pick<NatSite, 'inside' | 'outside'>): string {
  return `
table inet firewall {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname "${site.outside}" ct state new meta l4proto != { icmp, icmpv6 } drop
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "${site.outside}" ct status dnat accept
    iifname "${site.inside}" oifname "${site.inside}" accept
    iifname "${site.inside}" ${OUTWARDS[kind]}
  }
}
`;
}
