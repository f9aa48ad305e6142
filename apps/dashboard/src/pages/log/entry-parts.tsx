import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { networksQuery, nodeQuery } from '../../api/queries.js';
import { actorText } from '../../shell/actor.js';
import type { Part } from './parts.js';
import type { AuditEntry } from './sentences.js';

type NameOf = Parameters<typeof actorText>[1];
const LINK = 'font-medium text-accent underline-offset-2 hover:underline';

/** One piece of a sentence, linked where there is something to look at. */
export function EntryPart({ part, entry, nameOf }: { part: Part; entry: AuditEntry; nameOf: NameOf }) {
  if (typeof part === 'string') return part;
  switch (part.is) {
    case 'actor':
      return <ActorName entry={entry} nameOf={nameOf} />;
    case 'node':
      return (
        <NodeName id={part.id} name={part.name} networkId={entry.networkId} gone={entry.action === 'node.delete'} />
      );
    case 'network':
      return <NetworkName name={part.name} networkId={entry.networkId} />;
    case 'key':
      return <span className="font-medium">“{part.name ?? nameOf('apikey', part.id) ?? part.id.slice(0, 8)}”</span>;
    case 'code':
      return <code className="break-words">{part.text}</code>;
  }
}

function ActorName({ entry, nameOf }: { entry: AuditEntry; nameOf: NameOf }) {
  const { actor, networkId } = entry;
  if (actor.startsWith('node:')) return <NodeName id={actor.slice(5)} networkId={networkId} />;
  return <span className="font-medium">{actorText(actor, nameOf)}</span>;
}

function NodeName({
  id,
  name,
  networkId,
  gone,
}: {
  id: string;
  name?: string | undefined;
  networkId: string | null;
  gone?: boolean;
}) {
  // Most entries name the node; only for the others is it asked for.
  const node = useQuery({ ...nodeQuery(id), enabled: name === undefined && id !== 'unknown' }).data;
  const networks = useQuery(networksQuery).data;
  const network = node?.network ?? networks?.find((each) => each.id === networkId)?.name;
  const text = name ?? node?.name ?? `node ${id.slice(0, 8)}`;
  if (network === undefined || gone) return <span className="font-medium">{text}</span>;
  return (
    <Link to="/n/$network/nodes/$id" params={{ network, id }} search={{}} preload={false} className={LINK}>
      {text}
    </Link>
  );
}

function NetworkName({ name, networkId }: { name: string; networkId: string | null }) {
  const network = useQuery(networksQuery).data?.find(({ id }) => id === networkId)?.name;
  if (network === undefined) return <span className="font-medium">{name}</span>;
  return (
    <Link to="/n/$network/settings" params={{ network }} search={{}} preload={false} className={LINK}>
      {name}
    </Link>
  );
}
