import { AgentNode, ControlPlane, createWorld, waitUntil } from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';

/** The promise is a second for connected agents. */
const SOON_MS = 10_000;

describeLab('approving and disabling a node', [], () => {
  let world: Awaited<ReturnType<typeof createWorld>>;
  let control: ControlPlane;
  let server: AgentNode;
  let laptop: AgentNode;

  beforeAll(async () => {
    world = await createWorld({ name: 'approval' });
    control = await ControlPlane.start(await world.addHost({ name: 'control' }), {});
    const join = async (name: string, args: readonly string[]): Promise<AgentNode> => {
      const token = await control.createToken([...args]);
      return AgentNode.join(await world.addHost({ name }), { name, token });
    };
    [server, laptop] = await Promise.all([join('server', ['--role', 'direct']), join('laptop', [])]);
  }, 120_000);
  afterAll(() => world?.close());

  const bothAnswer = async (): Promise<boolean> => {
    const pings = [
      laptop.host.ping(server.ipv4, { timeoutMs: 500 }),
      server.host.ping(laptop.ipv4, { timeoutMs: 500 }),
    ];
    return (await Promise.all(pings)).every(Boolean);
  };
  const neitherAnswers = async (): Promise<boolean> => {
    const pings = [
      laptop.host.ping(server.ipv4, { timeoutMs: 500 }),
      server.host.ping(laptop.ipv4, { timeoutMs: 500 }),
    ];
    return (await Promise.all(pings)).every((answered) => !answered);
  };
  const roleOf = async () =>
    (await laptop.status()) as unknown as {
      readonly node: { readonly role: string } | null;
      readonly signalServer: { readonly port: number | null } | null;
    };
  const isIn = (state: string) =>
    waitUntil(`the laptop to be ${state}`, { timeoutMs: SOON_MS }, async () => (await laptop.status()).state === state);

  it('a disabled node reaches nobody and is reached by nobody, at once, and its agent waits', async () => {
    await waitUntil('both to answer', { timeoutMs: SOON_MS }, bothAnswer);
    await control.warrenOutput(['node', 'disable', 'laptop']);
    await waitUntil('neither to answer', { timeoutMs: SOON_MS }, neitherAnswers);
    await isIn('pending');
    expect((await laptop.status()).peers).toEqual([]);
    expect((await server.status()).peers).toEqual([]);
  });

  it('an approved node is back with the same addresses, without a restart', async () => {
    const { ipv4 } = laptop;
    await control.warrenOutput(['node', 'approve', 'laptop']);
    await isIn('running');
    await waitUntil('both to answer', { timeoutMs: SOON_MS }, bothAnswer);
    expect((await laptop.status()).node?.addresses).toContain(ipv4);
  });

  it('a role that was changed is taken up by the running agent', async () => {
    const endpoint = `${laptop.host.ipv4}:51820`;
    await control.warrenOutput(['node', 'set', 'laptop', '--role', 'bounce', '--endpoint', endpoint]);
    await waitUntil('the laptop to be a bounce', { timeoutMs: SOON_MS }, async () => {
      const { node, signalServer } = await roleOf();
      return node?.role === 'bounce' && signalServer !== null && signalServer.port !== null;
    });
    await waitUntil('both to answer', { timeoutMs: SOON_MS }, bothAnswer);
    await control.warrenOutput(['node', 'set', 'laptop', '--role', 'client']);
    await waitUntil('the laptop to be a client', { timeoutMs: SOON_MS }, async () => {
      const { node, signalServer } = await roleOf();
      return node?.role === 'client' && signalServer === null;
    });
    await waitUntil('both to answer', { timeoutMs: SOON_MS }, bothAnswer);
  });

  it('a node whose key has expired ends with 3, and is the same one when it joins again', async () => {
    await control.warrenOutput(['node', 'extend', 'laptop', '--expires', '2s']);
    expect((await laptop.process.waitForExit(30_000)).code).toBe(3);
    await waitUntil('neither to answer', { timeoutMs: SOON_MS }, neitherAnswers);
    const expired = await laptop.command(['status', '--json']);
    expect([expired.code, (JSON.parse(expired.stdout) as { state: string }).state]).toEqual([1, 'expired']);
    const { ipv4 } = laptop;
    laptop = await AgentNode.join(laptop.host, { name: 'laptop', token: await control.createToken() });
    expect(laptop.ipv4).toBe(ipv4);
    await waitUntil('both to answer', { timeoutMs: SOON_MS }, bothAnswer);
  });
});
