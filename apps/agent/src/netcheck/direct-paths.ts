import type { NatBehaviour } from '@warren/stun';

/** What the findings mean for direct paths. */
export interface DirectPaths {
  /**
   * With whom: `all` nodes; `most`, all but those behind the worst NATs; `some`, those that can be reached by anybody or
   * nearly; `none`; `unknown`.
   */
  readonly reach: 'all' | 'most' | 'some' | 'none' | 'unknown';
  /** Sentences for people: what it means, then what would help. */
  readonly meaning: readonly string[];
}

export interface Circumstances {
  readonly udp: boolean | null;
  readonly mapping: NatBehaviour;
  readonly filtering: NatBehaviour;
  readonly overTls: boolean;
  readonly ipv6: boolean;
  /** A router forwards our port, and no other NAT stands behind it. */
  readonly portMapped: boolean;
}

/** Routers call a NAT with endpoint-independent mapping and filtering “full cone” or “open”. */
const help = (nat: string): string =>
  'To have more direct paths: let the router forward a port by PCP, NAT-PMP or UPnP (switch it on there), use a network with IPv6, ' +
  `or set ${nat} on the router (“full cone”, “open”).`;

/**
 * Two nodes reach each other directly when plain opening from both sides can work: always if either filters
 * endpoint-independently; otherwise not if both mappings depend on the destination, nor if one does and the other side
 * filters by address and port.
 */
export function judgeDirectPaths(about: Circumstances): DirectPaths {
  if (about.udp === null) return { reach: 'unknown', meaning: ['No signal server could be asked over UDP.'] };
  if (!about.udp) return withoutUdp(about.overTls);
  const { reach, meaning } = behind(about);
  const more = reach !== 'all' && about.ipv6 ? ['Nodes that have IPv6 too are reached directly over it.'] : [];
  return { reach, meaning: [...meaning, ...more] };
}

function withoutUdp(overTls: boolean): DirectPaths {
  if (!overTls) {
    const meaning = [
      'No signal server answers, neither over UDP nor over TLS: this host is offline, a firewall lets nothing out, or the servers are down.',
      'Known paths go on where they can; nothing new can be set up. Check cable, Wi-Fi sign-in page and firewall first.',
    ];
    return { reach: 'none', meaning };
  }
  const meaning = [
    'UDP does not get out of this network: no direct paths, everything goes through a relay over TLS, sealed all the same.',
    'To have direct paths: allow outgoing UDP, at least to the signal servers and to the ports of the other nodes.',
  ];
  return { reach: 'none', meaning };
}

function behind({ mapping, filtering, portMapped }: Circumstances): DirectPaths {
  if (filtering === 'none' || filtering === 'endpoint-independent') {
    return { reach: 'all', meaning: ['Direct paths to all nodes that UDP gets out of.'] };
  }
  if (portMapped)
    return { reach: 'all', meaning: ['The router forwards our port: direct paths to all nodes that UDP gets out of.'] };
  if (mapping === 'unknown' || filtering === 'unknown') return partlyKnown();
  const fixedMapping = mapping === 'none' || mapping === 'endpoint-independent';
  if (fixedMapping && filtering === 'address-dependent') {
    return { reach: 'all', meaning: ['Direct paths to all nodes that UDP gets out of.'] };
  }
  if (fixedMapping) {
    const meaning = [
      'Direct paths to most nodes. Not to those whose NAT gives each destination another port (mobile carriers, some firewalls): ' +
        'there ports are guessed, and a relay serves until that works.',
      mapping === 'none'
        ? 'To have direct paths to all: accept incoming UDP to the port of this node in the firewall.'
        : help('endpoint-independent filtering'),
    ];
    return { reach: 'most', meaning };
  }
  const meaning = [
    'This NAT gives each destination another port. Direct paths to public nodes and to those behind lenient NATs; ' +
      'to common home routers only if a port is guessed, else through a relay.',
    help('endpoint-independent mapping'),
  ];
  return { reach: 'some', meaning };
}

const partlyKnown = (): DirectPaths => ({
  reach: 'unknown',
  meaning: [
    'Not all could be found out: for mapping and filtering two signal servers that answer are needed, or one with two addresses.',
    'Direct paths are tried all the same.',
  ],
});
