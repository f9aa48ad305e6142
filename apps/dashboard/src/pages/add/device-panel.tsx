import { Link } from '@tanstack/react-router';
import { CircleCheck } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { api } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { createKeyPair, type KeyPair, loadSodium } from '../../shell/device/device-key.js';
import { Button } from '../../ui/button.js';
import { Card } from '../../ui/page.js';
import { createDevice, type Device, type DeviceRequest } from './device.js';
import { type DeviceFields, deviceRequest } from './device-fields.js';
import { DeviceForm } from './device-form.js';
import { DeviceResult } from './device-result.js';
import { LeaveGuard } from './leave-guard.js';

/** Adds a device that runs an official WireGuard: asks, makes its keys, shows its file once, forgets the private key. */
export function DevicePanel({ network }: { network: string }) {
  const held = useHeldKeys();
  const [failure, setFailure] = useState<unknown>();
  const [device, setDevice] = useState<Device>();
  const [shown, setShown] = useState<KeyPair>();
  const [done, setDone] = useState(false);
  const create = useChange({
    // What is kept of a change is its input: the request, which has no secret.
    change: (request: DeviceRequest) => createDevice(api, request),
    stale: [['nodes'], ['topology']],
    quiet: true,
    onDone: (made, { publicKey }) => {
      setDevice(made);
      setShown(held.current?.publicKey === publicKey ? held.current : undefined);
    },
  });
  const submit = async (fields: DeviceFields): Promise<void> => {
    setFailure(undefined);
    try {
      if (fields.key === 'here') held.current ??= await createKeyPair();
      const publicKey = fields.key === 'here' ? held.current!.publicKey : fields.publicKey.trim();
      create.mutate(deviceRequest(network, fields, publicKey));
    } catch (error) {
      setFailure(new Error(`this browser cannot make keys: ${(error as Error).message}. Give a public key instead`));
    }
  };
  const forget = (): void => {
    held.current?.privateKey.erase();
    held.current = undefined;
    setShown(undefined);
    setDone(true);
  };
  const again = (): void => {
    create.reset();
    setDevice(undefined);
    setDone(false);
  };
  if (!device)
    return (
      <Card title="A phone, a router, anything with an official WireGuard">
        <DeviceForm
          busy={create.isPending}
          error={failure ?? create.error}
          onSubmit={(fields) => void submit(fields)}
        />
      </Card>
    );
  if (done) return <Added network={network} device={device} onAgain={again} />;
  return <Made network={network} device={device} keys={shown} onDone={forget} />;
}

/** Keys that are gone, also from memory, when the panel is. */
function useHeldKeys() {
  const held = useRef<KeyPair>(undefined);
  useEffect(() => {
    // Ready when the form is filled in; a failure is said when keys are made.
    void loadSodium().catch(() => undefined);
    return () => {
      held.current?.privateKey.erase();
      held.current = undefined;
    };
  }, []);
  return held;
}

interface MadeProps {
  readonly network: string;
  readonly device: Device;
  readonly keys: KeyPair | undefined;
  readonly onDone: () => void;
}

function Made({ network, device, keys, onDone }: MadeProps) {
  const [closing, setClosing] = useState(false);
  return (
    <Card title={`${device.name}, ${device.addresses.join(', ')}`}>
      <DeviceResult network={network} device={device} keys={keys} />
      <div className="mt-5 flex justify-end">
        <Button tone="primary" onClick={() => (keys ? setClosing(true) : onDone())} className="max-sm:w-full">
          {device.name} has it
        </Button>
      </div>
      {keys && <LeaveGuard name={device.name} closing={closing} onClose={onDone} onStay={() => setClosing(false)} />}
    </Card>
  );
}

const Added = ({ network, device, onAgain }: { network: string; device: Device; onAgain: () => void }) => (
  <Card>
    <div role="status" className="flex flex-wrap items-center gap-x-3 gap-y-3">
      <CircleCheck aria-hidden size={20} className="text-good" />
      <p className="min-w-0 grow">
        <Link
          to="/n/$network/nodes/$id"
          params={{ network, id: device.id }}
          className="font-semibold text-accent underline underline-offset-2"
        >
          {device.name}
        </Link>{' '}
        is in the network, <span className="mono">{device.addresses[0]}</span>.
      </p>
      <Button onClick={onAgain}>Add another device</Button>
    </div>
  </Card>
);
