import { fileURLToPath } from 'node:url';
import { networkId, nodeId, publicKeyFromBytes, SecretKey, toHex, unixMillis } from '@warren/base';
import { relayIdOf, signTicket } from '@warren/identity';
import { type Host, SITE_KINDS, startCapture } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { printTable } from '../support/table.js';
import { createKeyPair } from '../support/wireguard-keys.js';
import { readAgentState, type StolenState } from './support/agent-state.js';
import { useSiteMesh } from './support/site-mesh.js';

const kind = (name: string) => SITE_KINDS.find((one) => one.name === name)!;
const STRANGER = fileURLToPath(new URL('support/relay-stranger.mjs', import.meta.url));
const MARKER = 'warren-plaintext';
/** RFC 8489 answers are longer than their requests; nothing else may be. */
const MOST_REFLECTION = 2.2;

describeLab('a signal server', ['tcpdump'], () => {
  const world = useSiteMesh({ name: 'relay-trust' }, async (mesh) => {
    const [symmetric, home, thief] = await mesh.joinAll([
      { name: 'symmetric', at: kind('apd-apd-random') },
      { name: 'home', at: kind('ei-apd') },
      { name: 'thief', at: kind('public') },
    ]);
    const stranger = await mesh.addHost('stranger');
    const victim = await mesh.addHost('victim');
    return { symmetric: symmetric!, home: home!, thief: thief!, stranger, victim };
  });

  const speak = async <T>(host: Host, request: object): Promise<T> => {
    const { stdout, stderr, code } = await host.run(process.execPath, [STRANGER, JSON.stringify(request)]);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as T;
  };
  const asWhoeverHas = (state: StolenState, ticket = state.ticket): object => {
    const [server] = state.servers.filter(({ udp }) => udp !== '');
    return { server: server!.udp, serverKey: server!.key, pathKey: state.pathKey, ticket };
  };

  it('relays without seeing what: the inner packets are in no capture on either of its sides', async () => {
    const { symmetric, home, mesh } = world();
    const pattern = Buffer.from(MARKER).toString('hex');
    const args = ['-n', '-i', '0.02', '-c', '100', '-s', '200', '-p', pattern, home.agent.ipv4];
    expect(await symmetric.host.ping(home.agent.ipv4, { count: 50 })).toBe(true);
    const relayed = { what: 'relayed', timeoutMs: 15_000 };
    await symmetric.agent.waitForPath('home', relayed, (path) => path.kind === 'relay');
    const outside = await startCapture(mesh.control.host);
    const inside = await startCapture(home.host, { interface: 'wg0' });
    const ping = await symmetric.host.run('ping', args);
    expect(ping.code, ping.stdout).toBe(0);
    expect((await symmetric.agent.pathTo('home')).kind).toBe('relay');
    const [sealed, plain] = [await outside.stop(), await inside.stop()];
    const sides = [symmetric, home].map(({ site }) => site.routers[0]!.outside.ipv4);
    const packets = await Promise.all(sides.map((side) => countPackets(mesh.control.host, outside.file, side)));
    // A hundred requests and answers on each side at least, and the marker only where they are open.
    for (const count of packets) expect(count).toBeGreaterThan(150);
    expect(plain.includes(MARKER)).toBe(true);
    expect(sealed.includes(MARKER)).toBe(false);
    console.log(`captured at the relay: ${packets.join(' and ')} packets of its two sides, the marker in none`);
  });

  it('refuses a ticket of another authority, and one that was changed', async () => {
    const { home, stranger } = world();
    const state = readAgentState(home.agent);
    const own = createKeyPair();
    const ticket = {
      networkId: networkId(state.networkId),
      nodeId: nodeId(state.nodeId),
      pathKey: publicKeyFromBytes(Buffer.from(own.publicKey, 'base64')),
      expiresAt: unixMillis(Date.now() + 86_400_000),
    };
    const foreign = toHex(signTicket(new SecretKey(new Uint8Array(32).fill(9)), ticket));
    const changed = state.ticket.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    for (const bad of [foreign, changed]) {
      const pathKey = Buffer.from(own.privateKey, 'base64').toString('hex');
      const outcome = await speak(stranger, { command: 'register', ...asWhoeverHas(state, bad), pathKey });
      expect(outcome).toMatchObject({ registered: false, refused: 'ticket-bad' });
    }
    // The agent that the ticket names is not disturbed.
    expect(await home.host.ping(world().symmetric.agent.ipv4, { count: 20 })).toBe(true);
  });

  it('is no open proxy: even a member reaches nobody but members that are registered', async () => {
    const { thief, stranger, victim, mesh } = world();
    const state = readAgentState(thief.agent);
    await thief.agent.process.stop();
    const capture = await startCapture(victim);
    const elsewhere = relayIdOf(networkId('another-network'), nodeId(state.nodeId));
    const outcome = await speak<{ registered: boolean; answers: Record<string, number> }>(stranger, {
      command: 'relay',
      ...asWhoeverHas(state),
      destinations: [toHex(elsewhere), '0000000000000000'],
    });
    expect(outcome.registered).toBe(true);
    expect(outcome.answers['not-here']).toBeGreaterThan(0);
    // Forty datagrams were sent: answers to them are rationed.
    expect(outcome.answers['not-here']).toBeLessThan(40);
    await capture.stop();
    expect(await countPackets(victim, capture.file, mesh.control.host.ipv4)).toBe(0);
  });

  it('refuses the ticket of a node that was revoked', async () => {
    const { thief, stranger, mesh } = world();
    const state = readAgentState(thief.agent);
    await mesh.control.warrenOutput(['node', 'revoke', 'thief']);
    const outcome = await speak(stranger, { command: 'register', ...asWhoeverHas(state) });
    expect(outcome).toMatchObject({ registered: false, refused: 'revoked' });
  });

  it(`sends to strangers at most ${MOST_REFLECTION} times what came`, async () => {
    const { home, stranger } = world();
    const { server } = asWhoeverHas(readAgentState(home.agent)) as { server: string };
    const results = await speak<{ what: string; sent: number; received: number }[]>(stranger, {
      command: 'provoke',
      server,
    });
    const ratio = ({ sent, received }: { sent: number; received: number }): number => received / sent;
    printTable([
      ['bytes', 'in', 'out', 'out/in'],
      ...results.map((one) => [one.what, String(one.sent), String(one.received), ratio(one).toFixed(2)]),
    ]);
    for (const one of results) {
      expect(ratio(one), one.what).toBeLessThanOrEqual(one.what.startsWith('STUN') ? MOST_REFLECTION : 1);
    }
    // It does answer: a silent server would reflect nothing.
    expect(results.filter(({ received }) => received > 0).map(({ what }) => what)).toEqual(
      expect.arrayContaining(['STUN binding request', 'hello']),
    );
  });
});

async function countPackets(host: Host, file: string, address: string): Promise<number> {
  const { stdout } = await host.run('tcpdump', ['-n', '-r', file, 'udp', 'and', 'host', address]);
  return stdout.split('\n').filter((line) => line !== '').length;
}
