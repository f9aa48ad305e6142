import { Badge } from './badge.js';
import { cx } from './class-names.js';

/** How packets of a pair go, as the page tells kinds apart. */
export type PathLook = 'lan' | 'direct' | 'ipv6' | 'relay' | 'tls' | 'bounce' | 'none';

/** The part of a link or of a node's path that decides how it looks. */
interface PathFacts {
  readonly kind: 'direct' | 'relay' | 'bounce' | 'none';
  readonly lan: boolean;
  readonly family: 'ipv4' | 'ipv6' | null;
  readonly transport: 'udp' | 'tls' | null;
}

export function pathLook({ kind, lan, family, transport }: PathFacts): PathLook {
  if (kind === 'direct') return lan ? 'lan' : family === 'ipv6' ? 'ipv6' : 'direct';
  if (kind === 'relay') return transport === 'tls' ? 'tls' : 'relay';
  return kind;
}

/** Names for people, the CSS variable of the colour, and the dash of the line: colour is never alone. Best first. */
export const PATH_LOOKS: Readonly<Record<PathLook, { name: string; colour: string; dash: readonly number[] }>> = {
  lan: { name: 'Direct, LAN', colour: '--path-lan', dash: [] },
  direct: { name: 'Direct', colour: '--path-direct', dash: [] },
  ipv6: { name: 'Direct, IPv6', colour: '--path-ipv6', dash: [] },
  relay: { name: 'Relay, UDP', colour: '--path-relay', dash: [8, 5] },
  tls: { name: 'Relay, TLS', colour: '--path-tls', dash: [3, 4] },
  bounce: { name: 'Bounce', colour: '--path-bounce', dash: [10, 4, 2, 4] },
  none: { name: 'No path', colour: '--path-none', dash: [2, 6] },
};

const MARKS: Record<PathLook, string> = {
  lan: 'bg-path-lan',
  direct: 'bg-path-direct',
  ipv6: 'bg-path-ipv6',
  relay: 'bg-path-relay',
  tls: 'bg-path-tls',
  bounce: 'bg-path-bounce',
  none: 'bg-path-none',
};

/** `Direct, LAN`, `Relay, TLS · frankfurt`. */
export const PathBadge = ({ path, via }: { path: PathFacts; via?: string | null }) => {
  const look = pathLook(path);
  return (
    <Badge>
      <span aria-hidden className={cx('inline-block h-0.5 w-3.5 rounded', MARKS[look])} />
      <span className="text-ink">{PATH_LOOKS[look].name}</span>
      {via && <span>· {via}</span>}
    </Badge>
  );
};
