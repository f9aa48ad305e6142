import { confSettingsProblem } from '@warren/topology';
import { describe, expect, it } from 'vitest';
import { changeOf, draftOf } from './conf-draft.js';

const held = { dns: ['10.44.0.53', 'lan'], mtu: 1380, fwMark: 0x77, postUp: ['one', 'two'], saveConfig: true };

describe('settings as they are typed', () => {
  it('change nothing when nothing is typed', () => expect(changeOf(held, draftOf(held))).toEqual({}));

  it('carry what was changed alone, and null for what was emptied', () => {
    const draft = { ...draftOf(held), dns: '1.1.1.1 lan', mtu: ' ', fwMark: '0x10', table: 'off', postUp: ' a \n\n b' };
    expect(changeOf(held, { ...draft, saveConfig: false })).toEqual({
      ...{ dns: ['1.1.1.1', 'lan'], mtu: null, fwMark: 16, table: 'off', postUp: ['a', 'b'], saveConfig: null },
    });
  });

  it('leave what is no number to the rules', () => {
    const change = changeOf({}, { ...draftOf({}), mtu: 'many' });
    expect(change.mtu).toBeNaN();
    expect(confSettingsProblem({ mtu: change.mtu as number }, 'node')).toBe(
      'mtu must be a whole number of 1280 to 9000',
    );
  });
});
