import { expect, it } from 'vitest';
import type { Figures } from './measure.js';
import { renderFigures } from './table.js';

const figures = (value: number): Figures => ({
  tcp: value,
  tcpReverse: value,
  tcp8: value,
  gbitPerCpuSecond: value,
  senderCpuPerGbit: value,
  receiverCpuPerGbit: value,
  udp64: value,
  udp64PerCpuSecond: value,
  udp1400: value,
  pingP50: value,
  pingP99: value,
  rss: value,
});

it('prints the median of each row, and ours against each other with as many peers', () => {
  const rows = [
    { subject: 'ours', peers: 1, rounds: [figures(1), figures(4), figures(100)] },
    { subject: 'other', peers: 1, rounds: [figures(2)] },
    { subject: 'none', peers: 1, rounds: [{ ...figures(8), rss: Number.NaN }] },
    { subject: 'other', peers: 100, rounds: [figures(2)] },
  ];
  const lines = renderFigures(rows, 'ours').split('\n');
  expect(lines.find((line) => line.startsWith('ours, 1 peer '))).toMatch(/ 4\.00 .* 4$/);
  expect(lines.find((line) => line.startsWith('ours / other, 1'))).toMatch(/ 2\.00 .* 2\.00$/);
  expect(lines.find((line) => line.startsWith('ours / none, 1'))).toMatch(/ 0\.50 .*–$/);
  expect(lines.filter((line) => line.startsWith('ours / '))).toHaveLength(2);
});
