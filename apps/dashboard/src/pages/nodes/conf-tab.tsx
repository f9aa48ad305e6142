import type { Node } from '../../api/queries.js';
import { ConfFiles } from './conf-files.js';
import { ConfSettingsCard } from './conf-settings.js';
import { ConfigKeyCard } from './config-key.js';

/** What an official WireGuard client needs of a node: its files, what they hold, and a key to follow them. */
export const ConfTab = ({ node }: { node: Node }) => (
  <div className="flex flex-col gap-4">
    {node.kind === 'agent' && (
      <p className="text-muted">
        The agent of {node.name} configures its interface by itself. These files are what an official WireGuard client
        would need in its place.
      </p>
    )}
    <ConfFiles node={node} />
    {node.kind === 'vanilla' && (
      <>
        <ConfSettingsCard key={node.id} node={node} />
        <ConfigKeyCard node={node} />
      </>
    )}
  </div>
);
