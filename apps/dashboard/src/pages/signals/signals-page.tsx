import { queryOptions, useQuery } from '@tanstack/react-query';
import { Plus, RadioTower } from 'lucide-react';
import { useState } from 'react';
import { api, take } from '../../api/client.js';
import { Button } from '../../ui/button.js';
import { Page } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { EnrolDialog } from './enrol-dialog.js';
import { ServerTable } from './server-table.js';
import { TokenTable } from './token-table.js';

/** Load is observed and comes with no event. Milliseconds. */
const LOAD_INTERVAL = 10_000;

const serversQuery = queryOptions({
  queryKey: ['signals', 'servers'],
  queryFn: async () => (await take(api.GET('/api/v1/signal-servers'))).items,
  refetchInterval: LOAD_INTERVAL,
});

export function SignalsPage() {
  const servers = useQuery(serversQuery);
  const [enrolling, setEnrolling] = useState(false);
  const enrol = (
    <Button tone="primary" icon={<Plus aria-hidden size={16} />} onClick={() => setEnrolling(true)}>
      Add a region
    </Button>
  );
  return (
    <Page
      wide
      title="Signal servers"
      lead="Agents find each other through them, and relay through them, sealed, where no direct path is possible. Every bounce is one, too."
      actions={enrol}
    >
      {servers.isPending && <Skeleton className="h-40 w-full" />}
      {servers.isError && <ErrorState error={servers.error} onRetry={() => void servers.refetch()} />}
      {servers.data?.length === 0 && (
        <EmptyState title="No signal servers" icon={<RadioTower aria-hidden size={28} />} action={enrol}>
          The control plane serves STUN, signalling and relay itself unless it was told not to. Add a region to have
          another machine do it, too.
        </EmptyState>
      )}
      {servers.data && servers.data.length > 0 && (
        <ServerTable servers={servers.data} stale={[serversQuery.queryKey]} />
      )}
      <TokenTable />
      <EnrolDialog open={enrolling} onClose={() => setEnrolling(false)} />
    </Page>
  );
}
