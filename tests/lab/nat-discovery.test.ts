import { fileURLToPath } from 'node:url';
import { createWorld, type Host, type World } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { addNineHosts, addPublicAddress, discover, NINE_NATS } from './support/nat-discovery.js';

const SECOND_ADDRESS = '203.0.113.201';

describeLab('NAT behaviour discovery', [], () => {
  let world: World;
  let inside: Host[];
  let one: Host;
  let another: Host;
  let two: Host;

  beforeAll(async () => {
    world = await createWorld({ name: 'discovery' });
    one = await world.addHost({ name: 'one' });
    another = await world.addHost({ name: 'another' });
    two = await world.addHost({ name: 'two' });
    await addPublicAddress(world, two, SECOND_ADDRESS);
    await Promise.all([serve(one), serve(another), serve(two, SECOND_ADDRESS)]);
    inside = await addNineHosts(world);
  });
  afterAll(() => world?.close());

  async function serve(host: Host, ...alternate: string[]): Promise<void> {
    const script = fileURLToPath(new URL('support/signal-server.mjs', import.meta.url));
    await host.spawn(process.execPath, [script, ...alternate]).waitForOutput(/listening on 3478/, 20_000);
  }

  it.concurrent.each(NINE_NATS.map((nat, index) => ({ ...nat, index })))(
    'finds mapping $mapping and filtering $filtering, with two servers of one address each and with one of two',
    async ({ index, ...nat }) => {
      const host = inside[index]!;
      const [byTwo, byOne] = await Promise.all([discover(host, one.ipv4, another.ipv4), discover(host, two.ipv4)]);
      expect(byTwo).toMatchObject({ ...nat, udp: true, hairpinning: false });
      expect(byOne).toMatchObject({ ...nat, udp: true, hairpinning: false });
    },
  );

  it('finds no NAT on a public host', async () => {
    const found = await discover(another, one.ipv4, two.ipv4);
    expect(found).toMatchObject({ udp: true, mapping: 'none', filtering: 'none' });
  });

  it('finds hairpinning', async () => {
    const nat = { ...NINE_NATS[2]!, hairpinning: true };
    const router = await world.addRouter({ name: 'hairpin', nat, lan: '192.168.1.0/24' });
    const host = await world.addHost({ name: 'behind-hairpin', on: router });
    expect(await discover(host, one.ipv4, another.ipv4)).toMatchObject({ ...nat, udp: true });
  });

  it('says what one server with one address shows, and that UDP is blocked', async () => {
    const worst = inside.at(-1)!;
    expect(await discover(worst, one.ipv4)).toMatchObject(NINE_NATS.at(-1)!);
    const nobody = await discover(worst, '203.0.113.250');
    expect(nobody).toMatchObject({ udp: false, mapping: 'unknown', filtering: 'unknown' });
  });
});
