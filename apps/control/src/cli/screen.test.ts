import { describe, expect, it } from 'vitest';
import { type Column, Screen } from './screen.js';

const NOW = Date.parse('2026-01-10T12:00:00Z');
interface Row {
  name: string;
  where: string;
  state: string;
  id: string;
}
const COLUMNS: Column<Row>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'WHERE', cell: ({ where }) => where, fit: 'cut' },
  { title: 'STATE', cell: ({ state }) => ({ text: state, tone: state === 'bad' ? 'bad' : undefined }) },
  { title: 'ID', cell: ({ id }) => id, fit: 'drop' },
];
const ROWS: Row[] = [
  { name: 'laptop', where: 'in the room upstairs', state: 'fine', id: '0123456789' },
  { name: '電話', where: 'pocket', state: 'bad', id: '9876543210' },
];
const tableAt = (columns?: number): string =>
  new Screen(columns === undefined ? {} : { columns }, NOW).table(COLUMNS, ROWS);

describe('a table', () => {
  it('that goes into a file is as wide as it has to be, wide characters counted twice', () => {
    expect(tableAt()).toBe(
      [
        'NAME    WHERE                 STATE  ID',
        'laptop  in the room upstairs  fine   0123456789',
        '電話    pocket                bad    9876543210',
      ].join('\n'),
    );
  });

  it('first leaves out what can be left out, then cuts what can be cut', () => {
    expect(tableAt(47)).toBe(tableAt());
    expect(tableAt(46)).toBe(
      [
        'NAME    WHERE                 STATE',
        'laptop  in the room upstairs  fine',
        '電話    pocket                bad',
      ].join('\n'),
    );
    expect(tableAt(28)).toBe(
      ['NAME    WHERE          STATE', 'laptop  in the room …  fine', '電話    pocket         bad'].join('\n'),
    );
  });

  it('never gets so narrow that nothing can be read', () => {
    expect(tableAt(1).split('\n')[1]).toBe('laptop  in the …  fine');
  });

  it('is coloured on a terminal only, without moving a column', () => {
    const coloured = new Screen({ columns: 80, colour: true }, NOW).table(COLUMNS, ROWS);
    expect(coloured).toContain('\u001b[31mbad\u001b[0m    9876543210');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(tableAt(80));
  });

  it('lets nothing through that a terminal would obey', () => {
    const table = new Screen({}, NOW).table(COLUMNS, [{ name: 'a\u001b[2Jb\nc', where: '\u202e', state: '', id: '' }]);
    expect(table.split('\n')[1]).toBe('a\ufffd[2Jb\ufffdc  \ufffd');
  });
});

it('a record has its keys in one column', () => {
  const record = new Screen({}, NOW).record({ name: 'laptop', 'public key': 'x', tags: '' });
  expect(record).toBe('name        laptop\npublic key  x\ntags');
});

it.each([
  ['2026-01-10T12:00:00.400Z', 'now'],
  ['2026-01-10T11:59:55Z', '5s ago'],
  ['2026-01-10T11:58:30Z', '1m30s ago'],
  ['2026-01-10T01:00:00Z', '11h ago'],
  ['2026-01-08T08:00:00Z', '2d4h ago'],
  ['2025-12-01T00:00:00Z', '40d ago'],
  ['2026-01-17T11:59:59Z', 'in 6d23h'],
  ['no time', 'no time'],
])('%s is %s', (time, text) => {
  expect(new Screen({}, NOW).ago(time)).toBe(text);
});
