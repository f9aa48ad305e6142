import type { Node } from '../../api/queries.js';
import type { Topology } from '../../api/telemetry.js';
import { plural } from '../../ui/format.js';

/** Members that are reached through `bounce` now, by name. */
export const homedAt = (topology: Topology | undefined, bounce: string): string[] =>
  (topology?.nodes ?? []).filter(({ home }) => home === bounce).map(({ name }) => name);

/** How many bounces would be left to take over from those that go. */
const bouncesLeft = (topology: Topology | undefined, going: ReadonlySet<string>): number =>
  (topology?.nodes ?? []).filter(({ id, role, status }) => role === 'bounce' && status === 'active' && !going.has(id))
    .length;

/** `a, b, c and 4 more`. */
export function someOf(names: readonly string[], most = 8): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${(names.length - most).toLocaleString('en')} more`;
}

/** Who loses their home when these nodes go, and what becomes of them; nothing where nobody does. */
export function HomesLost({ nodes, topology }: { nodes: readonly Node[]; topology: Topology | undefined }) {
  const going = new Set(nodes.map(({ id }) => id));
  const bounces = nodes.filter(({ role }) => role === 'bounce');
  const homeless = bounces
    .flatMap(({ id }) => homedAt(topology, id))
    .filter((name) => !nodes.some((n) => n.name === name));
  if (bounces.length === 0) return null;
  const left = bouncesLeft(topology, going);
  const what =
    bounces.length === 1 ? `${bounces[0]!.name} is a bounce.` : `${plural(bounces.length, 'node')} are bounces.`;
  if (homeless.length === 0) return <p>{what} No member is homed there now.</p>;
  return (
    <div className="rounded-xl border border-warn bg-warn-soft px-4 py-3">
      <p>
        {what} {bounces.length === 1 ? 'It is' : 'They are'} the home of {plural(homeless.length, 'member')}:{' '}
        <strong>{someOf(homeless)}</strong>.
      </p>
      <p>
        {left > 0
          ? 'They are given another bounce, and reach nobody through it until they have their new file.'
          : 'There is no other bounce: they reach nobody until there is one.'}
      </p>
    </div>
  );
}

/** Said before a node is revoked. */
export const RevokeText = ({ nodes, topology }: { nodes: readonly Node[]; topology: Topology | undefined }) => (
  <>
    <p>
      Every host drops {nodes.length === 1 ? nodes[0]!.name : `these ${plural(nodes.length, 'node')}`} at once. The keys
      are banned in this network for ever, and the addresses rest a day before another node gets them.
    </p>
    <p>This cannot be taken back. A host that shall come back joins again, with another token and other keys.</p>
    <HomesLost nodes={nodes} topology={topology} />
  </>
);

/** Said before a node is disabled. */
export const DisableText = ({ nodes, topology }: { nodes: readonly Node[]; topology: Topology | undefined }) => (
  <>
    <p>
      Nobody sees {nodes.length === 1 ? nodes[0]!.name : `these ${plural(nodes.length, 'node')}`} any more, from now on.
      Name, addresses and keys are kept: Approve brings it back.
    </p>
    <HomesLost nodes={nodes} topology={topology} />
  </>
);

/** Said before a node is deleted. */
export function DeleteText({ nodes, topology }: { nodes: readonly Node[]; topology: Topology | undefined }) {
  const members = nodes.filter(({ status }) => status !== 'revoked');
  return (
    <>
      <p>
        {nodes.length === 1 ? nodes[0]!.name : plural(nodes.length, 'node')} will be forgotten: name, addresses, tags
        and settings. The log keeps what happened.
      </p>
      {members.length > 0 && (
        <p>
          Members are dropped by every host, and their agents stop. Their keys are not banned: with a good token they
          can join again. Revoke what shall never come back.
        </p>
      )}
      <HomesLost nodes={members} topology={topology} />
    </>
  );
}
