import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectedLine } from '../commands/foreground.js';
import { listNetworks } from '../state/network-state.js';
import { x25519PublicKey } from '../state/node-keys.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { makePeer } from '../testing/peers.js';
import { Cleanup, runAgent, until } from '../testing/run.js';
import { Daemon } from './daemon.js';

const cleanup = new Cleanup();
let control: FakeControl;
let stateDir: string;
let planes: ReturnType<typeof fakeDataPlanes>;
let lines: string[];

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  stateDir = await cleanup.folder();
  planes = fakeDataPlanes();
  lines = [];
});
afterEach(() => cleanup.run());

const joinWith = (id: string) => {
  const place = [
    '--interface',
    'wgtest0',
    '--listen-port',
    '0',
    '--no-start',
    '--state-dir',
    stateDir,
    '--name',
    'laptop',
  ];
  return runAgent(['join', '--token', control.token({ id }), '--json', ...place]);
};
async function start(): Promise<Daemon> {
  const log = (level: string, message: string) => void lines.push(`${level} ${message}`);
  const daemon = await Daemon.start({ stateDir, log, startDataPlane: planes.start });
  cleanup.add(() => daemon.stop());
  return daemon;
}
const isIn = (daemon: Daemon, state: string) => until(state, async () => (await daemon.status()).state === state);
const keys = async () => (await listNetworks(stateDir))[0]!.state.keys();

describe('an agent that waits for approval', () => {
  it('counts as connected, says what to do, and runs when it is let in', async () => {
    control.pending = true;
    expect(await joinWith('first')).toMatchObject({ code: 0 });
    const daemon = await start();
    await isIn(daemon, 'pending');
    expect(await daemon.runner().waitConnected(10_000)).toBe(true);
    const waiting = await daemon.status();
    expect(waiting).toMatchObject({ message: 'waits for approval: warren node approve laptop', peers: [] });
    expect(connectedLine(waiting)).toMatch(
      /^joined network test: laptop waits for approval: warren node approve laptop$/,
    );
    const peer = makePeer(control.networkId, 'phone');
    const { nodeId } = control.nodes[0]!;
    control.pending = false;
    control.pushDelta({ self: control.self(nodeId), upsert: [peer.bytes] });
    await isIn(daemon, 'running');
    expect((await daemon.status()).peers).toHaveLength(1);
    expect(lines.some((line) => line.includes('info') && line.includes('was approved'))).toBe(true);
    // Disabled: the same way back.
    control.pending = true;
    control.pushDelta({ self: control.self(nodeId), remove: [peer.keys.nodeId] });
    await isIn(daemon, 'pending');
    expect(planes.planes.at(-1)!.peers.size).toBe(0);
  });
});

describe('an agent whose key expires', () => {
  it('shows when and warns of it, once in the log', async () => {
    const expiresAt = Date.now() + 3_600_000;
    control.keyWishes = { keyExpiresAtMs: expiresAt, keyWarningMs: 7_200_000 };
    await joinWith('first');
    const daemon = await start();
    await isIn(daemon, 'running');
    const { node, warnings } = await daemon.status();
    expect(node?.keyExpiresAt).toBe(new Date(expiresAt).toISOString());
    expect(warnings).toMatchObject([{ code: 'key-expiring', message: expect.stringContaining('agent rotate-key') }]);
    control.pushDelta({ self: control.self(control.nodes[0]!.nodeId) });
    await until('the delta', async () => (await daemon.status()).control?.revision === control.position.revision);
    expect(lines.filter((line) => line.startsWith('warn') && line.includes('expires at'))).toHaveLength(1);
  });

  it('comes back as the same node with a new key when it joins again', async () => {
    await joinWith('first');
    const daemon = await start();
    await isIn(daemon, 'running');
    control.farewell('node-expired');
    expect(await daemon.ended).toMatchObject({ state: 'expired', error: { code: 'node-expired' } });
    const [before] = await listNetworks(stateDir);
    const [oldKeys, starts] = [await keys(), join(before!.state.folder, 'generation.json')];
    const count = await readFile(starts, 'utf8');
    control.uses = 2;
    expect(await joinWith('second')).toMatchObject({ code: 0 });
    const [after] = await listNetworks(stateDir);
    const newKeys = await keys();
    expect(newKeys).toMatchObject({ nodeId: oldKeys.nodeId, generation: oldKeys.generation + 1 });
    expect(newKeys.identity.expose()).toEqual(oldKeys.identity.expose());
    expect(x25519PublicKey(newKeys.wireguard)).not.toBe(x25519PublicKey(oldKeys.wireguard));
    expect(after!.membership).toMatchObject({ nodeId: oldKeys.nodeId, tokenId: 'second', interfaceName: 'wgtest0' });
    expect(await readFile(starts, 'utf8')).toBe(count);
    expect(await after!.state.terminal()).toBeUndefined();
    expect(control.nodes).toHaveLength(1);
    await isIn(await start(), 'running');
  });

  it('that was extended meanwhile comes back with `agent up`; until that is said it trusts nobody', async () => {
    const peer = makePeer(control.networkId, 'phone');
    control.peers = [peer.bytes];
    await joinWith('first');
    const daemon = await start();
    await isIn(daemon, 'running');
    control.farewell('node-expired');
    await daemon.ended;
    control.kill();
    const again = await start();
    expect((await again.status()).state).toBe('expired');
    expect(planes.planes.at(-1)!.peers.size).toBe(0);
    await control.listen();
    await isIn(again, 'running');
    await until('peers', () => planes.planes.at(-1)!.peers.size === 1);
    expect(await (await listNetworks(stateDir))[0]!.state.terminal()).toBeUndefined();
  });
});
