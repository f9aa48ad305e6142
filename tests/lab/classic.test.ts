import { fileURLToPath } from 'node:url';
import { type AgentNode, CLASSIC_NODES } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { expectAllReached, SOAK, useClassicMesh } from './support/classic-mesh.js';

const FILE_MB = Number(process.env.WARREN_FILE_MB ?? (SOAK ? 200 : 20));
/** Slower than anything that works: a ceiling against hanging, not a goal. */
const FILE_MS = 20_000 + FILE_MB * 3_000;
const TRANSFER = fileURLToPath(new URL('../support/transfer.mjs', import.meta.url));

describeLab('the classic example', [], () => {
  const mesh = useClassicMesh();

  it('gives the five hosts the addresses of the example', () => {
    const given = mesh().all.map(({ name, ipv4 }) => ({ name, ipv4 }));
    expect(given).toEqual(CLASSIC_NODES.map(({ name, ipv4 }) => ({ name, ipv4 })));
    expect(new Set(mesh().all.map(({ ipv6 }) => ipv6)).size).toBe(5);
  });

  it('lets all 20 ordered pairs reach each other over IPv4 and IPv6', async () => {
    await expectAllReached(mesh().all);
  });

  it('says of each peer how it is reached', async () => {
    const { laptop, phone } = mesh().agents;
    // Two home routers can be crossed, and public servers need no crossing.
    const found = { what: 'direct', timeoutMs: 15_000 };
    for (const name of ['public-server1', 'public-server2', 'home-server'] as const) {
      await laptop.waitForPath(name, found, ({ kind }) => kind === 'direct');
      if (name !== 'home-server') await phone.waitForPath(name, found, ({ kind }) => kind === 'direct');
    }
    // The phone's carrier gives each flow a port of its own: relayed, unless the port is guessed.
    expect(['relay', 'direct']).toContain((await laptop.pathTo('phone')).kind);
  });

  it.each(['ipv4', 'ipv6'] as const)(
    `carries a file of ${FILE_MB} MB from client to client over %s`,
    async (family) => {
      const { laptop, phone } = mesh().agents;
      const { sent, received } = await transfer(laptop, phone, family);
      expect(sent).toMatch(new RegExp(`^${FILE_MB << 20} [0-9a-f]{64}$`));
      expect(received).toBe(sent);
    },
    FILE_MS * 2,
  );
});

async function transfer(from: AgentNode, to: AgentNode, family: 'ipv4' | 'ipv6') {
  const server = to.host.spawn(process.execPath, [TRANSFER, 'server', to[family], '5201']);
  await server.waitForOutput(/listening/, 10_000);
  const args = [TRANSFER, 'client', to[family], '5201', String(FILE_MB)];
  const client = await from.host.run(process.execPath, args, { timeoutMs: FILE_MS });
  const [, received] = await server.waitForOutput(/received (\d+ \w+)/, 10_000);
  return { sent: /sent (\d+ \w+)/.exec(client.stdout)?.[1], received };
}
