import type { Schemas } from '@warren/client';
import type { Screen, Tone } from './screen.js';

/** Milliseconds before a key's end from which on its end is worth a line. */
const SOON = 7 * 86_400_000;
/** Names in one line; the rest are counted. */
const NAMED = 5;

/** Something that an operator ought to look at, and what to do about it. */
export interface Concern {
  readonly tone: Tone;
  readonly text: string;
}

/** A node as lists give it. Older control planes do not know the last one. */
type Node = Schemas['Node'] & { readonly lanClashes?: readonly string[] };

/** What is wrong, the worst first; empty: nothing. */
export function concerns(nodes: readonly Node[], apiKeys: readonly Schemas['ApiKey'][], screen: Screen): Concern[] {
  const { now } = screen;
  const soon = (time: string | null): boolean => time !== null && Date.parse(time) - now < SOON;
  const current = nodes.filter(({ status }) => status === 'active');
  const waiting = nodes.filter(({ status, disabledAt }) => status === 'pending' && disabledAt === null);
  const about = (
    found: readonly Node[],
    tone: Tone,
    say: (who: string, one: boolean) => string,
    detail?: (node: Node) => string,
  ): Concern[] => (found.length === 0 ? [] : [{ tone, text: say(named(found, detail), found.length === 1) }]);
  const keys = apiKeys.filter(({ expiresAt }) => soon(expiresAt) && Date.parse(expiresAt!) > now);
  return [
    ...about(
      current.filter(({ unavailable }) => unavailable),
      'bad',
      (who, one) =>
        `${one ? 'bounce' : 'bounces'} ${who} not available: no member is homed there until ${one ? 'it is' : 'they are'} back`,
    ),
    ...about(
      nodes.filter(({ cloneNoticedAt }) => cloneNoticedAt !== null),
      'bad',
      (who) => `a copy of ${who} was started elsewhere: \`warren node show NAME\`, then \`clone-seen\` or \`revoke\``,
      ({ cloneNoticedAt }) => screen.ago(cloneNoticedAt),
    ),
    ...about(
      current.filter(({ lanClashes = [] }) => lanClashes.length > 0),
      'bad',
      (who) => `the LAN of ${who} overlaps its network: \`warren network renumber\`, or another LAN`,
      ({ lanClashes = [] }) => lanClashes.join(', '),
    ),
    ...about(
      nodes.filter(({ status }) => status === 'expired'),
      'bad',
      (who) => `the key of ${who} has expired: \`warren node extend NAME\``,
    ),
    ...about(
      waiting.filter(({ publicKey }) => publicKey === null),
      'warning',
      (who, one) => `${who} ${one ? 'has' : 'have'} no key yet: \`warren node set NAME --public-key KEY\``,
      ({ createdAt }) => screen.ago(createdAt),
    ),
    ...about(
      waiting.filter(({ publicKey }) => publicKey !== null),
      'warning',
      (who, one) => `${who} ${one ? 'waits' : 'wait'} for approval: \`warren node approve NAME\``,
      ({ createdAt }) => screen.ago(createdAt),
    ),
    ...about(
      current.filter(({ keyExpiresAt }) => soon(keyExpiresAt)),
      'warning',
      (who) => `the key of ${who} expires soon: \`warren node extend NAME\``,
      ({ keyExpiresAt }) => screen.ago(keyExpiresAt),
    ),
    ...keys.map(
      ({ name, id, expiresAt }): Concern => ({
        tone: 'warning',
        text: `the API key ${name} (${id}) expires ${screen.ago(expiresAt)}: \`warren apikey create\``,
      }),
    ),
  ];
}

/** `laptop, phone (5m ago) in lab and 3 more`: the network only where it is not the one of all. */
function named(nodes: readonly Node[], detail?: (node: Node) => string): string {
  const several = new Set(nodes.map(({ network }) => network)).size > 1;
  const names = nodes
    .slice(0, NAMED)
    .map((node) => `${node.name}${several ? ` in ${node.network}` : ''}${detail ? ` (${detail(node)})` : ''}`);
  return names.join(', ') + (nodes.length > NAMED ? ` and ${nodes.length - NAMED} more` : '');
}
