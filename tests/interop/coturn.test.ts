import { createWorld, type Host, type World } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addNineHosts, addPublicAddress, discover, NINE_NATS } from '../lab/support/nat-discovery.js';
import { describeLab } from '../support/groups.js';

const SECOND_ADDRESS = '203.0.113.202';

// coturn answers RFC 5780 in its own words: our discovery must draw the same conclusions from them as from our server's.
describeLab('NAT behaviour discovery by coturn', ['turnserver'], () => {
  let world: World;
  let inside: Host[];
  let coturn: Host;

  beforeAll(async () => {
    world = await createWorld({ name: 'coturn' });
    coturn = await world.addHost({ name: 'coturn' });
    await addPublicAddress(world, coturn, SECOND_ADDRESS);
    const listen = [coturn.ipv4, SECOND_ADDRESS].flatMap((address) => ['--listening-ip', address]);
    const plain = ['-n', '--no-auth', '--no-tls', '--no-dtls', '--no-cli', '--log-file', 'stdout'];
    const server = coturn.spawn('turnserver', [...plain, ...listen, '--listening-port', '3478']);
    await server.waitForOutput(/admin thread/, 20_000);
    inside = await addNineHosts(world);
  });
  afterAll(() => world?.close());

  it.concurrent.each(NINE_NATS.map((nat, index) => ({ ...nat, index })))(
    'finds mapping $mapping and filtering $filtering',
    async ({ index, ...nat }) => {
      expect(await discover(inside[index]!, coturn.ipv4)).toMatchObject({ ...nat, udp: true });
    },
  );
});
