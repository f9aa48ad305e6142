import { useQuery } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { api, take } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { nodesQuery } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { CopyBlock, CopyButton } from '../../ui/copy.js';
import { Card } from '../../ui/page.js';
import { saveFile } from '../../ui/save-file.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { ImportPanel } from './import-panel.js';
import type { NetworkSettings } from './network-form.js';
import { tarOf } from './tar.js';

/** The network as files of official WireGuard, out and in. */
export const FilesTab = ({ network }: { network: NetworkSettings }) => (
  <div className="flex flex-col gap-5">
    <PeersFile network={network} />
    <Export network={network} />
    <Import network={network} />
  </div>
);

function PeersFile({ network }: { network: NetworkSettings }) {
  const url = `${window.location.origin}/api/v1/networks/${network.id}/peers.conf`;
  const file = useQuery({
    queryKey: ['files', 'peers', network.id],
    queryFn: () =>
      take(
        api.GET('/api/v1/networks/{id}/peers.conf', { params: { path: { id: network.id } }, parseAs: 'text' }),
      ) as Promise<string>,
  });
  return (
    <Card
      title="Peers of the network"
      actions={
        file.data === undefined ? undefined : (
          <Button
            small
            icon={<Download aria-hidden size={15} />}
            onClick={() => saveFile(`${network.name}-peers.conf`, file.data)}
          >
            Download
          </Button>
        )
      }
    >
      <div className="flex flex-col gap-3">
        <p className="text-muted">
          Bounces and direct nodes, as every client may have them. A host of official WireGuard follows this address;
          its config key is the bearer.
        </p>
        <div className="flex items-center gap-1">
          <code className="min-w-0 break-all">{url}</code>
          <CopyButton text={url} what="Copy the address" />
        </div>
        <CopyBlock text={`curl -H "Authorization: Bearer $CONFIG_KEY" ${url}`} what="the command" wrap />
        {file.isPending && <Skeleton className="h-40 w-full" />}
        {file.isError && <ErrorState error={file.error} onRetry={() => void file.refetch()} />}
        {file.data !== undefined && (
          <div className="max-h-96 overflow-y-auto">
            <CopyBlock text={file.data.trim() || '# no bounce and no direct node yet'} what="peers.conf" />
          </div>
        )}
      </div>
    </Card>
  );
}

function Export({ network }: { network: NetworkSettings }) {
  const exporting = useChange({
    change: () => take(api.GET('/api/v1/networks/{id}/export', { params: { path: { id: network.id } } })),
    done: ({ files }) =>
      files.length === 0 ? 'The network has no active nodes: there is nothing to export.' : undefined,
    onDone: ({ files }) => {
      if (files.length === 0) return;
      const entries = files.map(({ node, text }) => ({ name: `${network.name}/${node}.conf`, text }));
      saveFile(`${network.name}.tar`, tarOf(entries), 'application/x-tar');
    },
  });
  return (
    <Card title="Export">
      <div className="flex flex-wrap items-center gap-3">
        <p className="min-w-0 grow basis-72 text-muted">
          One wg-quick file for each node, as if none had an agent: a network of official WireGuard alone. The files
          hold preshared keys, and a placeholder where each host fills in its private key.
        </p>
        <Button icon={<Download aria-hidden size={16} />} busy={exporting.isPending} onClick={() => exporting.mutate()}>
          Download .tar
        </Button>
      </div>
    </Card>
  );
}

function Import({ network }: { network: NetworkSettings }) {
  const nodes = useQuery(nodesQuery(network.name)).data;
  const members = nodes?.filter(({ status }) => status !== 'revoked').length;
  return (
    <Card title="Import">
      {members === undefined && <Skeleton className="h-24 w-full" />}
      {members !== undefined && members > 0 && (
        <p className="text-muted">
          Files are imported into a network without members, and this one has {members}. Make another one of them on the
          page of all networks.
        </p>
      )}
      {members === 0 && <ImportPanel name={network.name} />}
    </Card>
  );
}
