import type { QueryKey } from '@tanstack/react-query';
import type { Schemas } from '@warren/client';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import { api, take } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { Badge, Dot } from '../../ui/badge.js';
import { IconButton } from '../../ui/button.js';
import { CopyButton } from '../../ui/copy.js';
import { ConfirmDialog } from '../../ui/dialog.js';
import { formatBytes, formatRate, plural } from '../../ui/format.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';

type Server = Schemas['SignalServer'];
/** A server speaks with a control plane every minute or so; after three it is worth a look. Milliseconds. */
const SILENT = 180_000;

export function ServerTable({ servers, stale }: { servers: readonly Server[]; stale: readonly QueryKey[] }) {
  const [asked, setAsked] = useState<Server>();
  const removal = useChange({
    change: ({ id }: Server) => take(api.DELETE('/api/v1/signal-servers/{id}', { params: { path: { id } } })),
    optimistic: ({ id }) =>
      stale.map((key) => ({ key, update: (old: Server[]) => old.filter((server) => server.id !== id) })),
    stale,
    done: (_, { region }) => `The signal server of ${region} was removed.`,
  });
  return (
    <>
      <Table label="Signal servers">
        <thead>
          <tr>
            <Th>Region</Th>
            <Th className="hidden md:table-cell">Addresses</Th>
            <Th className="hidden sm:table-cell">Load</Th>
            <Th>Seen</Th>
            <Th>
              <span className="sr-only">Actions</span>
            </Th>
          </tr>
        </thead>
        <tbody>
          {servers.map((server) => (
            <Tr key={server.id}>
              <Td>
                <div className="font-medium">{server.region}</div>
                <Badge tone={server.kind === 'control' ? 'accent' : 'neutral'}>
                  {server.kind === 'control' ? 'in the control plane' : 'on its own'}
                </Badge>
                <div className="mt-1 md:hidden">
                  <Addresses server={server} />
                </div>
                <div className="mt-1 sm:hidden">
                  <Load load={server.load} />
                </div>
              </Td>
              <Td className="hidden md:table-cell">
                <Addresses server={server} />
              </Td>
              <Td className="hidden sm:table-cell">
                <Load load={server.load} />
              </Td>
              <Td>
                <Seen at={server.seenAt} />
              </Td>
              <Td className="w-0">
                {server.kind === 'enrolled' && (
                  <IconButton label={`Remove the signal server of ${server.region}`} onClick={() => setAsked(server)}>
                    <Trash2 aria-hidden size={17} />
                  </IconButton>
                )}
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
      <ConfirmDialog
        open={asked !== undefined}
        onClose={() => setAsked(undefined)}
        title={`Remove the signal server of ${asked?.region ?? ''}`}
        action="Remove"
        onConfirm={() => {
          if (asked) removal.mutate(asked);
          setAsked(undefined);
        }}
      >
        <p>
          Agents are told of it no more, and move to the other servers. It cannot renew its enrolment; to use that
          machine again, give it a new token. Stop its process there yourself.
        </p>
      </ConfirmDialog>
    </>
  );
}

const Addresses = ({ server: { udp, tls } }: { server: Server }) => (
  <ul className="text-sm">
    {[...(udp === null ? [] : [['UDP', udp] as const]), ...tls.map((address) => ['TLS', address] as const)].map(
      ([kind, address]) => (
        <li key={`${kind} ${address}`} className="flex items-center gap-2 whitespace-nowrap">
          <span className="w-8 text-muted">{kind}</span>
          <code>{address}</code>
          <CopyButton text={address} what={`Copy ${address}`} />
        </li>
      ),
    )}
  </ul>
);

const Load = ({ load }: { load: Server['load'] }) =>
  load === null ? (
    <span className="text-muted">not said yet</span>
  ) : (
    <div className="tabular-nums">
      <div>{plural(load.clients, 'agent')}</div>
      <div className="text-muted text-sm">
        relays {formatRate(load.relayedRate)}, {formatBytes(load.relayedBytes)} so far
      </div>
    </div>
  );

function Seen({ at }: { at: string }) {
  const silent = Date.now() - Date.parse(at) > SILENT;
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <Dot tone={silent ? 'warn' : 'good'} />
      <span>
        {silent ? 'silent, last ' : ''}
        <Time at={at} />
      </span>
    </span>
  );
}
