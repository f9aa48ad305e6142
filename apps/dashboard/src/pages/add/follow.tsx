import type { ReactNode } from 'react';
import { CopyBlock } from '../../ui/copy.js';
import type { Device } from './device.js';

/** How a host without our agent keeps up with changes; its key is shown with the file, this once. */
export function Follow({ device, open }: { device: Device; open: boolean }) {
  const url = `${window.location.origin}/api/v1/nodes/${device.id}/peers.conf`;
  const settings = `URL=${url}\nKEY_FILE=/etc/warren-follow.key\nINTERFACE=wg0`;
  const curl = `curl -H "Authorization: Bearer ${device.configKey}" "${url}?wait=30"`;
  return (
    <details open={open || undefined}>
      <summary className="w-fit rounded py-1 font-medium text-accent">Follow changes by itself</summary>
      <div className="mt-2 flex min-w-0 flex-col gap-4">
        <p>
          The file names bounces and direct nodes. When those change, a router or server with <code>curl</code> and{' '}
          <code>wg</code> can take up the change within a moment: <code>infra/vanilla/warren-follow</code> in Warren’s
          source does it. A phone cannot, and needs its file anew.
        </p>
        <Step title="Config key, for /etc/warren-follow.key">
          <CopyBlock text={device.configKey} what="the config key" wrap />
          <p className="text-muted text-sm">
            It reads the files of {device.name} and nothing else. It is shown this once; another one can be made later.
          </p>
        </Step>
        <Step title="Settings, for /etc/warren-follow.conf">
          <CopyBlock text={settings} what="the settings of warren-follow" />
        </Step>
        <Step title="Or by hand">
          <CopyBlock text={curl} what="the curl command" />
        </Step>
      </div>
    </details>
  );
}

const Step = ({ title, children }: { title: string; children: ReactNode }) => (
  <div className="flex min-w-0 flex-col gap-1.5">
    <h3 className="font-medium text-sm">{title}</h3>
    {children}
  </div>
);
