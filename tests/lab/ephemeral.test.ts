import { AgentNode, ControlPlane, createWorld, waitUntil } from '@warren/netlab';
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';
import { describeLab } from '../support/groups.js';

/** More than a busy machine needs from a join to the stream. */
const GRACE_MS = 3_000;
/** Looking, telling, and a busy machine. */
const SLACK_MS = 10_000;

describeLab('an ephemeral node', [], () => {
  const logs = new Map<string, string>();
  const keep = (name: string) => (text: string) => void logs.set(name, (logs.get(name) ?? '') + text);
  let world: Awaited<ReturnType<typeof createWorld>>;
  let control: ControlPlane;
  let server: AgentNode;
  let job: AgentNode;
  let joinedAt = 0;

  beforeAll(async () => {
    world = await createWorld({ name: 'ephemeral' });
    const env = { WARREN_EPHEMERAL_GRACE: `${GRACE_MS / 1_000}s` };
    control = await ControlPlane.start(await world.addHost({ name: 'control' }), { env, onOutput: keep('control') });
    const join = async (name: string, args: readonly string[]): Promise<AgentNode> => {
      const token = await control.createToken([...args]);
      return AgentNode.join(await world.addHost({ name }), { name, token, onOutput: keep(name) });
    };
    [server, job] = await Promise.all([join('server', ['--role', 'direct']), join('job', ['--ephemeral'])]);
    joinedAt = Date.now();
  }, 120_000);
  afterAll(() => world?.close());

  const showLogs = (): void =>
    onTestFailed(() => {
      for (const [name, text] of logs) console.error(`--- ${name}\n${text.slice(-2_000)}`);
    });
  const nodes = async (): Promise<string[]> => {
    const { items } = JSON.parse(await control.warrenOutput(['node', 'list', '--json'])) as {
      items: { name: string }[];
    };
    return items.map(({ name }) => name).sort();
  };
  const untilForgotten = (): Promise<unknown> =>
    waitUntil('the job to be forgotten', { timeoutMs: GRACE_MS + SLACK_MS }, async () => {
      const { peers } = await server.status();
      return peers.length === 0 && (await nodes()).join() === 'server';
    });

  it('is a member like others, for longer than its grace time', async () => {
    showLogs();
    await waitUntil('its server to answer', { timeoutMs: SLACK_MS }, () =>
      job.host.ping(server.ipv4, { timeoutMs: 500 }),
    );
    await waitUntil(
      'the grace time to pass',
      { timeoutMs: 3 * GRACE_MS },
      async () => Date.now() - joinedAt > 1.5 * GRACE_MS,
    );
    expect(await nodes()).toEqual(['job', 'server']);
  });

  it('is forgotten by all when it was stopped and does not come back', async () => {
    showLogs();
    job.process.kill('SIGTERM');
    expect((await job.process.waitForExit(SLACK_MS)).code).toBe(0);
    await untilForgotten();
  });

  it('hears in one line that it was removed when it is late, and is a member again with a new token', async () => {
    showLogs();
    const late = await job.command(['up', '--foreground']);
    expect(late.code).toBe(3);
    expect(late.stderr).toMatch(/this node was removed; join again with a new token/);
    expect(await job.host.interfaces()).toEqual(['eth0']);
    expect(await job.status()).toMatchObject({ state: 'expired', node: { name: 'job' } });
    const token = await control.createToken(['--ephemeral']);
    const again = await AgentNode.join(job.host, { name: 'job', token, onOutput: keep('job') });
    expect(again.ipv4).not.toBe(job.ipv4);
    await waitUntil('its server to answer', { timeoutMs: SLACK_MS }, () =>
      again.host.ping(server.ipv4, { timeoutMs: 500 }),
    );
  });
});
