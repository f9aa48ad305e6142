import type { Schemas } from '@warren/client';
import { Facts } from '../../../ui/page.js';

type Nat = NonNullable<Schemas['NodeTelemetry']['nat']>;

/** What stands between a node and the internet (RFC 4787). */
export const NatFacts = ({ nat }: { nat: Nat }) => (
  <section aria-label="NAT" className="flex flex-col gap-1">
    <h3 className="font-medium">NAT</h3>
    <Facts
      facts={[
        ['Mapping', nat.mapping],
        ['Filtering', nat.filtering],
        ['UDP', nat.udp === null ? 'not known' : nat.udp ? 'gets out and back' : 'blocked'],
        ...(nat.reflexive.length > 0 ? [['Seen as', <code key="seen">{nat.reflexive.join(', ')}</code>] as const] : []),
        ...(nat.portMapping ? [['Port mapping', nat.portMapping] as const] : []),
        ...(nat.homes.length > 0 ? [['Registered at', nat.homes.join(', ')] as const] : []),
      ]}
    />
  </section>
);
