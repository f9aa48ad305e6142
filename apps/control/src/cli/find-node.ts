import { WarrenError } from '@warren/base';
import { type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { byId, common, given } from './command.js';
import { everyPage, type RestClient } from './rest-client.js';
import { hint } from './suggestion.js';

/** For commands about one node: its argument, and the network in which a name is meant. */
export const onNode = (command: Command, description: string): Command =>
  common(command.argument('<node>', 'name or id')).description(description).option('--network <network>', 'name or id');

/**
 * By id, or by name: members before others, because a revoked node's name may be used again.
 *
 * @throws WarrenError `not-found` with the name that was probably meant; `ambiguous`
 */
export async function findNode(rest: RestClient, name: string, network?: string): Promise<Schemas['Node']> {
  if (/^[0-9a-f-]{36}$/.test(name)) return take(rest.GET('/api/v1/nodes/{id}', byId(name)));
  const within = given({ network });
  const { items } = await everyPage((page) =>
    rest.GET('/api/v1/nodes', { params: { query: { q: name, ...within, ...page } } }),
  );
  const named = items.filter((item) => item.name === name);
  const members = named.filter((item) => item.status !== 'revoked');
  const candidates = members.length > 0 ? members : named;
  if (candidates.length === 1) return candidates[0]!;
  if (candidates.length === 0) throw await unknownNode(rest, name, network);
  const networks = new Set(candidates.map((item) => item.network));
  const where = candidates.map((item) => `${item.network}: ${item.id}, ${item.status}`).join('; ');
  const todo = networks.size === candidates.length ? 'give --network or the id' : 'give the id';
  throw new WarrenError('ambiguous', `several nodes are named ${name} (${where}): ${todo}`);
}

async function unknownNode(rest: RestClient, name: string, network: string | undefined): Promise<WarrenError> {
  const query = { limit: 500, ...given({ network }) };
  const { items } = await take(rest.GET('/api/v1/nodes', { params: { query } }));
  const names = [...new Set(items.map((item) => item.name))];
  const within = network === undefined ? '' : ` in the network ${network}`;
  const message = `there is no node ${JSON.stringify(name)}${within}${hint(name, names, 'see `warren node list`')}`;
  return new WarrenError('not-found', message);
}
