import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { networkId } from '@warren/base';
import { afterEach, describe, expect, it } from 'vitest';
import { Cleanup } from '../testing/run.js';
import { NetworkState, networkStateOf } from './network-state.js';
import { generateNodeKeys, loadNodeKeys, saveNodeKeys } from './node-keys.js';
import { PendingJoin } from './pending-join.js';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

describe('the state of a network', () => {
  it('counts every start', async () => {
    const state = new NetworkState(await cleanup.folder());
    expect([await state.nextStartGeneration(), await state.nextStartGeneration()]).toEqual([1, 2]);
    expect(await new NetworkState(state.folder).nextStartGeneration()).toBe(3);
  });

  it('refuses an id that would climb out of its folder', () => {
    for (const id of ['', '../x', 'a/b', '.', 'x'.repeat(65)]) {
      expect(() => networkStateOf('/state', networkId(id))).toThrow('network id');
    }
  });

  it('forgets where peers were when that is too long ago', async () => {
    const state = new NetworkState(await cleanup.folder());
    await state.saveLastEndpoints([['key', '192.0.2.1:5']], 1000);
    expect(await state.lastEndpoints(1000)).toEqual(new Map([['key', '192.0.2.1:5']]));
    expect(await state.lastEndpoints(1001)).toEqual(new Map());
  });

  it('says when its files are damaged, naming the file', async () => {
    const state = new NetworkState(await cleanup.folder());
    await writeFile(join(state.folder, 'membership.json'), '{"networkId":1}');
    await writeFile(join(state.folder, 'keys.json'), '{"identity":"short"}');
    await expect(state.membership()).rejects.toMatchObject({ code: 'state-damaged' });
    await expect(state.keys()).rejects.toThrow(state.folder);
  });
});

describe('the keys of a node', () => {
  it('come back from disk, and show themselves to nobody', async () => {
    const path = join(await cleanup.folder(), 'keys.json');
    const keys = generateNodeKeys();
    await saveNodeKeys(path, keys);
    const loaded = await loadNodeKeys(path);
    for (const name of ['identity', 'path', 'wireguard'] as const) {
      expect(loaded![name].expose()).toEqual(keys[name].expose());
      const text = Buffer.from(keys[name].expose()).toString('base64');
      expect(JSON.stringify(keys)).not.toContain(text);
    }
    expect(loaded!.nodeId).toBe(keys.nodeId);
  });
});

describe('a pending join', () => {
  it('keeps its keys under a token id that is no file name', async () => {
    const folder = await cleanup.folder();
    const first = await PendingJoin.open(folder, '../../etc');
    expect(first.folder.startsWith(join(folder, 'pending'))).toBe(true);
    expect(first.sent).toBeUndefined();
    const prepared = {
      networkId: 'n',
      networkName: 'x',
      cidrs: [],
      challenge: Uint8Array.of(1),
      challengeKey: Uint8Array.of(2),
    };
    await first.markSent(prepared);
    const second = await PendingJoin.open(folder, '../../etc');
    expect(second.keys.nodeId).toBe(first.keys.nodeId);
    expect(second.sent).toEqual(prepared);
    expect((await PendingJoin.open(folder, 'other')).keys.nodeId).not.toBe(first.keys.nodeId);
  });
});
