import { queryOptions, useQuery } from '@tanstack/react-query';
import { PRIVATE_KEY_PLACEHOLDER } from '@warren/topology';
import { Download } from 'lucide-react';
import { useState } from 'react';
import { api, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { CopyBlock } from '../../ui/copy.js';
import { TextField } from '../../ui/field.js';
import { Card } from '../../ui/page.js';
import { ErrorState, Skeleton } from '../../ui/states.js';

type FileName = 'wg0.conf' | 'peers.conf';

const fileQuery = (id: string, name: FileName) =>
  queryOptions({
    queryKey: ['nodes', 'file', id, name],
    queryFn: () => {
      const options = { params: { path: { id } }, parseAs: 'text' } as const;
      return take(
        name === 'wg0.conf'
          ? api.GET('/api/v1/nodes/{id}/wg0.conf', options)
          : api.GET('/api/v1/nodes/{id}/peers.conf', options),
      );
    },
  });

/** base64 of 32 bytes. */
const isKey = (text: string): boolean => /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text);

/** The files of a node; the private key, where its owner gives it, is put in here and goes nowhere. */
export function ConfFiles({ node }: { node: Node }) {
  const [privateKey, setPrivateKey] = useState('');
  const key = privateKey.trim();
  const problem =
    key !== '' && !isKey(key) ? 'a private key is 44 characters of base64, as `wg genkey` prints it' : undefined;
  const fill = (text: string): string => (isKey(key) ? text.replaceAll(PRIVATE_KEY_PLACEHOLDER, () => key) : text);
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <FileCard node={node} name="wg0.conf" fill={fill}>
        <p className="text-muted text-sm">
          The whole file, for wg-quick. The control plane has no private keys, so there is a placeholder in its place. A
          QR code holds the private key, too: it is shown once, when the member is added. Later whoever has the key
          makes it: <code className="break-words">warren node conf {node.name} --private-key-file FILE --qr</code>
        </p>
        {node.kind === 'vanilla' && (
          <TextField
            label="Private key"
            hint="Put into the file here, in this browser. It is sent to nobody and kept nowhere."
            error={problem}
            type="password"
            autoComplete="off"
            value={privateKey}
            onChange={(event) => setPrivateKey(event.target.value)}
          />
        )}
      </FileCard>
      <FileCard node={node} name="peers.conf" fill={fill}>
        <p className="text-muted text-sm">
          The peers alone, for a host that keeps its interface to itself. <code>warren-follow</code> keeps it up to
          date.
        </p>
      </FileCard>
    </div>
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
  children: React.ReactNode;
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
          onClick={() => download(`${node.name}-${name}`, text!)}
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

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
