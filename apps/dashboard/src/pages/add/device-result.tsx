import { useQuery } from '@tanstack/react-query';
import { PRIVATE_KEY_PLACEHOLDER } from '@warren/topology';
import { Download, TriangleAlert } from 'lucide-react';
import { useMemo } from 'react';
import { api } from '../../api/client.js';
import { completeFile, type DeviceFile } from '../../shell/device/device-file.js';
import type { KeyPair } from '../../shell/device/device-key.js';
import { Button } from '../../ui/button.js';
import { CopyBlock, CopyButton } from '../../ui/copy.js';
import { QrCode } from '../../ui/qr-code.js';
import { saveFile } from '../../ui/save-file.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { type Device, readDeviceFile } from './device.js';
import { DeviceWatch } from './device-watch.js';
import { Follow } from './follow.js';

interface ResultProps {
  readonly network: string;
  readonly device: Device;
  readonly keys: KeyPair | undefined;
}

/** What the device needs, filled in here; the file on its way from the control plane has a placeholder only. */
export function DeviceResult({ network, device, keys }: ResultProps) {
  const file = useQuery({
    queryKey: ['nodes', 'file', device.id],
    queryFn: () => readDeviceFile(api, device.id),
  });
  const complete = useMemo(
    () => (file.data === undefined ? undefined : completeFile(file.data, keys?.privateKey)),
    [file.data, keys],
  );
  return (
    <div className="flex min-w-0 flex-col gap-4">
      {keys ? <ShownOnce name={device.name} /> : <KeyToPutIn name={device.name} />}
      {file.isError && <ErrorState error={file.error} onRetry={() => void file.refetch()} />}
      {complete?.lonely && <Lonely name={device.name} />}
      <div className="flex min-w-0 flex-col items-center gap-5 md:flex-row md:items-start">
        {keys && <Code file={complete} name={device.name} />}
        <div className="flex w-full min-w-0 grow flex-col gap-3">
          {complete ? <File text={complete.text} /> : <Skeleton className="h-56 w-full" />}
        </div>
      </div>
      {complete && !complete.lonely && <DeviceWatch network={network} device={device} />}
      <Follow device={device} open={device.role !== 'client'} />
    </div>
  );
}

const ShownOnce = ({ name }: { name: string }) => (
  <p className="flex items-start gap-2 rounded-lg bg-warn-soft px-3 py-2">
    <TriangleAlert aria-hidden size={18} className="mt-0.5 shrink-0 text-warn" />
    <span>
      Shown this once. The private key of {name} is in this page only; the control plane never gets it. Whoever sees the
      code or the file can pose as {name}.
    </span>
  </p>
);

const KeyToPutIn = ({ name }: { name: string }) => (
  <p className="rounded-lg bg-sunken px-3 py-2">
    The private key stays with {name}. Put it into the file in place of <code>{PRIVATE_KEY_PLACEHOLDER}</code>. There is
    no QR code, because it would have to hold that key.
  </p>
);

const Lonely = ({ name }: { name: string }) => (
  <p className="rounded-lg bg-warn-soft px-3 py-2">
    {name} reaches nobody yet: this network has no bounce or direct node. Once there is one, it is in the file here,
    too.
  </p>
);

function Code({ file, name }: { file: DeviceFile | undefined; name: string }) {
  if (file && file.forPhone === undefined)
    return <p className="max-w-80 text-muted">The file takes its key from a command: there is no QR code of it.</p>;
  return (
    <figure className="flex w-full max-w-80 shrink-0 flex-col gap-2">
      {file?.forPhone === undefined ? (
        <Skeleton className="aspect-square w-full max-w-80" />
      ) : (
        <QrCode text={file.forPhone} label={`QR code of the configuration of ${name}`} />
      )}
      <figcaption className="text-center text-muted text-sm">
        In the WireGuard app: add a tunnel, scan from QR code.
      </figcaption>
    </figure>
  );
}

const File = ({ text }: { text: string }) => (
  <>
    <CopyBlock text={text} what="wg0.conf" />
    <div className="flex flex-wrap gap-2">
      <Button icon={<Download aria-hidden size={16} />} onClick={() => saveFile('wg0.conf', text)}>
        Download wg0.conf
      </Button>
      <CopyButton text={text} what="Copy the whole file" label="Copy" />
    </div>
  </>
);
