import { queryOptions, useQuery } from '@tanstack/react-query';
import { Download, QrCode as QrIcon } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { api, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import { completeFile } from '../../shell/device/device-file.js';
import { Button } from '../../ui/button.js';
import { CopyBlock } from '../../ui/copy.js';
import { Dialog } from '../../ui/dialog.js';
import { TextField } from '../../ui/field.js';
import { Card } from '../../ui/page.js';
import { QrCode } from '../../ui/qr-code.js';
import { saveFile } from '../../ui/save-file.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { useOwnKey } from './own-key.js';

type FileName = 'wg0.conf' | 'peers.conf';

const fileQuery = (id: string, name: FileName) =>
  queryOptions({
    queryKey: ['files', 'node', id, name],
    queryFn: () => {
      const options = { params: { path: { id } }, parseAs: 'text' } as const;
      return take(
        name === 'wg0.conf'
          ? api.GET('/api/v1/nodes/{id}/wg0.conf', options)
          : api.GET('/api/v1/nodes/{id}/peers.conf', options),
      );
    },
  });

/** The files of a node. */
export const ConfFiles = ({ node }: { node: Node }) => (
  <div className="grid items-start gap-4 xl:grid-cols-2">
    <WholeFile node={node} />
    <FileCard node={node} name="peers.conf" fill={(text) => text}>
      <p className="text-muted text-sm">
        The peers alone, for a host that keeps its interface to itself. <code>warren-follow</code> keeps it up to date.
      </p>
    </FileCard>
  </div>
);

/** The file with its interface; the private key, where its owner gives it, is put in here and goes nowhere. */
function WholeFile({ node }: { node: Node }) {
  const [typed, setTyped] = useState('');
  const [scanning, setScanning] = useState(false);
  const { key, problem } = useOwnKey(typed, node.publicKey);
  const file = useQuery(fileQuery(node.id, 'wg0.conf')).data;
  const forPhone = key && file !== undefined ? completeFile(file, key).forPhone : undefined;
  return (
    <FileCard node={node} name="wg0.conf" fill={(text) => completeFile(text, key).text}>
      {node.kind === 'agent' ? (
        <p className="text-muted text-sm">
          The whole file, for wg-quick, with a placeholder for the private key: only the host has that. There,{' '}
          <code>agent conf --private</code> prints the file with it.
        </p>
      ) : (
        <>
          <p className="text-muted text-sm">
            The whole file, for wg-quick or an app. Only the owner of {node.name} has its private key, so there is a
            placeholder. A QR code needs the key, too.
          </p>
          <TextField
            label="Private key"
            hint="For the file and the QR code. It stays in this browser: it is sent to nobody and kept nowhere."
            error={problem}
            type="password"
            autoComplete="off"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
          <Button
            icon={<QrIcon aria-hidden size={16} />}
            disabled={forPhone === undefined}
            onClick={() => setScanning(true)}
            className="self-start"
          >
            Show QR code
          </Button>
          <Dialog
            open={scanning && forPhone !== undefined}
            onClose={() => setScanning(false)}
            title={`QR code of ${node.name}`}
            description="In the WireGuard app: add a tunnel, scan from QR code. Whoever sees it can pose as this member."
          >
            <div className="flex justify-center">
              <QrCode text={forPhone ?? ''} label={`QR code of the configuration of ${node.name}`} />
            </div>
          </Dialog>
        </>
      )}
    </FileCard>
  );
}

function FileCard({
  node,
  name,
  fill,
  children,
}: {
  node: Node;
  name: FileName;
  fill: (text: string) => string;
  children: ReactNode;
}) {
  const { data, error, refetch } = useQuery(fileQuery(node.id, name));
  const text = data === undefined ? undefined : fill(data);
  return (
    <Card
      title={name}
      actions={
        <Button
          small
          icon={<Download aria-hidden size={15} />}
          disabled={text === undefined}
          onClick={() => saveFile(name === 'wg0.conf' ? `${node.name}.conf` : `${node.name}-${name}`, text!)}
          aria-label={`Download ${name}`}
        >
          Download
        </Button>
      }
      className="min-w-0"
    >
      <div className="flex flex-col gap-3">
        {children}
        {text !== undefined ? (
          <CopyBlock text={text} what={name} />
        ) : error ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : (
          <Skeleton className="h-48" />
        )}
      </div>
    </Card>
  );
}
