import type { IpAddress, NetworkId, NodeId, Prefix } from '@warren/base';
import type { NodeKind } from '@warren/topology';
import type { Actor, NetworkRow, Page, PageQuery } from './store-api.js';

/** An address that is not free, or a prefix that is reserved. */
export type AddressRow =
  | {
      readonly address: IpAddress;
      readonly state: 'in-use';
      readonly node: { readonly id: NodeId; readonly name: string };
    }
  /** Of a node that is gone or moved. */
  | { readonly address: IpAddress; readonly state: 'resting'; readonly until: Date }
  /** `address`: one, or a prefix. `name`: whose it is; null: nobody's. */
  | { readonly address: string; readonly state: 'reserved'; readonly name: string | null; readonly note: string };

export interface AddressSummary {
  readonly inUse: number;
  readonly resting: number;
  readonly reservations: number;
  /** When the first of those that rest may be used again. */
  readonly nextFree: Date | null;
}

export interface ReservationRow {
  /** Canonical: a prefix, or one address without its length. */
  readonly prefix: string;
  readonly name: string | null;
  readonly note: string;
  readonly createdAt: Date;
}

export interface RenumberInput {
  readonly cidrs: readonly string[];
  /** Absent: those that there are, moved along. */
  readonly pools?: readonly string[];
  readonly dryRun?: boolean;
}

/** A network with other prefixes, or what it would be. */
export interface Renumbered {
  readonly network: NetworkRow;
  /** `next`: the addresses from now on, IPv4 first. Vanilla members need their new files. */
  readonly nodes: readonly {
    readonly id: NodeId;
    readonly name: string;
    readonly kind: NodeKind;
    readonly addresses: readonly IpAddress[];
    readonly next: readonly IpAddress[];
  }[];
  /** `next` null: it had no place and is gone. */
  readonly reservations: readonly {
    readonly prefix: Prefix;
    readonly name: string | null;
    readonly next: Prefix | null;
  }[];
  /** About the prefixes, one line each. */
  readonly warnings: readonly string[];
}

/** The part of the store that is about addresses. */
export interface AddressStore {
  /** Other prefixes, and other addresses for all nodes; `dryRun` shows them and changes nothing. Others see it at once. */
  renumberNetwork(id: NetworkId, input: RenumberInput, actor: Actor): Promise<Renumbered>; // not-found, bad-request, addresses-exhausted
  /** What is not free, in order of address. */
  listAddresses(id: NetworkId, filter?: { state?: AddressRow['state'] } & PageQuery): Promise<Page<AddressRow>>; // bad-request
  summariseAddresses(id: NetworkId): Promise<AddressSummary>;
  /** Keeps a prefix or an address, written as text, from being handed out by itself; a node of that name gets it when it joins. */
  createReservation(
    id: NetworkId,
    input: { prefix: string; name?: string | null; note?: string },
    actor: Actor,
  ): Promise<ReservationRow>; // not-found, bad-request, reservation-exists, too-many-reservations
  listReservations(id: NetworkId, page?: PageQuery): Promise<Page<ReservationRow>>; // bad-request
  deleteReservation(id: NetworkId, prefix: string, actor: Actor): Promise<void>; // not-found, bad-request
}
