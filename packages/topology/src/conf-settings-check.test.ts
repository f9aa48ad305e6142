import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ConfSettings,
  confSettingsProblem,
  hooksOf,
  isWgQuickProblem,
  mergeConfSettings,
  parseWgQuick,
  renderWg0Conf,
} from './index.js';

describe('settings of files', () => {
  it('are taken when every value can stand in a file', () => {
    const settings: ConfSettings = {
      dns: ['1.1.1.1', 'fd00::53', 'lan', 'corp.example.org'],
      table: 'off',
      mtu: 1380,
      listenPort: 51_820,
      fwMark: 51_820,
      saveConfig: false,
      preUp: ['ip rule add from all'],
      postUp: ['iptables -A FORWARD -i %i -j ACCEPT; echo "up"'],
      preDown: ['true'],
      postDown: ['true'],
      persistentKeepalive: 0,
      privateKeyCommand: 'pass show wireguard/%i',
    };
    expect(confSettingsProblem(settings, 'node')).toBeUndefined();
    expect(confSettingsProblem(settings, 'network')).toMatch(/listenPort is a setting of nodes/);
  });

  it.each([
    [{ dns: ['not a name'] }, 'dns must be'],
    [{ dns: ['1.1.1.1, PostUp'] }, 'dns must be'],
    [{ dns: ['a\nPostUp = evil'] }, 'dns must be'],
    [{ dns: Array(17).fill('1.1.1.1') }, 'dns must be at most 16'],
    [{ table: 'main' }, 'table must be'],
    [{ table: '4294967296' }, 'table must be'],
    [{ mtu: 1279 }, 'mtu must be'],
    [{ mtu: 1400.5 }, 'mtu must be'],
    [{ listenPort: 0 }, 'listenPort must be'],
    [{ fwMark: 2 ** 32 }, 'fwMark must be'],
    [{ saveConfig: 'yes' }, 'saveConfig must be'],
    [{ postUp: ['echo\nPostUp = evil'] }, 'postUp must be one line'],
    [{ postUp: ['echo # not run'] }, 'without #'],
    [{ postUp: ['x'.repeat(1025)] }, 'at most 1024'],
    [{ postUp: Array(17).fill('true') }, 'at most 16 commands'],
    [{ preUp: 'true' }, 'preUp must be'],
    [{ persistentKeepalive: 65_536 }, 'persistentKeepalive must be'],
    [{ privateKeyCommand: '' }, 'privateKeyCommand must be'],
    [{ colour: 'red' }, 'colour is no setting'],
  ])('%j are refused by name and reason', (settings, message) => {
    expect(confSettingsProblem(settings as ConfSettings, 'node')).toContain(message);
  });

  it('merge key by key: null goes back to the default, an empty list, too, what is absent stays', () => {
    const held = { mtu: 1380, dns: ['1.1.1.1'], postUp: ['a'] };
    expect(mergeConfSettings(held, { mtu: null, dns: [], table: 'off', fwMark: undefined })).toEqual({
      postUp: ['a'],
      table: 'off',
    });
    expect(held.mtu).toBe(1380);
  });

  it('name their commands in the order in which wg-quick runs them', () => {
    expect(hooksOf({ postDown: ['d'], postUp: ['b', 'c'], preUp: ['a'], dns: ['lan'] })).toEqual([
      { when: 'preUp', command: 'a' },
      { when: 'postUp', command: 'b' },
      { when: 'postUp', command: 'c' },
      { when: 'postDown', command: 'd' },
    ]);
  });

  it('that are taken always render, and are read back as they were', () => {
    const text = fc.string({ unit: 'binary', maxLength: 30 });
    const settings = fc.record(
      {
        dns: fc.array(fc.oneof(text, fc.constantFrom('1.1.1.1', 'lan')), { maxLength: 3 }),
        table: fc.oneof(text, fc.constantFrom('off', 'auto', '7')),
        postUp: fc.array(fc.oneof(text, fc.string({ minLength: 1 })), { maxLength: 2 }),
        privateKeyCommand: fc.oneof(text, fc.string({ minLength: 1 })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(settings, (given) => {
        const taken = mergeConfSettings({}, given);
        if (confSettingsProblem(taken, 'node') !== undefined) return;
        const file = renderWg0Conf({ name: 'n', role: 'client', addresses: [] }, new Map(), { ...taken, cidrs: [] });
        const read = parseWgQuick(file);
        if (isWgQuickProblem(read)) throw new Error(read.message);
        const key = taken.privateKeyCommand;
        expect(read.interface.dns).toEqual(taken.dns ?? []);
        expect(read.interface.postUp).toEqual([
          ...(key === undefined ? [] : [`wg set %i private-key <(${key})`]),
          ...(taken.postUp ?? []),
        ]);
      }),
      { numRuns: 2_000 },
    );
  });
});
