import type { ReactNode } from 'react';
import { api, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import type { Topology } from '../../api/telemetry.js';
import { Button } from '../../ui/button.js';
import { cx } from '../../ui/class-names.js';
import { Time } from '../../ui/time.js';
import { useApprove, useNodeChange } from './node-changes.js';
import { useNodeDialogs } from './node-dialogs.js';

interface NoticesProps {
  readonly network: string;
  readonly node: Node;
  readonly topology: Topology | undefined;
}

/** A key ends soon when this is left of it: as long as agents warn. Milliseconds. */
const SOON = 7 * 86_400_000;

/** What an operator should know of a node before anything else, each with what can be done about it. */
export function NodeNotices({ network, node, topology }: NoticesProps) {
  const { open, dialogs } = useNodeDialogs({ network, node, topology });
  return (
    <>
      <StatusNotice node={node} open={open} />
      {node.cloneNoticedAt !== null && node.status !== 'revoked' && (
        <CloneNotice node={node} at={node.cloneNoticedAt} onRevoke={() => open('revoke')} />
      )}
      {node.lanClashes.length > 0 && (
        <Notice tone="warn" title="The network overlaps a LAN of its host">
          {node.lanClashes.join(', ')} {node.lanClashes.length === 1 ? 'is' : 'are'} used there, too. Nodes are routed
          one by one; a host of that LAN with the address of a node is hidden. Renumber the network or the LAN.
        </Notice>
      )}
      {node.unavailable && (
        <Notice tone="warn" title="Held for dead">
          The control plane does not hear from this bounce, so nobody is homed there. Look at its agent; half a minute
          after it is connected it is used again.
        </Notice>
      )}
      {node.status === 'active' && isSoon(node.keyExpiresAt) && (
        <Notice
          tone="warn"
          title="Its key runs out soon"
          actions={
            <Button small onClick={() => open('extend')}>
              Extend
            </Button>
          }
        >
          It ends <Time at={node.keyExpiresAt!} />. Then nobody sees this node until it is extended or joins again.
        </Notice>
      )}
      {node.rotateGeneration !== null && (
        <Notice tone="neutral" title="Another key was asked for">
          Its agent makes one as soon as it hears of it{node.online ? '.' : ': when it is back.'}
        </Notice>
      )}
      {dialogs}
    </>
  );
}

const isSoon = (at: string | null): boolean => at !== null && Date.parse(at) - Date.now() < SOON;

type Open = ReturnType<typeof useNodeDialogs>['open'];

/** What its place in its life means. */
function StatusNotice({ node, open }: { node: Node; open: Open }) {
  const approve = useApprove(node);
  const approveButton = (label: string): ReactNode => (
    <Button small tone="primary" busy={approve.isPending} onClick={() => approve.mutate()}>
      {label}
    </Button>
  );
  if (node.status === 'revoked')
    return (
      <Notice tone="bad" title="Revoked">
        Every host dropped it {node.revokedAt && <Time at={node.revokedAt} />}; its keys are banned for ever. Delete it
        to forget it, too.
      </Notice>
    );
  if (node.disabledAt !== null)
    return (
      <Notice tone="warn" title="Disabled" actions={approveButton('Bring it back')}>
        Nobody sees it since <Time at={node.disabledAt} />. It keeps its name, addresses and keys.
      </Notice>
    );
  if (node.status === 'expired')
    return (
      <Notice
        tone="bad"
        title="Its key has run out"
        actions={
          <Button small tone="primary" onClick={() => open('extend')}>
            Extend
          </Button>
        }
      >
        Nobody sees it. Extend the key, then run <code>agent up</code> on its host; or join there with a token.
      </Notice>
    );
  if (node.status !== 'pending') return null;
  if (node.publicKey === null)
    return (
      <Notice
        tone="warn"
        title="Its public key is still to be told"
        actions={
          <Button small tone="primary" onClick={() => open('key')}>
            Tell the key
          </Button>
        }
      >
        Name and addresses are kept for it until then.
      </Notice>
    );
  return (
    <Notice tone="warn" title="Waits for approval" actions={approveButton('Approve')}>
      It joined <Time at={node.createdAt} /> with a token that asks for approval. Nobody sees it yet, and it sees
      nobody.
    </Notice>
  );
}

function CloneNotice({ node, at, onRevoke }: { node: Node; at: string; onRevoke: () => void }) {
  const accept = useNodeChange(node, {
    change: () => take(api.POST('/api/v1/nodes/{id}/clone-seen', { params: { path: { id: node.id } } })),
    patch: () => ({ cloneNoticedAt: null }),
  });
  return (
    <Notice
      tone="bad"
      title="A copy of its state directory was noticed"
      actions={
        <>
          <Button small busy={accept.isPending} onClick={() => accept.mutate()}>
            The copy is stopped
          </Button>
          <Button small tone="danger" onClick={onRevoke}>
            It was stolen: revoke
          </Button>
        </>
      }
    >
      Noticed <Time at={at} />: a second host came with the identity of {node.name} and was refused. The history says
      from which address. Stop one of the two; if nobody of yours copied it, revoke the node.
    </Notice>
  );
}

const TONES = {
  warn: 'border-warn bg-warn-soft',
  bad: 'border-bad bg-bad-soft',
  neutral: 'border-line-strong bg-surface',
} as const;

const Notice = ({
  tone,
  title,
  actions,
  children,
}: {
  tone: keyof typeof TONES;
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}) => (
  <section
    aria-label={title}
    className={cx('flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl border px-4 py-3', TONES[tone])}
  >
    <div className="min-w-0 grow basis-80">
      <h2 className="font-semibold">{title}</h2>
      <p>{children}</p>
    </div>
    {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
  </section>
);
