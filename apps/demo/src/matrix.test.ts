import { expect, it } from 'vitest';
import { renderMatrix, renderOutcome } from './matrix.js';

const pair = (from: string, to: string, ipv4: boolean, ipv6: boolean) => ({ from, to, ipv4, ipv6 });

it('shows who reaches whom, over what and which way, and what is not known yet', () => {
  const pairs = [{ ...pair('laptop', 'phone', true, true), path: 'bounce' }, pair('phone', 'laptop', true, false)];
  expect(renderMatrix(['laptop', 'phone', 'server'], pairs).split('\n')).toEqual([
    'from \\ to  1          2          3',
    '1 laptop   ·          ✓ bounce   …',
    '2 phone    ✓4         ·          …',
    '3 server   …          …          ·',
  ]);
});

it('counts what answers and names what does not', () => {
  const pairs = [pair('a', 'b', true, true), pair('b', 'a', false, false), pair('b', 'c', true, false)];
  expect(renderOutcome(pairs).split('\n')).toEqual([
    '1 of 3 pairs reach each other over IPv4 and IPv6',
    '  no answer: b → a over IPv4 and IPv6',
    '  no answer: b → c over IPv6',
  ]);
});
