import { addSite, type PlacedAgent, SITE_KINDS, type SiteMesh } from '@warren/netlab';
import { VanillaMember } from '../../lab/support/vanilla-member.js';
import { createKeyPair } from '../../support/wireguard-keys.js';
import type { NamedNode } from './lively-network.js';

/** A network as an operator has one, with something of everything, for pictures. */
export interface Showcase {
  readonly node: NamedNode;
  readonly peer: NamedNode;
}

const kind = (name: string) => SITE_KINDS.find((each) => each.name === name)!;

/** Who sends how often to whom, seconds between echo requests and their size. */
const TRAFFIC = [
  ['office-laptop', 'web', 0.05, 900],
  ['office-nas', 'home-server', 0.02, 1_200],
  ['home-server', 'database', 0.1, 600],
  ['hotel-laptop', 'office-nas', 0.05, 400],
  ['web', 'database', 0.01, 1_000],
  ['workshop', 'home-server', 0.2, 300],
  ['workshop', 'hotel-laptop', 0.5, 100],
  ['office-laptop', 'office-nas', 0.02, 1_200],
] as const;

export async function populateShowcase(mesh: SiteMesh): Promise<Showcase> {
  const office = await addSite(mesh.world, { name: 'office', kind: kind('ei-apd') });
  const hotel = await addSite(mesh.world, { name: 'hotel', kind: kind('ei-apd') });
  const agents = await mesh.joinAll([
    { name: 'frankfurt', at: kind('public'), role: 'bounce' },
    { name: 'singapore', at: kind('public'), role: 'bounce' },
    { name: 'web', at: kind('public'), role: 'direct' },
    { name: 'database', at: kind('public'), role: 'direct' },
    { name: 'office-nas', at: office },
    { name: 'office-laptop', at: office },
    { name: 'home-server', at: kind('ei-ei') },
    { name: 'workshop', at: kind('apd-apd-random') },
    { name: 'hotel-laptop', at: hotel },
  ]);
  const byName = new Map(agents.map((each) => [each.agent.name, each]));
  const hotelLaptop = byName.get('hotel-laptop')!;
  await hotelLaptop.agent.process.stop();
  await hotel.routers[0]!.setFirewall('udp-blocked');
  await hotelLaptop.agent.up();
  await VanillaMember.join(mesh.control, await mesh.addHost('phone', office.segment), 'phone').then(({ host }) =>
    host.spawn('ping', ['-i', '1', byName.get('home-server')!.agent.ipv4]),
  );
  for (const [from, to, every, size] of TRAFFIC) {
    const target = byName.get(to)!.agent.ipv4;
    byName.get(from)!.host.spawn('ping', ['-n', '-i', String(every), '-s', String(size), target]);
  }
  await populateRest(mesh);
  await Promise.all(TRAFFIC.map(([from, to]) => waitForPath(byName.get(from)!, to)));
  return { node: await named(hotelLaptop), peer: await named(byName.get('office-nas')!) };
}

async function populateRest({ control }: SiteMesh): Promise<void> {
  const send = async (method: string, path: string, body: unknown): Promise<{ id: string }> => {
    const { status, body: text } = await control.rest(method, path, body);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as { id: string };
  };
  const { body } = await control.rest('GET', '/nodes?network=default&limit=100');
  const tags: Readonly<Record<string, readonly string[]>> = {
    web: ['prod'],
    database: ['prod'],
    'office-nas': ['office', 'storage'],
    'office-laptop': ['office', 'staff'],
    'hotel-laptop': ['staff'],
    workshop: ['staff'],
    'home-server': ['storage'],
    phone: ['staff'],
  };
  for (const { id, name } of (JSON.parse(body) as { items: NamedNode[] }).items)
    if (tags[name]) await send('PATCH', `/nodes/${id}`, { tags: tags[name] });
  const { publicKey } = createKeyPair();
  const lost = await send('POST', '/nodes', { network: 'default', name: 'lost-tablet', publicKey, role: 'client' });
  await send('POST', `/nodes/${lost.id}/revoke`, {});
  await send('POST', '/networks', { name: 'lab', cidrs: ['10.90.0.0/16', 'fd90::/64'] });
  await send('POST', '/tokens', { name: 'Laptops of the office', tags: ['office', 'staff'], uses: 5, expires: '7d' });
  await send('POST', '/tokens', { name: 'One more bounce', role: 'bounce' });
  await send('POST', '/apikeys', { name: 'Monitoring', scopes: ['nodes:read', 'networks:read'], expires: '90d' });
  await send('POST', '/apikeys', { name: 'Provisioning', scopes: ['tokens:write', 'nodes:read'] });
}

const waitForPath = ({ agent }: PlacedAgent, peer: string) =>
  agent.waitForPath(peer, { what: 'there', timeoutMs: 60_000 }, ({ kind: found }) => found !== 'none');

const named = async ({ agent }: PlacedAgent): Promise<NamedNode> => ({
  id: (await agent.look()).node.id,
  name: agent.name,
});
