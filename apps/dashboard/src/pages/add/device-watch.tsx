import { CircleCheck, LoaderCircle } from 'lucide-react';
import { useTopology } from '../../api/telemetry.js';
import type { Device } from './device.js';

/** Whether the device has come: its peers tell of handshakes with it. */
export function DeviceWatch({ network, device }: { network: string; device: Device }) {
  const node = useTopology(network).data?.nodes.find(({ id }) => id === device.id);
  const here = node?.online === true;
  return (
    <p role="status" data-connected={here} className="flex min-h-11 items-center gap-3 rounded-xl bg-sunken px-3 py-2">
      {here ? (
        <CircleCheck aria-hidden size={18} className="shrink-0 text-good" />
      ) : (
        <LoaderCircle aria-hidden size={18} className="shrink-0 animate-spin text-accent" />
      )}
      <span className="min-w-0 break-words">
        {here ? `${device.name} is connected.` : `Waiting for the first handshake of ${device.name}…`}
      </span>
    </p>
  );
}
