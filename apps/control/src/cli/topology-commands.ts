import { type Schemas, take } from '@warren/client';
import { type Command, Option } from 'commander';
import { byId, type CommandContext, common, run } from './command.js';
import { findNode, onNode } from './find-node.js';
import type { Cell, Column, Screen, Tone } from './screen.js';
import { bytesText } from './sizes.js';

const KINDS = ['direct', 'relay', 'bounce', 'none'] as const;
const TONES: Readonly<Record<(typeof KINDS)[number], Tone | undefined>> = {
  direct: 'good',
  relay: 'warning',
  bounce: 'warning',
  none: 'bad',
};

type Link = Schemas['TopologyLink'];
interface Options {
  readonly network: string;
  readonly kind?: (typeof KINDS)[number];
  readonly node?: string;
}

/** `warren topology`: how the members of a network reach each other, as their agents report it. */
export function topologyCommand(program: Command, context: CommandContext): void {
  common(program.command('topology'))
    .description('how members reach each other now, as their agents report it')
    .option('--network <network>', 'name or id', 'default')
    .option('--node <node>', 'links of this one only, by name or id')
    .addOption(new Option('--kind <kind>', 'links of this kind only').choices(KINDS))
    .action(
      run(context, async (rest, _, { network, kind, node }: Options) => {
        const topology = await take(rest.GET('/api/v1/networks/{id}/topology', byId(network)));
        const one = node === undefined ? undefined : (await findNode(rest, node, network)).id;
        const links = topology.links.filter(
          (link) =>
            (kind === undefined || link.kind === kind) && (one === undefined || link.a === one || link.b === one),
        );
        const names = new Map(topology.nodes.map(({ id, name }) => [id, name]));
        return {
          answer: { ...topology, links },
          text: (screen) => topologyText(topology, links, names, screen),
          ...(links.length === 0 && { note: 'no such links: agents report a path once they need it' }),
        };
      }),
    );
}

/** `warren node explain NODE PEER`: asks NODE's agent why its path is what it is. */
export function explainCommand(node: Command, context: CommandContext): void {
  onNode(node.command('explain'), 'ask its agent why its path to a peer is what it is')
    .argument('<peer>', 'name or id')
    .action(
      run(context, async (rest, [name, peerName], { network }: { readonly network?: string }) => {
        const { id, network: within } = await findNode(rest, name, network);
        const peer = await findNode(rest, peerName, within);
        const path = { path: { id }, query: { peer: peer.id } };
        const explanation = await take(rest.GET('/api/v1/nodes/{id}/explain', { params: path }));
        return { answer: explanation, text: (screen) => explanationText(name, explanation, screen) };
      }),
    );
}

function topologyText(
  { nodes }: Schemas['Topology'],
  links: readonly Link[],
  names: ReadonlyMap<string, string>,
  screen: Screen,
): string {
  const online = nodes.filter((node) => node.online).length;
  const kinds = KINDS.map((kind) => [kind, links.filter((link) => link.kind === kind).length] as const);
  const counts = kinds.filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind}`);
  const summary = `${nodes.length} nodes, ${online} online; ${links.length} links${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`;
  if (links.length === 0) return summary;
  const sorted = [...links].sort((x, y) => (namesOf(x, names) < namesOf(y, names) ? -1 : 1));
  return `${screen.table(columns(names, screen), sorted)}\n\n${summary}`;
}

const namesOf = ({ a, b }: Link, names: ReadonlyMap<string, string>): string => pair(a, b, names).join('\n');
const pair = (a: string, b: string, names: ReadonlyMap<string, string>): string[] =>
  [names.get(a) ?? a, names.get(b) ?? b].sort();

const columns = (names: ReadonlyMap<string, string>, screen: Screen): Column<Link>[] => [
  { title: 'BETWEEN', cell: ({ a, b }) => pair(a, b, names)[0]!, fit: 'cut' },
  { title: 'AND', cell: ({ a, b }) => pair(a, b, names)[1]!, fit: 'cut' },
  { title: 'PATH', cell: pathCell },
  { title: 'VIA', cell: ({ via }) => via ?? '-', fit: 'cut' },
  { title: 'RTT', cell: ({ rttMs }) => (rttMs === null ? '-' : `${rttMs} ms`) },
  { title: 'TRAFFIC', cell: ({ rate }) => (rate === 0 ? '-' : `${bytesText(rate)}/s`) },
  { title: 'SINCE', cell: ({ since }) => screen.ago(since), fit: 'drop' },
  { title: 'WHY', cell: ({ reason }) => reason ?? '-', fit: 'drop' },
];

/** `direct LAN`, `direct IPv6`, `relay TLS`; with a question mark while the two ends differ. */
function pathCell({ kind, lan, family, transport, agreed }: Link): Cell {
  const more = lan ? ' LAN' : family === 'ipv6' ? ' IPv6' : kind === 'relay' ? ` ${transport?.toUpperCase()}` : '';
  return { text: `${kind}${more}${agreed ? '' : ' ?'}`, tone: TONES[kind] };
}

function explanationText(name: string, explanation: Schemas['Explanation'], screen: Screen): string {
  const { node, path, why, advice, candidates, nat, homes, servers } = explanation;
  const way = [
    path.kind,
    path.transport === 'tls' ? 'over TLS' : '',
    path.via ? `by way of ${path.via}` : '',
    path.endpoint,
  ];
  const natText = (one: { mapping: string; filtering: string } | null): string =>
    one ? `mapping ${one.mapping}, filtering ${one.filtering}` : 'not known';
  return [
    screen.record({
      path: { text: `${name} to ${node.name}: ${way.filter(Boolean).join(' ')}`, tone: TONES[path.kind] },
      why,
      ...(advice === null ? {} : { advice: { text: advice, tone: 'warning' as const } }),
      'round trip': path.rttMs === null ? 'not measured' : `${path.rttMs} ms`,
      since: screen.ago(path.since),
      [`NAT of ${name}`]: natText(nat.local),
      [`NAT of ${node.name}`]: natText(nat.remote),
      homes: `${homes.local.join(', ') || '-'}; ${node.name}: ${homes.remote.join(', ') || '-'}`,
    }),
    ...(candidates.length > 0 ? ['', screen.table(CANDIDATES, candidates)] : []),
    ...(servers.length > 0 ? ['', screen.table(SERVERS, servers)] : []),
  ].join('\n');
}

const CANDIDATES: readonly Column<Schemas['Explanation']['candidates'][number]>[] = [
  { title: 'CANDIDATE', cell: ({ endpoint }) => endpoint },
  { title: 'KIND', cell: ({ kind }) => kind, fit: 'drop' },
  { title: 'RESULT', cell: ({ result, used }) => (used ? { text: `${result}, used`, tone: 'good' } : result) },
  { title: 'RTT', cell: ({ rttMs }) => (rttMs === null ? '-' : `${rttMs} ms`) },
  { title: 'PROBES', cell: ({ probes }) => String(probes), fit: 'drop' },
];

const SERVERS: readonly Column<Schemas['Explanation']['servers'][number]>[] = [
  { title: 'SIGNAL SERVER', cell: ({ name }) => name },
  { title: 'REGISTERED', cell: ({ registered, transport }) => (registered ? `by ${transport ?? '-'}` : 'no') },
  { title: 'HOME', cell: ({ home }) => (home ? 'yes' : 'no'), fit: 'drop' },
  { title: 'SEEN AS', cell: ({ reflexive }) => reflexive ?? '-' },
  { title: 'FAILURE', cell: ({ failure }) => failure ?? '-', fit: 'cut' },
];
