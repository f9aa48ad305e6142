import { useNavigate } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { Versioned } from '../../api/versioned.js';
import { Button } from '../../ui/button.js';
import { CopyButton } from '../../ui/copy.js';
import { DurationField, durationText, NOT_A_DURATION, parseDurationText } from '../../ui/duration.js';
import { TextField } from '../../ui/field.js';
import { Card, Facts } from '../../ui/page.js';
import { Time } from '../../ui/time.js';
import { DeleteNetwork } from './delete-network.js';
import { SettingsCard } from './form-parts.js';
import { type NetworkChange, type NetworkSettings, numberProblem, useNetworkForm } from './network-form.js';

const TIMES = ['keyExpiry', 'keyRotation', 'ephemeralAfter', 'offlineTolerance'] as const;
const LABELS = {
  name: 'Name',
  mtu: 'MTU',
  keyExpiry: 'Key expiry',
  keyRotation: 'Key rotation',
  ephemeralAfter: 'Absence of ephemeral nodes',
  offlineTolerance: 'Offline tolerance',
} as const;
type Field = keyof typeof LABELS;
type Values = Readonly<Record<Field, string>>;

const read = (network: NetworkSettings): Values => ({
  name: network.name,
  mtu: String(network.mtu),
  keyExpiry: durationText(network.keyExpiryMs),
  keyRotation: durationText(network.keyRotationMs),
  ephemeralAfter: durationText(network.ephemeralAfterMs),
  offlineTolerance: durationText(network.offlineToleranceMs),
});

function write(values: Values, changed: ReadonlySet<keyof Values>): NetworkChange {
  const times = TIMES.filter((key) => changed.has(key)).map((key) => [key, values[key].trim() || null]);
  return {
    ...(changed.has('name') && { name: values.name.trim() }),
    ...(changed.has('mtu') && { mtu: Number(values.mtu) }),
    ...Object.fromEntries(times),
  };
}

function check(values: Values): { [field in Field]?: string | undefined } {
  const times = TIMES.map((key) => {
    const text = values[key].trim();
    return [key, text === '' || parseDurationText(text) !== undefined ? undefined : NOT_A_DURATION];
  });
  return { mtu: numberProblem(values.mtu.trim(), 1280, 1500), ...Object.fromEntries(times) };
}

/** What a network is called, and how long things in it last. */
export function GeneralTab({ latest }: { latest: Versioned<NetworkSettings> }) {
  const navigate = useNavigate();
  const form = useNetworkForm(latest, {
    read,
    write,
    check,
    onSaved: ({ name }) =>
      void navigate({ to: '/n/$network/settings', params: { network: name }, search: {}, replace: true }),
  });
  const { values, set, errors } = form;
  const time = (key: (typeof TIMES)[number], empty: string, hint: string) => (
    <DurationField
      label={LABELS[key]}
      hint={hint}
      empty={empty}
      value={values[key]}
      error={errors.fields[key]}
      onChange={(value) => set(key, value)}
    />
  );
  return (
    <div className="flex flex-col gap-5">
      <SettingsCard title="General" networkId={latest.value.id} form={form as never} labels={LABELS}>
        <div className="grid gap-4 md:grid-cols-2">
          <TextField
            label={LABELS.name}
            hint="Part of the addresses of these pages. Agents and files keep working."
            value={values.name}
            error={errors.fields.name}
            onChange={(event) => set('name', event.target.value)}
          />
          <TextField
            label={LABELS.mtu}
            inputMode="numeric"
            hint="1280 to 1500 bytes inside the tunnel. 1400 leaves room for every kind of path."
            value={values.mtu}
            error={errors.fields.mtu}
            onChange={(event) => set('mtu', event.target.value)}
          />
          {time(
            'keyExpiry',
            'never',
            'How long a WireGuard key of an agent lasts. Older keys get some time of warning.',
          )}
          {time('keyRotation', 'never', 'The age at which agents change their key by themselves.')}
          {time(
            'ephemeralAfter',
            'as the control plane is set',
            'Ephemeral nodes that are gone for longer are deleted.',
          )}
          {time('offlineTolerance', 'without limit', 'How long agents go on without the control plane.')}
        </div>
      </SettingsCard>
      <About network={latest.value} />
      <Danger network={latest.value} />
    </div>
  );
}

const About = ({ network }: { network: NetworkSettings }) => (
  <Card title="About">
    <Facts
      facts={[
        [
          'Id',
          <span key="id" className="inline-flex items-center gap-1">
            <code className="break-all">{network.id}</code>
            <CopyButton text={network.id} what="Copy the id of the network" />
          </span>,
        ],
        ['Made', <Time key="made" at={network.createdAt} />],
        ['Revision', `${network.revision} (epoch ${network.epoch})`],
      ]}
    />
  </Card>
);

function Danger({ network }: { network: NetworkSettings }) {
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  return (
    <Card title="Delete this network">
      <div className="flex flex-wrap items-center gap-3">
        <p className="min-w-0 grow basis-64 text-muted">
          A network is deleted when it has no active or pending nodes any more. Its tokens and reservations go with it.
        </p>
        <Button tone="danger" icon={<Trash2 aria-hidden size={16} />} onClick={() => setOpen(true)}>
          Delete network
        </Button>
      </div>
      <DeleteNetwork
        network={open ? network : undefined}
        onClose={() => setOpen(false)}
        onDeleted={() => void navigate({ to: '/networks' })}
      />
    </Card>
  );
}
