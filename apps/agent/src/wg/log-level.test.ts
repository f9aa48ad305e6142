import { describe, expect, it } from 'vitest';
import { parseWgLogLevel } from './log-level.js';

describe('LOG_LEVEL of agent wg', () => {
  it.each([
    ['verbose', 'debug'],
    ['debug', 'debug'],
    ['VERBOSE', 'debug'],
    ['error', 'error'],
    ['silent', 'silent'],
    ['', 'error'],
    ['loud', 'error'],
    [undefined, 'error'],
  ])('%j means %s', (text, level) => {
    expect(parseWgLogLevel(text)).toBe(level);
  });
});
