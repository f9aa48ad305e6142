import { type PlacedAgent, SITE_KINDS, type SiteMesh, startPingStream } from '@warren/netlab';
import { createKeyPair } from '../../support/wireguard-keys.js';

/** A node as REST names it. */
export interface NamedNode {
  readonly id: string;
  readonly name: string;
}

/** A small network in which something of everything is. */
export interface LivelyNetwork {
  readonly bounce: NamedNode;
  readonly laptop: NamedNode;
  readonly agents: readonly PlacedAgent[];
}

const kind = (name: string) => SITE_KINDS.find((each) => each.name === name)!;

/** Three agents that talk, a telephone without an agent, one that waits for approval, one revoked, tokens and API keys. */
export async function populateLively(mesh: SiteMesh): Promise<LivelyNetwork> {
  const agents = await mesh.joinAll([
    { name: 'frankfurt', at: kind('public'), role: 'bounce' },
    { name: 'laptop', at: kind('ei-apd') },
    { name: 'home-server', at: kind('apd-apd-random') },
  ]);
  const [bounce, laptop, server] = agents as [PlacedAgent, PlacedAgent, PlacedAgent];
  startPingStream(laptop.host, server.agent.ipv4, 100);
  startPingStream(server.host, bounce.agent.ipv4, 250);
  await Promise.all([populateRest(mesh), laptop.agent.pathTo('home-server')]);
  return { bounce: await named(bounce), laptop: await named(laptop), agents };
}

/** What REST makes. */
async function populateRest({ control }: SiteMesh): Promise<void> {
  const post = async (path: string, body: unknown): Promise<{ id: string }> => {
    const { status, body: text } = await control.rest('POST', path, body);
    if (status >= 300) throw new Error(`POST ${path}: ${status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as { id: string };
  };
  const member = (name: string, more = {}) => {
    const { publicKey } = createKeyPair();
    return post('/nodes', { network: 'default', name, publicKey, role: 'client', ...more });
  };
  await member('phone', { tags: ['personal'] });
  const lost = await member('lost-tablet');
  await post(`/nodes/${lost.id}/revoke`, {});
  await post('/tokens', { network: 'default', name: 'for the office', tags: ['office'], uses: 5, expires: '7d' });
  await post('/tokens', { network: 'default', name: 'one more bounce', role: 'bounce' });
  await post('/apikeys', { name: 'monitoring', scopes: ['nodes:read', 'networks:read'], expires: '90d' });
}

const named = async ({ agent }: PlacedAgent): Promise<NamedNode> => ({
  id: (await agent.look()).node.id,
  name: agent.name,
});
