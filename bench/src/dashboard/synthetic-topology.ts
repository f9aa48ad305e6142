/** A network as the control plane would tell of it (`GET /networks/:id/topology`), the same for the same number of nodes. */
export function syntheticTopology(count: number): {
  readonly nodes: readonly object[];
  readonly links: readonly object[];
} {
  const random = seeded(7);
  const bounces = Math.max(1, Math.round(count / 120));
  const sites = Math.ceil(count / 8);
  const places = Array.from({ length: count }, () => Math.floor(random() * sites));
  const nodes = places.map((site, i) => node(i, i < bounces, bounces, site, random));
  const links = new Map<string, object>();
  const add = (a: number, b: number, facts: object): void => {
    const [low, high] = a < b ? [a, b] : [b, a];
    if (low === high || links.has(`${low} ${high}`)) return;
    links.set(`${low} ${high}`, { ...DIRECT, a: idOf(low), b: idOf(high), ...measured(random), ...facts });
  };
  for (const [i, site] of places.entries()) {
    if (i >= bounces) add(i, i % bounces, {});
    for (let k = 0; k < PEERS; k++) add(i, Math.floor(random() * count), PATHS[Math.floor(random() * PATHS.length)]!);
    for (let j = Math.max(0, i - 200); j < i; j++) if (places[j] === site) add(i, j, { lan: true });
  }
  return { nodes, links: [...links.values()] };
}

/** Links of each besides those at its site and to its bounce. */
const PEERS = 4;
const DIRECT = { kind: 'direct', lan: false, family: 'ipv4', transport: null, via: null, reason: null, agreed: true };
const RELAYED = { kind: 'relay', family: null, via: 'bounce-0', reason: 'both NATs map by address and port' };
/** One of them by lot: half of all pairs are direct. */
const PATHS = [
  ...[{}, {}, {}, { family: 'ipv6' }, { family: 'ipv6' }],
  ...[
    { ...RELAYED, transport: 'udp' },
    { ...RELAYED, transport: 'udp' },
    { ...RELAYED, transport: 'tls' },
  ],
  ...[{ kind: 'bounce', family: null, via: 'bounce-0', reason: 'a vanilla member' }],
  ...[{ kind: 'none', family: null, rttMs: null, rate: 0, reason: 'no answer' }],
];

const idOf = (i: number): string => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`;

function node(i: number, bounce: boolean, bounces: number, site: number, random: () => number): object {
  const role = bounce ? 'bounce' : random() < 0.12 ? 'direct' : 'client';
  const kind = role === 'client' && random() < 0.15 ? 'vanilla' : 'agent';
  return {
    ...{ id: idOf(i), name: `${role}-${i}`, role, kind, status: 'active', disabled: false, online: random() > 0.03 },
    ...{ tags: [['prod', 'lab', 'office', 'home'][i % 4]], addresses: [`100.64.${i >> 8}.${i & 255}`] },
    ...{ endpoint: role === 'client' ? null : `203.0.113.${i % 250}:51820`, home: bounce ? null : idOf(i % bounces) },
    ...{ reflexive: [`198.51.${site >> 8}.${site & 255}:40000`], nat: 'endpoint-independent', version: '0.1.0' },
    ...{ lastSeenAt: '2026-01-01T00:00:00Z', rxRate: random() * 1e5, txRate: random() * 1e5 },
    ...{ paths: { direct: 3, relay: 1, bounce: 0, none: 0 }, warnings: [] },
  };
}

/** One link in twelve carries traffic now. */
const measured = (random: () => number): object => ({
  ...{ rttMs: random() * 80, rate: random() < 0.08 ? random() * 1e7 : 0, since: '2026-01-01T00:00:00Z' },
});

/** Mulberry32: small, and the same everywhere. */
function seeded(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
