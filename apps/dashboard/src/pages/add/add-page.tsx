import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { Page } from '../../ui/page.js';
import { Tabs } from '../../ui/tabs.js';
import { AgentPanel } from './agent-panel.js';
import { DevicePanel } from './device-panel.js';

/** A host with the agent, or a device without. */
export function AddPage() {
  const { network } = useParams({ from: '/signed-in/n/$network/add' });
  const { kind } = useSearch({ from: '/signed-in/n/$network/add' });
  const navigate = useNavigate();
  const choose = (id: string): void => {
    void navigate({
      to: '/n/$network/add',
      params: { network },
      search: id === 'device' ? { kind: 'device' } : {},
      replace: true,
    });
  };
  return (
    <Page title="Add a peer" lead={`To the network ${network}`}>
      <Tabs
        label="What is added"
        value={kind ?? 'agent'}
        onChange={choose}
        tabs={[
          { id: 'agent', label: 'Host with the agent', content: <AgentPanel key={network} network={network} /> },
          { id: 'device', label: 'Phone or router', content: <DevicePanel key={network} network={network} /> },
        ]}
      />
    </Page>
  );
}
