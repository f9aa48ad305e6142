import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { api } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import type { Topology } from '../../api/telemetry.js';
import { Button } from '../../ui/button.js';
import { ConfirmDialog, Dialog } from '../../ui/dialog.js';
import { plural } from '../../ui/format.js';
import { Menu, MenuItem } from '../../ui/menu.js';
import { type BulkAnswer, type BulkProgress, type BulkRun, runBulk } from './bulk.js';
import { BulkProgressView } from './bulk-progress.js';
import { BulkTagForm, type TagChange } from './bulk-tags.js';
import { DeleteText, DisableText, RevokeText } from './consequences.js';
import type { Selection } from './selection.js';

type Verb = 'approve' | 'disable' | 'revoke' | 'delete';

interface Action {
  readonly label: string;
  /** `Revoking`. */
  readonly doing: string;
  readonly danger: boolean;
  readonly fits: (node: Node) => boolean;
  readonly run: (id: string) => Promise<BulkAnswer>;
}

const path = (id: string) => ({ params: { path: { id } } });

const ACTIONS: Readonly<Record<Verb, Action>> = {
  approve: {
    ...{ label: 'Approve', doing: 'Approving', danger: false },
    fits: ({ status, publicKey }) => status === 'pending' && publicKey !== null,
    run: (id) => api.POST('/api/v1/nodes/{id}/approve', path(id)),
  },
  disable: {
    ...{ label: 'Disable', doing: 'Disabling', danger: false },
    fits: ({ status }) => status === 'active',
    run: (id) => api.POST('/api/v1/nodes/{id}/disable', path(id)),
  },
  revoke: {
    ...{ label: 'Revoke', doing: 'Revoking', danger: true },
    fits: ({ status }) => status !== 'revoked',
    run: (id) => api.POST('/api/v1/nodes/{id}/revoke', path(id)),
  },
  delete: {
    ...{ label: 'Delete', doing: 'Deleting', danger: true },
    fits: () => true,
    run: (id) => api.DELETE('/api/v1/nodes/{id}', path(id)),
  },
};

const VERBS = Object.keys(ACTIONS) as Verb[];

/** Tags of a node as they are now, changed only if nobody else changed the node meanwhile. */
async function changeTags(id: string, { add, remove }: TagChange): Promise<BulkAnswer> {
  for (let tries = 0; ; tries++) {
    const held = await api.GET('/api/v1/nodes/{id}', path(id));
    if (!held.data) return held;
    const tags = [...new Set([...held.data.tags.filter((tag) => !remove.includes(tag)), ...add])];
    if (tags.join() === held.data.tags.join()) return { response: held.response };
    const etag = held.response.headers.get('etag');
    const header = etag === null ? {} : { 'If-Match': etag };
    const answer = await api.PATCH('/api/v1/nodes/{id}', { params: { path: { id }, header }, body: { tags } });
    if (answer.response.status !== 412 || tries > 3) return answer;
  }
}

/** What can be done to the ticked nodes. */
export function BulkBar({
  selection,
  nodes,
  topology,
}: {
  selection: Selection;
  nodes: readonly Node[];
  topology: Topology | undefined;
}) {
  const [asking, setAsking] = useState<Verb | 'tags'>();
  const { running, begin, stop, close } = useRun(selection);
  const chosen = nodes.filter(({ id }) => selection.ids.has(id));
  const fitting = (verb: Verb): Node[] => chosen.filter(ACTIONS[verb].fits);
  const counts = VERBS.map((verb) => [verb, fitting(verb).length] as const);
  const start = (verb: Verb): void => {
    const { doing, run } = ACTIONS[verb];
    setAsking(undefined);
    begin({ title: doing, tasks: fitting(verb), run: ({ id }) => run(id) });
  };
  return (
    <>
      {chosen.length > 0 && (
        <section
          aria-label="Selected nodes"
          className="sticky bottom-3 z-20 flex flex-wrap items-center gap-2 rounded-2xl border border-line-strong bg-raised px-4 py-3 shadow-xl"
        >
          <span className="grow font-medium">{plural(chosen.length, 'node')} selected</span>
          <VerbButtons counts={counts} all={chosen.length} onAsk={setAsking} />
          <VerbMenu counts={counts} onAsk={setAsking} />
          <Button small tone="quiet" onClick={selection.clear}>
            Clear
          </Button>
        </section>
      )}
      {asking && asking !== 'tags' && (
        <ConfirmVerb
          verb={asking}
          nodes={fitting(asking)}
          left={chosen.length - fitting(asking).length}
          topology={topology}
          onClose={() => setAsking(undefined)}
          onConfirm={() => start(asking)}
        />
      )}
      <Dialog
        open={asking === 'tags'}
        onClose={() => setAsking(undefined)}
        title={`Tags of ${plural(chosen.length, 'node')}`}
      >
        <BulkTagForm
          nodes={chosen}
          onClose={() => setAsking(undefined)}
          onSubmit={(change) => {
            setAsking(undefined);
            begin({ title: 'Changing tags', tasks: chosen, run: ({ id }) => changeTags(id, change) });
          }}
        />
      </Dialog>
      {running && <BulkProgressView {...running} onStop={stop} onClose={close} onRetry={begin} />}
    </>
  );
}

interface VerbsProps {
  /** To how many of the ticked nodes each applies. */
  readonly counts: readonly (readonly [Verb, number])[];
  readonly onAsk: (what: Verb | 'tags') => void;
}

const VerbButtons = ({ counts, all, onAsk }: VerbsProps & { all: number }) => (
  <div className="flex gap-2 max-md:hidden">
    <Button small onClick={() => onAsk('tags')}>
      Tags
    </Button>
    {counts.map(([verb, count]) => (
      <Button
        key={verb}
        small
        tone={ACTIONS[verb].danger ? 'danger' : 'plain'}
        disabled={count === 0}
        onClick={() => onAsk(verb)}
      >
        {ACTIONS[verb].label}
        {count > 0 && count < all && ` ${count}`}
      </Button>
    ))}
  </div>
);

/** The same where there is no room for buttons. */
const VerbMenu = ({ counts, onAsk }: VerbsProps) => (
  <div className="md:hidden">
    <Menu
      trigger={
        <Button small tone="primary">
          Actions
        </Button>
      }
    >
      <MenuItem onSelect={() => onAsk('tags')}>Tags</MenuItem>
      {counts.map(([verb, count]) => (
        <MenuItem key={verb} danger={ACTIONS[verb].danger} disabled={count === 0} onSelect={() => onAsk(verb)}>
          {ACTIONS[verb].label} {count > 0 && count.toLocaleString('en')}
        </MenuItem>
      ))}
    </Menu>
  </div>
);

function ConfirmVerb({
  verb,
  nodes,
  left,
  topology,
  onClose,
  onConfirm,
}: {
  verb: Verb;
  nodes: readonly Node[];
  /** Of the selected ones, how many it is not for. */
  left: number;
  topology: Topology | undefined;
  onClose: () => void;
  onConfirm: () => void;
}) {
  const { label, danger } = ACTIONS[verb];
  const bounces = nodes.filter(({ role, status }) => role === 'bounce' && status !== 'revoked');
  const one = nodes.length === 1 ? nodes[0]!.name : plural(nodes.length, 'node');
  const typed = bounces.length === 0 || !danger ? undefined : bounces.length === 1 ? bounces[0]!.name : one;
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      onConfirm={onConfirm}
      title={`${label} ${one}`}
      action={`${label} ${one}`}
      harmless={!danger}
      typed={typed}
    >
      {verb === 'approve' && <p>They become members: every host that may talk to them hears of them at once.</p>}
      {verb === 'disable' && <DisableText nodes={nodes} topology={topology} />}
      {verb === 'revoke' && <RevokeText nodes={nodes} topology={topology} />}
      {verb === 'delete' && <DeleteText nodes={nodes} topology={topology} />}
      {left > 0 && (
        <p className="text-muted">
          {plural(left, 'selected node is', 'selected nodes are')} left alone: it does not apply to their state.
        </p>
      )}
    </ConfirmDialog>
  );
}

/** One piece of bulk work at a time, and how far it is. */
function useRun(selection: Selection) {
  const queryClient = useQueryClient();
  const controller = useRef<AbortController | undefined>(undefined);
  const [running, setRunning] = useState<BulkRun & { readonly progress: BulkProgress }>();
  const begin = (run: BulkRun): void => {
    const abort = new AbortController();
    controller.current = abort;
    const show = (progress: BulkProgress): void => setRunning({ ...run, progress });
    void runBulk({ ...run, signal: abort.signal, onProgress: show }).then(({ failures }) => {
      selection.keep(failures.map(({ id }) => id));
      for (const queryKey of [['nodes'], ['topology']]) void queryClient.invalidateQueries({ queryKey });
    });
  };
  return { running, begin, stop: () => controller.current?.abort(), close: () => setRunning(undefined) };
}
