import { useState } from 'react';
import { api, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { CopyBlock } from '../../ui/copy.js';
import { ConfirmDialog, Dialog } from '../../ui/dialog.js';
import { Card } from '../../ui/page.js';
import { Time } from '../../ui/time.js';
import { useNodeChange } from './node-changes.js';

/** The key with which a host reads its own files; shown once. */
export function ConfigKeyCard({ node }: { node: Node }) {
  const [secret, setSecret] = useState<string>();
  const [asking, setAsking] = useState<'replace' | 'delete'>();
  const has = node.configKeyCreatedAt !== null;
  const params = { params: { path: { id: node.id } } };
  const create = useNodeChange(node, {
    change: async () => setSecret((await take(api.POST('/api/v1/nodes/{id}/config-key', params))).secret),
    onDone: () => setAsking(undefined),
  });
  const remove = useNodeChange(node, {
    change: () => take(api.DELETE('/api/v1/nodes/{id}/config-key', params)),
    patch: () => ({ configKeyCreatedAt: null }),
    done: () => 'The config key is taken away',
    onDone: () => setAsking(undefined),
  });
  return (
    <Card title="Config key">
      <div className="flex flex-col gap-3">
        <p>
          With it the host reads the files of {node.name}, and nothing else.{' '}
          {node.configKeyCreatedAt === null ? (
            'There is none.'
          ) : (
            <>
              Made <Time at={node.configKeyCreatedAt} />.
            </>
          )}
        </p>
        <div className="flex flex-wrap gap-2">
          <Button busy={create.isPending} onClick={() => (has ? setAsking('replace') : create.mutate())}>
            {has ? 'Make another one' : 'Make a config key'}
          </Button>
          {has && <Button onClick={() => setAsking('delete')}>Take it away</Button>}
        </div>
      </div>
      <ConfirmDialog
        open={asking === 'replace'}
        onClose={() => setAsking(undefined)}
        onConfirm={() => create.mutate()}
        busy={create.isPending}
        title="Make another config key"
        action="Make another key"
      >
        <p>The one before is good no more: a host that follows its file with it stops until it has the new one.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asking === 'delete'}
        onClose={() => setAsking(undefined)}
        onConfirm={() => remove.mutate()}
        busy={remove.isPending}
        title="Take away the config key"
        action="Take it away"
      >
        <p>A host that follows its file with it stops doing so. Its connections go on.</p>
      </ConfirmDialog>
      <Dialog
        open={secret !== undefined}
        onClose={() => setSecret(undefined)}
        title="The config key"
        description="Shown this once. Copy it before you close."
      >
        <div className="flex flex-col gap-4">
          <CopyBlock text={secret ?? ''} what="config key" wrap />
          <p className="text-muted text-sm">The host reads its file with it, and waits for changes:</p>
          <CopyBlock text={followLine(node, secret ?? '')} what="command" wrap />
          <Button tone="primary" className="self-end" onClick={() => setSecret(undefined)}>
            I have copied it
          </Button>
        </div>
      </Dialog>
    </Card>
  );
}

const followLine = ({ id }: Node, secret: string): string =>
  `curl -H "Authorization: Bearer ${secret}" "${window.location.origin}/api/v1/nodes/${id}/peers.conf"`;
