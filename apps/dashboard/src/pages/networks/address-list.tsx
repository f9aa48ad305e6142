import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Badge, type BadgeTone } from '../../ui/badge.js';
import { Button } from '../../ui/button.js';
import { CopyButton } from '../../ui/copy.js';
import { Select } from '../../ui/field.js';
import { Card } from '../../ui/page.js';
import { ErrorState, Skeleton } from '../../ui/states.js';
import { Table, Td, Th, Tr } from '../../ui/table.js';
import { Time } from '../../ui/time.js';
import { type AddressState, addressesQuery } from './address-queries.js';
import type { NetworkSettings } from './network-form.js';

const STATES: Readonly<Record<AddressState, { label: string; tone: BadgeTone }>> = {
  'in-use': { label: 'In use', tone: 'good' },
  resting: { label: 'Resting', tone: 'warn' },
  reserved: { label: 'Reserved', tone: 'accent' },
};

/** Every address that is not free, and why. */
export function AddressList({ network }: { network: NetworkSettings }) {
  const [state, setState] = useState<AddressState>();
  const list = useInfiniteQuery(addressesQuery(network.id, state));
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Card
      title="Addresses that are not free"
      actions={
        <Select
          aria-label="Show"
          value={state ?? ''}
          onChange={(event) => setState((event.target.value || undefined) as AddressState | undefined)}
          className="h-8! w-auto! text-sm"
        >
          <option value="">All</option>
          {Object.entries(STATES).map(([id, { label }]) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </Select>
      }
    >
      <div className="flex flex-col gap-3">
        <p className="text-muted text-sm">
          An address rests for a while after its node is gone, so that what was meant for one node does not reach
          another.
        </p>
        {list.isPending && <Skeleton className="h-40 w-full" />}
        {list.isError && <ErrorState error={list.error} onRetry={() => void list.refetch()} />}
        {list.data && items.length === 0 && <p className="py-4 text-center text-muted">No such addresses.</p>}
        {items.length > 0 && (
          <Table label="Addresses that are not free">
            <thead>
              <tr>
                <Th>Address</Th>
                <Th className="hidden sm:table-cell">State</Th>
                <Th>For</Th>
              </tr>
            </thead>
            <tbody>
              {items.map((row) => (
                <Tr key={`${row.state} ${row.address}`}>
                  <Td>
                    <span className="inline-flex items-center gap-1">
                      <code className="break-all">{row.address}</code>
                      <CopyButton text={row.address} what={`Copy ${row.address}`} />
                    </span>
                    <div className="sm:hidden">
                      <Badge tone={STATES[row.state].tone}>{STATES[row.state].label}</Badge>
                    </div>
                  </Td>
                  <Td className="hidden sm:table-cell">
                    <Badge tone={STATES[row.state].tone}>{STATES[row.state].label}</Badge>
                  </Td>
                  <Td>
                    <For row={row} network={network.name} />
                  </Td>
                </Tr>
              ))}
            </tbody>
          </Table>
        )}
        {list.hasNextPage && (
          <Button className="self-center" onClick={() => void list.fetchNextPage()} busy={list.isFetchingNextPage}>
            Show more
          </Button>
        )}
      </div>
    </Card>
  );
}

interface Row {
  readonly node: { readonly id: string; readonly name: string } | null;
  readonly until: string | null;
  readonly name: string | null;
  readonly note: string | null;
}

function For({ row, network }: { row: Row; network: string }) {
  if (row.node)
    return (
      <Link
        to="/n/$network/nodes/$id"
        params={{ network, id: row.node.id }}
        search={{}}
        className="font-medium text-accent hover:underline"
      >
        {row.node.name}
      </Link>
    );
  if (row.until)
    return (
      <span className="text-muted">
        nobody, free <Time at={row.until} />
      </span>
    );
  return (
    <span>
      {row.name ?? <span className="text-muted">nobody</span>}
      {row.note && <span className="text-muted"> · {row.note}</span>}
    </span>
  );
}
