import { type Prefix, parsePrefix } from '@warren/base';
import type { NetworkSettings } from '@warren/db';
import { z } from 'zod';
import { parseDuration } from '../duration.js';
import { settingsChange } from './conf-settings-schemas.js';
import { type Api, networkOf, problems, type RestContext } from './context.js';
import { CreateNetwork, IdParams, NetworkView, PageQuery, page, UpdateNetwork } from './schemas.js';
import { networkView, pageQuery, pageView } from './views.js';

const tags = ['networks'];

const milliseconds = (text: string | null): number | null => (text === null ? null : parseDuration(text)!);

/** Leaves out what was not given, as the store's exact optional fields want it. */
function networkTimes(body: z.infer<typeof UpdateNetwork>): NetworkSettings {
  const { offlineTolerance, keyExpiry, keyRotation, ephemeralAfter } = body;
  return {
    ...(offlineTolerance === undefined ? {} : { offlineToleranceMs: milliseconds(offlineTolerance) ?? 0 }),
    ...(keyExpiry === undefined ? {} : { keyExpiryMs: milliseconds(keyExpiry) }),
    ...(keyRotation === undefined ? {} : { keyRotationMs: milliseconds(keyRotation) }),
    ...(ephemeralAfter === undefined ? {} : { ephemeralAfterMs: milliseconds(ephemeralAfter) }),
  };
}

export function networkRoutes(api: Api, { store }: RestContext): void {
  api.get(
    '/networks',
    {
      config: { scope: 'networks:read' },
      schema: { tags, querystring: PageQuery, response: { 200: page(NetworkView), ...problems } },
    },
    async (request) => pageView(await store.listNetworks(pageQuery(request.query)), networkView),
  );

  api.post(
    '/networks',
    {
      config: { scope: 'networks:write' },
      schema: { tags, body: CreateNetwork, response: { 201: NetworkView, ...problems } },
    },
    async (request, reply) => {
      const { name, cidrs, mtu, pools } = request.body;
      const input = {
        name,
        cidrs: cidrs.map((cidr): Prefix => parsePrefix(cidr)!),
        ...(mtu === undefined ? {} : { mtu }),
        ...(pools === undefined ? {} : { pools }),
      };
      return reply.code(201).send(networkView(await store.createNetwork(input, request.actor)));
    },
  );

  api.get(
    '/networks/:id',
    {
      config: { scope: 'networks:read' },
      schema: { tags, params: IdParams, response: { 200: NetworkView, ...problems } },
    },
    async (request) => networkView(await networkOf(store, request.params.id)),
  );

  api.patch(
    '/networks/:id',
    {
      config: { scope: 'networks:write' },
      schema: { tags, params: IdParams, body: UpdateNetwork, response: { 200: NetworkView, ...problems } },
    },
    async (request) => {
      const { id } = await networkOf(store, request.params.id);
      const { name, mtu, pools, settings } = request.body;
      const change = {
        ...(name === undefined ? {} : { name }),
        ...(mtu === undefined ? {} : { mtu }),
        ...(pools === undefined ? {} : { pools }),
        ...networkTimes(request.body),
        ...(settings === undefined ? {} : { settings: settingsChange(settings) }),
      };
      return networkView(await store.updateNetwork(id, change, request.actor));
    },
  );

  api.delete(
    '/networks/:id',
    {
      config: { scope: 'networks:write' },
      schema: { tags, params: IdParams, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      const { id } = await networkOf(store, request.params.id);
      await store.deleteNetwork(id, request.actor);
      return reply.code(204).send(null);
    },
  );
}
