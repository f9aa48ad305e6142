import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Versioned } from '../../api/versioned.js';
import { Button } from '../../ui/button.js';
import { CopyButton } from '../../ui/copy.js';
import { TextareaField } from '../../ui/field.js';
import { plural } from '../../ui/format.js';
import { Card, Facts } from '../../ui/page.js';
import { Skeleton } from '../../ui/states.js';
import { Time } from '../../ui/time.js';
import { AddressList } from './address-list.js';
import { addressSummaryQuery } from './address-queries.js';
import { SettingsCard } from './form-parts.js';
import { linesOf, type NetworkSettings, useNetworkForm } from './network-form.js';
import { RenumberDialog } from './renumber-dialog.js';
import { Reservations } from './reservations.js';

/** Which addresses a network has, hands out, keeps back, and who has them. */
export function AddressesTab({ latest }: { latest: Versioned<NetworkSettings> }) {
  const network = latest.value;
  return (
    <div className="flex flex-col gap-5">
      <Ranges network={network} />
      <PoolsForm latest={latest} />
      <Reservations network={network} />
      <AddressList network={network} />
    </div>
  );
}

function Ranges({ network }: { network: NetworkSettings }) {
  const [renumbering, setRenumbering] = useState(false);
  const summary = useQuery(addressSummaryQuery(network.id)).data;
  return (
    <Card
      title="Address ranges"
      actions={
        <Button small onClick={() => setRenumbering(true)}>
          Renumber
        </Button>
      }
    >
      <Facts
        facts={[
          [
            'Ranges',
            <ul key="ranges">
              {network.cidrs.map((cidr) => (
                <li key={cidr} className="flex items-center gap-1">
                  <code className="break-all">{cidr}</code>
                  <CopyButton text={cidr} what={`Copy ${cidr}`} />
                </li>
              ))}
            </ul>,
          ],
          ['In use', summary ? summary.inUse.toLocaleString('en') : <Skeleton key="in-use" className="h-5 w-12" />],
          [
            'Resting',
            summary ? (
              <span key="resting">
                {summary.resting.toLocaleString('en')}
                {summary.nextFree !== null && (
                  <span className="text-muted">
                    , the first is free <Time at={summary.nextFree} />
                  </span>
                )}
              </span>
            ) : (
              <Skeleton key="resting" className="h-5 w-12" />
            ),
          ],
          [
            'Reserved',
            summary ? plural(summary.reservations, 'reservation') : <Skeleton key="reserved" className="h-5 w-24" />,
          ],
        ]}
      />
      <RenumberDialog network={network} open={renumbering} onClose={() => setRenumbering(false)} />
    </Card>
  );
}

function PoolsForm({ latest }: { latest: Versioned<NetworkSettings> }) {
  const form = useNetworkForm(latest, {
    read: ({ pools }) => ({ pools: pools.join('\n') }),
    write: ({ pools }) => ({ pools: linesOf(pools) }),
  });
  return (
    <SettingsCard
      title="Pools"
      lead="New nodes get addresses out of these parts of the ranges. A kind of address without a pool uses all of its range."
      networkId={latest.value.id}
      form={form as never}
      labels={{ pools: 'The list of pools' }}
    >
      <TextareaField
        label="Pools"
        rows={3}
        hint="One prefix a line, within the ranges above. Empty: all of the ranges."
        placeholder="10.44.128.0/17"
        value={form.values.pools}
        error={form.errors.fields.pools}
        onChange={(event) => form.set('pools', event.target.value)}
      />
    </SettingsCard>
  );
}
