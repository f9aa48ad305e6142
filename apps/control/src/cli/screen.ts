import { clip, displayWidth, padded, printable } from './display-text.js';
import { relativeTime } from './times.js';

/** What a word means to the reader; on a terminal a colour. */
export type Tone = 'good' | 'warning' | 'bad' | 'dim';
export type Cell = string | { readonly text: string; readonly tone: Tone | undefined };

/** A column of a table. */
export interface Column<T> {
  readonly title: string;
  readonly cell: (item: T) => Cell;
  /** What happens to it where the terminal is too narrow: left out (the last such column first), or cut. Else it stays. */
  readonly fit?: 'drop' | 'cut';
}

/** The terminal that a command writes to; everything absent: a pipe or a file. */
export interface Terminal {
  readonly columns?: number;
  readonly colour?: boolean;
  /** Asks on the terminal; absent where nobody can answer. */
  readonly ask?: (question: string) => Promise<string>;
}

const COLOURS: Readonly<Record<Tone, number>> = { good: 32, warning: 33, bad: 31, dim: 2 };
const NARROWEST = 8;
const GAP = '  ';

/** Renders for one terminal at one time, Unix milliseconds. */
export class Screen {
  constructor(
    private readonly terminal: Terminal,
    readonly now: number,
  ) {}

  /** Columns as wide as their widest cell, two spaces apart, fitted to the terminal. */
  table<T>(columns: readonly Column<T>[], items: readonly T[]): string {
    const grid = columns.map((column) => ({
      column,
      cells: items.map((item) => column.cell(item)).map((cell) => (typeof cell === 'string' ? { text: cell } : cell)),
    }));
    const kept = this.fitted(
      grid.map(({ column, cells }) => {
        const texts = cells.map(({ text }) => printable(text));
        return { column, cells, texts, width: Math.max(column.title.length, ...texts.map(displayWidth)) };
      }),
    );
    const line = (cells: readonly string[]): string => cells.join(GAP).trimEnd();
    const head = line(kept.map(({ column, width }) => padded(clip(column.title, width), width)));
    const rows = items.map((_, row) =>
      line(
        kept.map(({ cells, texts, width }, i) => {
          const text = clip(texts[row]!, width);
          const shown = this.tone(text, (cells[row] as { tone?: Tone }).tone);
          return i === kept.length - 1 ? shown : shown + ' '.repeat(width - displayWidth(text));
        }),
      ),
    );
    return [this.tone(head, 'dim'), ...rows].join('\n');
  }

  /** `key  value` lines. */
  record(values: Readonly<Record<string, Cell>>): string {
    const width = Math.max(...Object.keys(values).map((key) => key.length));
    return Object.entries(values)
      .map(([key, cell]) => {
        const { text, tone } = typeof cell === 'string' ? { text: cell, tone: undefined } : cell;
        return `${this.tone(key.padEnd(width), 'dim')}${GAP}${this.tone(printable(text), tone)}`.trimEnd();
      })
      .join('\n');
  }

  /** Words from elsewhere in one line, each coloured, where colours are shown. */
  line(words: readonly Cell[]): string {
    return words
      .map((word) => (typeof word === 'string' ? printable(word) : this.tone(printable(word.text), word.tone)))
      .filter((word) => word !== '')
      .join(GAP);
  }

  /** Coloured, where colours are shown. */
  tone(text: string, tone: Tone | undefined): string {
    return tone && this.terminal.colour && text !== '' ? `\u001b[${COLOURS[tone]}m${text}\u001b[0m` : text;
  }

  /** `5m ago`; what stands for no time otherwise. */
  ago(time: unknown, none = '-'): string {
    return typeof time === 'string' ? relativeTime(time, this.now) : none;
  }

  private fitted<C extends { column: { fit?: 'drop' | 'cut' }; width: number }>(all: readonly C[]): C[] {
    const { columns } = this.terminal;
    const kept = [...all];
    const excess = (): number =>
      columns === undefined ? 0 : kept.reduce((sum, { width }) => sum + width + GAP.length, -GAP.length) - columns;
    while (excess() > 0) {
      const widest = kept
        .filter(({ column, width }) => column.fit === 'cut' && width > NARROWEST)
        .sort((a, b) => b.width - a.width)[0];
      const dropped = kept.findLastIndex(({ column }) => column.fit === 'drop');
      if (dropped !== -1) kept.splice(dropped, 1);
      else if (widest) widest.width = Math.max(NARROWEST, widest.width - excess());
      else break;
    }
    return kept;
  }
}
