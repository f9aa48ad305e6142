import { median } from '../statistics.js';
import type { Figures } from './measure.js';

/** The rounds of one subject with one number of configured peers. */
export interface Row {
  readonly subject: string;
  readonly peers: number;
  readonly rounds: readonly Figures[];
}

interface Column {
  readonly key: keyof Figures;
  readonly title: string;
  readonly digits: number;
}

const COLUMNS: readonly Column[] = [
  { key: 'tcp', title: 'TCP →', digits: 2 },
  { key: 'tcpReverse', title: 'TCP ←', digits: 2 },
  { key: 'tcp8', title: 'TCP ×8', digits: 2 },
  { key: 'gbitPerCpuSecond', title: 'Gbit/CPU-s', digits: 2 },
  { key: 'senderCpuPerGbit', title: 'snd s/Gbit', digits: 2 },
  { key: 'receiverCpuPerGbit', title: 'rcv s/Gbit', digits: 2 },
  { key: 'udp64', title: '64 B kpps', digits: 1 },
  { key: 'udp64PerCpuSecond', title: 'k/CPU-s', digits: 1 },
  { key: 'udp1400', title: '1400 B kpps', digits: 1 },
  { key: 'pingP50', title: 'ping p50', digits: 2 },
  { key: 'pingP99', title: 'ping p99', digits: 2 },
  { key: 'rss', title: 'RSS MB', digits: 0 },
];

const NAME_WIDTH = 24;
const WIDTH = 12;

/** Medians of each row, and below them ours divided by each other tunnel with as many peers. */
export function renderFigures(rows: readonly Row[], ours: string): string {
  const line = (name: string, cells: readonly string[]): string =>
    name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(WIDTH)).join('');
  const medians = rows.map((row) =>
    line(
      `${row.subject}, ${row.peers} peer${row.peers === 1 ? '' : 's'}`,
      COLUMNS.map(({ key, digits }) => shown(middle(row, key), digits)),
    ),
  );
  const ratios = rows.flatMap((row) => {
    const own = rows.find(({ subject, peers }) => subject === ours && peers === row.peers);
    if (!own || own === row) return [];
    const cells = COLUMNS.map(({ key }) => shown(middle(own, key) / middle(row, key), 2));
    return [line(`${ours} / ${row.subject}, ${row.peers}`, cells)];
  });
  const head = line(
    'median of rounds',
    COLUMNS.map(({ title }) => title),
  );
  return [head, ...medians, 'ratios', ...ratios].join('\n');
}

const middle = (row: Row, key: keyof Figures): number => median(row.rounds.map((figures) => figures[key]));
const shown = (value: number, digits: number): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));
