import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { networkQuery, networksQuery } from '../../api/queries.js';
import { Page } from '../../ui/page.js';
import { EmptyState, ErrorState, Skeleton } from '../../ui/states.js';
import { Tabs } from '../../ui/tabs.js';
import { AddressesTab } from './addresses-tab.js';
import { DefaultsTab } from './defaults-tab.js';
import { FilesTab } from './files-tab.js';
import { GeneralTab } from './general-tab.js';

export function SettingsPage() {
  const { network: name } = useParams({ from: '/signed-in/n/$network/settings' });
  const networks = useQuery(networksQuery);
  const network = networks.data?.find((each) => each.name === name);
  return (
    <Page title="Network settings" lead={<span className="font-medium">{name}</span>}>
      {networks.isPending && <Loading />}
      {networks.isError && <ErrorState error={networks.error} onRetry={() => void networks.refetch()} />}
      {networks.data && network === undefined && (
        <EmptyState
          title="There is no such network"
          action={
            <Link to="/networks" className="font-medium text-accent hover:underline">
              See all networks
            </Link>
          }
        >
          No network is called “{name}”. It may have been renamed or deleted.
        </EmptyState>
      )}
      {network && <Settings key={network.id} id={network.id} />}
    </Page>
  );
}

function Settings({ id }: { id: string }) {
  const network = useQuery(networkQuery(id));
  const { tab = 'general' } = useSearch({ from: '/signed-in/n/$network/settings' });
  const navigate = useNavigate({ from: '/n/$network/settings' });
  if (network.isError) return <ErrorState error={network.error} onRetry={() => void network.refetch()} />;
  if (!network.data) return <Loading />;
  const latest = network.data;
  return (
    <Tabs
      label="Settings"
      value={tab}
      onChange={(next) => void navigate({ search: next === 'general' ? {} : { tab: next }, replace: true })}
      tabs={[
        { id: 'general', label: 'General', content: <GeneralTab latest={latest} /> },
        { id: 'addresses', label: 'Addresses', content: <AddressesTab latest={latest} /> },
        { id: 'defaults', label: 'Defaults', content: <DefaultsTab latest={latest} /> },
        { id: 'files', label: 'Files', content: <FilesTab network={latest.value} /> },
      ]}
    />
  );
}

const Loading = () => (
  <div className="flex flex-col gap-4">
    <Skeleton className="h-10 w-full" />
    <Skeleton className="h-96 w-full" />
  </div>
);
