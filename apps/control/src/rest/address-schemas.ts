import { z } from 'zod';
import { Name, Time } from './schema-texts.js';
import { Cidrs, IdParams, NetworkView, PageQuery, Pools, page } from './schemas.js';

const Prefix = z
  .string()
  .min(2)
  .max(64)
  .refine((text) => !/\p{Cc}/u.test(text), 'must have no control characters');

export const ReservationView = z
  .object({
    prefix: z.string().meta({ description: 'A prefix, or one address' }),
    name: z.string().nullable().meta({ description: 'The node that gets it when it joins; null: nobody does' }),
    note: z.string(),
    createdAt: Time,
  })
  .meta({ id: 'Reservation' });
export const CreateReservation = z.strictObject({
  prefix: Prefix.meta({ description: 'A prefix of the network, or one address' }),
  name: Name.nullable().optional(),
  note: z.string().max(200).optional(),
});
export const ReservationParams = IdParams.extend({ prefix: Prefix });

export const AddressView = z
  .object({
    address: z.string().meta({ description: 'One address; of a reservation also a prefix' }),
    state: z.enum(['in-use', 'resting', 'reserved']),
    node: z.object({ id: z.string(), name: z.string() }).nullable().meta({ description: 'Who uses it' }),
    until: Time.nullable().meta({ description: 'When an address that rests may be used again' }),
    name: z.string().nullable().meta({ description: 'The node for which it is reserved' }),
    note: z.string().nullable().meta({ description: 'Of the reservation' }),
  })
  .meta({ id: 'Address', description: 'An address that is not free' });
export const AddressQuery = PageQuery.extend({ state: z.enum(['in-use', 'resting', 'reserved']).optional() });
export const AddressPage = page(AddressView).extend({
  summary: z.object({
    inUse: z.number().int(),
    resting: z.number().int(),
    reservations: z.number().int(),
    nextFree: Time.nullable().meta({ description: 'When the first of those that rest may be used again' }),
  }),
});

export const Renumber = z.strictObject({
  cidrs: Cidrs,
  pools: Pools.optional().meta({ description: 'Absent: those that there are, moved along' }),
  dryRun: z.boolean().default(false).meta({ description: 'Show what would become of it, and change nothing' }),
  allowLanClash: z
    .boolean()
    .default(false)
    .meta({ description: 'Also when hosts of agents that are connected have LANs that overlap' }),
});
export const RenumberView = z
  .object({
    network: NetworkView,
    dryRun: z.boolean(),
    nodes: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        kind: z.enum(['agent', 'vanilla']),
        before: z.array(z.string()),
        after: z.array(z.string()),
        newFile: z.boolean().meta({ description: 'A vanilla member: it needs its new configuration file' }),
      }),
    ),
    reservations: z.array(
      z.object({
        name: z.string().nullable(),
        before: z.string(),
        after: z.string().nullable().meta({ description: 'null: it had no place and is gone' }),
      }),
    ),
    lanClashes: z.array(z.object({ id: z.string(), name: z.string(), cidr: z.string(), lan: z.string() })),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Renumbering' });
