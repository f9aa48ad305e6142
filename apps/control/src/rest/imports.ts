import { randomUUID } from 'node:crypto';
import { type HostPort, nodeId, WarrenError } from '@warren/base';
import { networkNotEmpty } from '@warren/db';
import {
  exportFiles,
  findPrivateKeys,
  type ImportNote,
  type ImportPlan,
  planImport,
  renderWg0Conf,
  wg0ConfOptions,
} from '@warren/topology';
import type { z } from 'zod';
import { checkName } from '../names.js';
import { settingsView } from './conf-settings-schemas.js';
import { type Api, networkOf, problems, type RestContext } from './context.js';
import { ConflictingFiles } from './import-conflict.js';
import { ExportView, ImportFiles, ImportView } from './import-schemas.js';
import { IdParams } from './schemas.js';

/** Many files at once, and JSON makes each line end two characters. */
const BODY_LIMIT = 16 * 1024 * 1024;
const tags = ['networks'];

/** A network from the wg-quick files of its hosts, and back. */
export function importRoutes(api: Api, { store, hubs }: RestContext): void {
  api.post(
    '/networks/:id/import',
    {
      bodyLimit: BODY_LIMIT,
      config: { scope: 'networks:write' },
      schema: {
        tags,
        description:
          'Makes a network with all members that wg-quick files describe, or fills one without members. By name: there need ' +
          'be none of it yet. Nothing is made when the files contradict each other (409 `import-conflict`, with every ' +
          'conflict in `errors`), or hold a private key (400 `private-key-sent`). Preshared keys go with the files.',
        params: IdParams,
        body: ImportFiles,
        response: { 200: ImportView, 201: ImportView, ...problems },
      },
    },
    async (request, reply) => {
      const { body } = request;
      refusePrivateKeys(body.files);
      const network = await store.findNetwork(request.params.id);
      const name = network?.name ?? checkName('network', request.params.id);
      const plan = planImport(body.files, {
        makeId: () => nodeId(randomUUID()),
        ...(body.cidrs && { cidrs: body.cidrs }),
        ...(body.endpoints && { endpoints: new Map(Object.entries(body.endpoints) as [string, HostPort][]) }),
      });
      if (body.dryRun) {
        if (network) await refuseMembers(network.id, network.name);
        return reply.code(200).send(importView(name, plan, null));
      }
      if (plan.report.some(({ level }) => level === 'conflict')) throw new ConflictingFiles(plan.report);
      const made = await store.importNetwork({ ...plan, name }, request.actor);
      return reply.code(201).send(importView(name, plan, made.network.id));
    },
  );

  api.get(
    '/networks/:id/export',
    {
      config: { scope: 'configs:read' },
      schema: {
        tags,
        description:
          'One wg-quick file for each active node, as if none had an agent: a network of official WireGuard alone.',
        params: IdParams,
        response: { 200: ExportView, ...problems },
      },
    },
    async (request) => {
      const { id, name } = await networkOf(store, request.params.id);
      const { version } = await hubs.current(id);
      const files = exportFiles(version.decided.network, (node, peers, network) =>
        renderWg0Conf(node, peers, wg0ConfOptions(network, node)),
      );
      return {
        ...{ network: name, networkId: id },
        files: files.map(({ id: of, name: node, publicKey, text }) => ({ node, nodeId: of, publicKey, text })),
      };
    },
  );

  async function refuseMembers(id: NonNullable<Awaited<ReturnType<typeof store.findNetwork>>>['id'], name: string) {
    const { items } = await store.listNodes({ networkId: id, limit: 500 });
    const members = items.filter(({ status }) => status !== 'revoked').length;
    if (members > 0) throw networkNotEmpty(name, members);
  }
}

/** They have no business here: whoever sent them should change them. Only file and line are said, or kept. */
function refusePrivateKeys(files: z.infer<typeof ImportFiles>['files']): void {
  const [found] = findPrivateKeys(files);
  if (!found) return;
  const where = `${found.file}, line ${found.line}`;
  const todo = '`warren import` takes private keys out before it sends anything; this one was sent: change it';
  throw new WarrenError('private-key-sent', `${where} holds what seems to be a private key: ${todo}`);
}

const noteView = ({ level, file, line, message }: ImportNote) => ({
  ...{ level, message },
  file: file ?? null,
  line: line ?? null,
});

function importView(network: string, plan: ImportPlan, networkId: string | null): z.infer<typeof ImportView> {
  return {
    ...{ network, networkId, dryRun: networkId === null },
    cidrs: [...plan.cidrs],
    nodes: plan.nodes.map(({ id, name, role, publicKey, addresses, endpoint, settings, file }) => ({
      ...{ name, role, publicKey },
      id: networkId === null ? null : id,
      addresses: [...addresses],
      endpoint: endpoint ?? null,
      settings: settingsView(settings),
      file: file ?? null,
    })),
    presharedKeys: plan.presharedKeys.length,
    report: plan.report.map(noteView),
  };
}
