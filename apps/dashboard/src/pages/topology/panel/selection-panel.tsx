import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { TopologySearch } from '../../../router.js';
import { IconButton } from '../../../ui/button.js';
import { linkKey } from '../model/mesh.js';
import type { TopologyStore } from '../model/topology-store.js';
import type { SearchPatch } from '../use-view.js';
import { NodeDetails } from './node-details.js';
import { PairDetails } from './pair-details.js';

interface SelectionPanelProps {
  readonly network: string;
  readonly store: TopologyStore;
  /** The mesh changes in place; this tells when. */
  readonly version: number;
  readonly search: TopologySearch;
  readonly set: (patch: SearchPatch) => void;
}

/** Details of the selected node or pair: beside the graph, on phones a sheet below it. */
export function SelectionPanel({ network, store, search, set }: SelectionPanelProps) {
  const { mesh } = store;
  const node = search.node === undefined ? undefined : mesh.nodes.get(search.node);
  const peer = search.peer === undefined ? undefined : mesh.nodes.get(search.peer);
  if (search.node === undefined || mesh.nodes.size === 0) return null;
  const close = (): void => set({ node: undefined, peer: undefined });
  if (!node)
    return (
      <Sheet title="Not here any more" onClose={close}>
        <p className="text-muted">The selected node was removed, or is in another network.</p>
      </Sheet>
    );
  const back = peer ? () => set({ peer: undefined }) : undefined;
  return (
    <Sheet title={peer ? `${node.name} – ${peer.name}` : node.name} onClose={close} onEscape={back ?? close}>
      {peer ? (
        <PairDetails {...{ network, node, peer, link: mesh.links.get(linkKey(node.id, peer.id))?.link }} />
      ) : (
        <NodeDetails {...{ network, mesh, node }} onPeer={(id) => set({ peer: id })} />
      )}
    </Sheet>
  );
}

const Sheet = ({
  title,
  children,
  onClose,
  onEscape = onClose,
}: {
  title: string;
  children: ReactNode;
  onClose: () => void;
  onEscape?: () => void;
}) => (
  <aside
    id="topology-selection"
    tabIndex={-1}
    aria-label={`Selected: ${title}`}
    onKeyDown={(event) => event.key === 'Escape' && onEscape()}
    className="flex max-h-[52dvh] shrink-0 flex-col rounded-t-2xl border border-line bg-surface outline-none lg:max-h-none lg:w-96 lg:rounded-none lg:border-y-0 lg:border-r-0"
  >
    <header className="flex items-center gap-2 border-line border-b py-2 pr-2 pl-4">
      <h2 className="min-w-0 grow truncate font-semibold text-lg" title={title}>
        {title}
      </h2>
      <IconButton label="Close the details" onClick={onClose}>
        <X aria-hidden size={18} />
      </IconButton>
    </header>
    <div className="flex min-h-0 flex-col gap-4 overflow-y-auto p-4">{children}</div>
  </aside>
);
