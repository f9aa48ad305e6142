import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PublicKey, publicKeyBytes, SecretKey } from '@warren/base';
import { verifyRecord } from '@warren/identity';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { x25519PublicKey } from '../state/node-keys.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
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
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--name', 'laptop'];
  const joined = await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, '--no-start', ...place]);
  expect(joined).toMatchObject({ code: 0 });
});
afterEach(() => cleanup.run());

async function startDaemon(): Promise<Daemon> {
  const daemon = await Daemon.start({
    stateDir,
    log: (level, message) => void lines.push(`${level} ${message}`),
    startDataPlane: planes.start,
    kernel: {
      read: async () => undefined,
      write: async () => undefined,
      interfaces: async () => [],
      fingerprint: async () => 'boot 1',
    },
    run: async () => ({ code: 0, stdout: '', stderr: '' }),
    heartbeatInterval: 50,
  });
  cleanup.add(() => daemon.stop());
  return daemon;
}
async function connectedDaemon(): Promise<Daemon> {
  const daemon = await startDaemon();
  await until('connection', async () => (await daemon.status()).state === 'running');
  return daemon;
}

const folder = () => join(stateDir, 'networks', control.networkId);
const fileNow = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder(), name), 'utf8'));
const publicOf = (base64: unknown): PublicKey => x25519PublicKey(new SecretKey(Buffer.from(String(base64), 'base64')));
const noFile = (name: string) => expect(readFile(join(folder(), name))).rejects.toMatchObject({ code: 'ENOENT' });
const plane = () => planes.planes.at(-1)!;
/** What the data plane was told: own key, the other one, and with which it begins. */
const told = () =>
  plane().keys.map(({ privateKey, other, initiateWithOther, endSessions }) => ({
    own: x25519PublicKey(privateKey),
    other: other && x25519PublicKey(other),
    begins: initiateWithOther ? 'other' : 'own',
    ...(endSessions && { endSessions }),
  }));
const asked = (index: number) => verifyRecord(control.rotations[index]!.record!)!;
const rotateKey = (...args: string[]) => runAgent(['rotate-key', '--json', '--state-dir', stateDir, ...args]);
/** What the control plane says in the next delta. */
function says(wishes: FakeControl['keyWishes']): void {
  control.keyWishes = wishes;
  control.pushDelta({ self: control.self(control.nodes[0]!.nodeId) });
}
const previous = (key: PublicKey) => ({ previousWireguardKey: Buffer.from(publicKeyBytes(key)) });

describe('a key that is changed', () => {
  it('is on disk and accepted before anybody hears of it, and the one before until nobody needs it', async () => {
    const daemon = await connectedDaemon();
    const before = (await daemon.status()).node!.publicKey as PublicKey;
    let seen: unknown;
    control.onRotation = () => {
      seen = {
        pending: publicOf(fileNow('rotation.json').wireguard),
        keys: fileNow('keys.json').generation,
        told: told(),
      };
    };
    const { code, out } = await rotateKey();
    expect(code).toBe(0);
    const rotated = JSON.parse(out);
    const after = rotated.publicKey as PublicKey;
    expect(rotated).toEqual({
      network: 'test',
      publicKey: after,
      previousPublicKey: before,
      generation: 2,
      compromised: false,
    });
    expect(seen).toEqual({ pending: after, keys: 1, told: [{ own: before, other: after, begins: 'own' }] });
    expect(asked(0)).toMatchObject({ wireguardKey: after, generation: 2 });
    expect(told()[1]).toEqual({ own: after, other: before, begins: 'other' });
    expect((await daemon.status()).node!.publicKey).toBe(after);
    const kept = fileNow('keys.json');
    expect([publicOf(kept.wireguard), publicOf(kept.previousWireguard), kept.generation]).toEqual([after, before, 2]);
    await noFile('rotation.json');
    // What was said before the change says nothing of it; then it is said, and then it is over.
    says({});
    says(previous(before));
    await until('both deltas', async () => (await daemon.status()).control?.revision === 7);
    expect(told()).toHaveLength(2);
    says({});
    await until('the end', () => told().length === 3);
    expect(told()[2]).toEqual({ own: after, other: undefined, begins: 'own' });
    expect(fileNow('keys.json').previousWireguard).toBeUndefined();
  });

  it('is given up at the next start if it was over by then, and else accepted again', async () => {
    const first = await connectedDaemon();
    const before = (await first.status()).node!.publicKey as PublicKey;
    const { publicKey: after } = JSON.parse((await rotateKey()).out);
    await first.stop();
    control.keyWishes = previous(before);
    control.position = { epoch: 1, revision: 6 };
    const second = await connectedDaemon();
    await until('the snapshot', async () => (await second.status()).control?.revision === 6);
    expect(told()).toEqual([{ own: after, other: before, begins: 'other' }]);
    await second.stop();
    control.keyWishes = {};
    control.position = { epoch: 1, revision: 7 };
    await connectedDaemon();
    await until('the end', () => told().length === 2);
    expect(told()[1]).toMatchObject({ own: after, other: undefined });
  });

  it('goes on by itself when the answer was lost, with the same key', async () => {
    const daemon = await connectedDaemon();
    control.loseRotationReply = true;
    const lost = await rotateKey();
    expect(lost.code).toBe(4);
    expect(fileNow('rotation.json').generation).toBe(2);
    control.loseRotationReply = false;
    await daemon.stop();
    await control.listen();
    // As after a crash: the next start accepts both, and asks again.
    const second = await startDaemon();
    expect(told()[0]).toMatchObject({ other: asked(0).wireguardKey, begins: 'own' });
    await until('the change', async () => (await second.status()).node!.publicKey === asked(0).wireguardKey);
    expect(asked(1)).toEqual(asked(0));
    await noFile('rotation.json');
  });

  it('is kept, once it may have been taken, when nobody hears of it again or it is refused for something else', async () => {
    await connectedDaemon();
    control.loseRotationReply = true;
    await rotateKey();
    const taken = fileNow('rotation.json').wireguard;
    expect((await rotateKey()).code).toBe(4);
    expect(fileNow('rotation.json').wireguard).toBe(taken);
    control.loseRotationReply = false;
    control.refuseRotation = 'node-pending';
    await control.listen();
    await rotateKey();
    expect(fileNow('rotation.json').wireguard).toBe(taken);
    control.refuseRotation = 'record-stale';
    await rotateKey();
    await noFile('rotation.json');
  });

  it('is dropped when it is refused, or nobody hears of it, and the one in use stays', async () => {
    const daemon = await connectedDaemon();
    const before = (await daemon.status()).node!.publicKey;
    control.refuseRotation = 'key-taken';
    const refused = await rotateKey();
    expect([refused.code, JSON.parse(refused.out).error.code]).toEqual([3, 'key-taken']);
    control.kill();
    expect((await rotateKey()).code).toBe(4);
    await noFile('rotation.json');
    expect((await daemon.status()).node!.publicKey).toBe(before);
    expect(told().at(-1)).toMatchObject({ own: before, other: undefined });
  });

  it('of a note that is left behind is not asked for again', async () => {
    const daemon = await connectedDaemon();
    let note = '';
    control.onRotation = () => {
      note = readFileSync(join(folder(), 'rotation.json'), 'utf8');
    };
    await rotateKey();
    await daemon.stop();
    const { writeFileAtomically } = await import('../state/atomic-file.js');
    await writeFileAtomically(join(folder(), 'rotation.json'), note);
    await connectedDaemon();
    await noFile('rotation.json');
    expect(control.rotations).toHaveLength(1);
  });

  it('because the one in use is in wrong hands ends all sessions, and leaves nothing of that one', async () => {
    const daemon = await connectedDaemon();
    const before = (await daemon.status()).node!.publicKey;
    const { out } = await rotateKey('--compromised');
    expect(control.rotations[0]!.compromised).toBe(true);
    expect(told()[1]).toEqual({ own: JSON.parse(out).publicKey, other: undefined, begins: 'own', endSessions: true });
    const kept = readFileSync(join(folder(), 'keys.json'), 'utf8');
    expect(JSON.parse(kept).previousWireguard).toBeUndefined();
    expect(publicOf(JSON.parse(kept).wireguard)).not.toBe(before);
  });
});

describe('a key that somebody wants changed', () => {
  it('is changed at once, to the generation that is asked for', async () => {
    await connectedDaemon();
    says({ rotateGeneration: 5 });
    await until('the change', () => control.rotations.length === 1);
    expect(asked(0).generation).toBe(5);
    await until('the log', () =>
      lines.some((line) => line === 'info test: the WireGuard key was changed, generation 5'),
    );
    says({ rotateGeneration: 5 });
    says({});
    expect(control.rotations).toHaveLength(1);
  });

  it('is changed when it is as old as the network lets it become, at the start too', async () => {
    control.keyWishes = { keyRotationMs: 1 };
    await connectedDaemon();
    await until('the change', () => control.rotations.length === 1);
  });

  it('is not changed before', async () => {
    control.keyWishes = { keyRotationMs: 86_400_000 };
    const daemon = await connectedDaemon();
    says({ keyRotationMs: 86_400_000 });
    await until('the delta', async () => (await daemon.status()).control?.revision === 6);
    expect(control.rotations).toHaveLength(0);
  });

  it('is asked for again, not at once, when that failed', async () => {
    await connectedDaemon();
    control.refuseRotation = 'key-changed';
    says({ rotateGeneration: 2 });
    await until('the log', () => lines.some((line) => line.includes('the WireGuard key was not changed')));
    says({ rotateGeneration: 2 });
    expect(control.requests.filter((name) => name === 'rotateKey')).toHaveLength(1);
  });
});

describe('agent rotate-key', () => {
  it('says both keys, and what vanilla members need', async () => {
    await connectedDaemon();
    const { code, out } = await runAgent(['rotate-key', '--state-dir', stateDir]);
    expect(code).toBe(0);
    expect(out).toMatch(/generation 2\n {2}before {2}\S{44}\n {2}now {5}\S{44}\n.*Vanilla members/);
  });

  it('needs a daemon that runs', async () => {
    const { code, out } = await rotateKey();
    expect([code, JSON.parse(out).error.code]).toEqual([1, 'not-running']);
  });
});
