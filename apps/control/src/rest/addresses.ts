import { addressBits, type Prefix, prefixAddress, prefixLength, WarrenError } from '@warren/base';
import type { AddressRow, Renumbered, ReservationRow } from '@warren/db';
import { clashesWith } from '@warren/topology';
import { z } from 'zod';
import type { Hubs } from '../hub/hubs.js';
import {
  AddressPage,
  AddressQuery,
  type AddressView,
  CreateReservation,
  Renumber,
  RenumberView,
  ReservationParams,
  ReservationView,
} from './address-schemas.js';
import { type Api, networkOf, problems, type RestContext } from './context.js';
import { IdParams, PageQuery, page } from './schemas.js';
import { networkView, pageQuery, pageView } from './views.js';

const tags = ['networks'];
const READ = { scope: 'networks:read' } as const;
const WRITE = { scope: 'networks:write' } as const;

/** Which addresses a network has, for whom they are kept, and other ones for all. */
export function addressRoutes(api: Api, { store, hubs }: RestContext): void {
  api.get(
    '/networks/:id/addresses',
    {
      config: READ,
      schema: { tags, params: IdParams, querystring: AddressQuery, response: { 200: AddressPage, ...problems } },
    },
    async (request) => {
      const { id } = await networkOf(store, request.params.id);
      const { state } = request.query;
      const filter = { ...pageQuery(request.query), ...(state === undefined ? {} : { state }) };
      const [rows, summary] = await Promise.all([store.listAddresses(id, filter), store.summariseAddresses(id)]);
      const nextFree = summary.nextFree?.toISOString() ?? null;
      return { ...pageView(rows, addressView), summary: { ...summary, nextFree } };
    },
  );

  api.get(
    '/networks/:id/reservations',
    {
      config: READ,
      schema: { tags, params: IdParams, querystring: PageQuery, response: { 200: page(ReservationView), ...problems } },
    },
    async (request) => {
      const { id } = await networkOf(store, request.params.id);
      return pageView(await store.listReservations(id, pageQuery(request.query)), reservationView);
    },
  );

  api.post(
    '/networks/:id/reservations',
    {
      config: WRITE,
      schema: { tags, params: IdParams, body: CreateReservation, response: { 201: ReservationView, ...problems } },
    },
    async (request, reply) => {
      const { id } = await networkOf(store, request.params.id);
      const { prefix, name, note } = request.body;
      const input = { prefix, ...(name === undefined ? {} : { name }), ...(note === undefined ? {} : { note }) };
      return reply.code(201).send(reservationView(await store.createReservation(id, input, request.actor)));
    },
  );

  api.delete(
    '/networks/:id/reservations/:prefix',
    { config: WRITE, schema: { tags, params: ReservationParams, response: { 204: z.null(), ...problems } } },
    async (request, reply) => {
      const { id } = await networkOf(store, request.params.id);
      await store.deleteReservation(id, request.params.prefix, request.actor);
      return reply.code(204).send(null);
    },
  );

  api.post(
    '/networks/:id/renumber',
    { config: WRITE, schema: { tags, params: IdParams, body: Renumber, response: { 200: RenumberView, ...problems } } },
    async (request) => {
      const { id } = await networkOf(store, request.params.id);
      const { cidrs, pools, dryRun, allowLanClash } = request.body;
      const input = { cidrs, ...(pools === undefined ? {} : { pools }) };
      const planned = await store.renumberNetwork(id, { ...input, dryRun: true }, request.actor);
      const lanClashes = clashesOf(planned, hubs);
      if (dryRun) return renumberView(planned, true, lanClashes);
      if (lanClashes.length > 0 && !allowLanClash) throw lanClash(lanClashes);
      return renumberView(await store.renumberNetwork(id, input, request.actor), false, lanClashes);
    },
  );
}

type LanClash = z.infer<typeof RenumberView>['lanClashes'][number];

/** Hosts that the new prefixes would part from their LAN, as far as their agents are connected and have said. */
function clashesOf({ network, nodes }: Renumbered, hubs: Hubs): LanClash[] {
  return nodes.flatMap(({ id, name }) => {
    const { lanPrefixes } = hubs.observed(network.id, id);
    return clashesWith(network.cidrs, lanPrefixes).map(({ cidr, lan }) => ({ id, name, cidr, lan }));
  });
}

function lanClash(clashes: readonly LanClash[]): WarrenError {
  const shown = clashes.slice(0, 3).map(({ name, cidr, lan }) => `${cidr} overlaps ${lan} of ${name}`);
  const more = clashes.length > shown.length ? ` and ${clashes.length - shown.length} more` : '';
  const advice = 'take another prefix, or allow it with allowLanClash (--allow-lan-clash)';
  return new WarrenError('lan-clash', `${shown.join(', ')}${more}: ${advice}`);
}

const reservationView = (row: ReservationRow): z.infer<typeof ReservationView> => ({
  prefix: row.prefix,
  name: row.name,
  note: row.note,
  createdAt: row.createdAt.toISOString(),
});

const NOTHING = { node: null, until: null, name: null, note: null };

function addressView(row: AddressRow): z.infer<typeof AddressView> {
  if (row.state === 'in-use') return { ...NOTHING, ...row };
  if (row.state === 'resting') return { ...NOTHING, ...row, until: row.until.toISOString() };
  return { ...NOTHING, ...row };
}

function renumberView(
  { network, nodes, reservations, warnings }: Renumbered,
  dryRun: boolean,
  lanClashes: LanClash[],
): z.infer<typeof RenumberView> {
  return {
    network: networkView(network),
    dryRun,
    nodes: nodes.map(({ id, name, kind, addresses, next }) => ({
      ...{ id, name, kind, before: [...addresses], after: [...next] },
      newFile: kind === 'vanilla',
    })),
    reservations: reservations.map(({ name, prefix, next }) => ({
      ...{ name, before: shown(prefix), after: next && shown(next) },
    })),
    lanClashes,
    warnings: [...warnings],
  };
}

/** An address is written as one. */
const shown = (prefix: Prefix): string =>
  prefixLength(prefix) === addressBits(prefix) ? prefixAddress(prefix) : prefix;
