import { expect, it } from 'vitest';
import { browserName } from './browser-name.js';

const MOZILLA = 'Mozilla/5.0 (';
it.each([
  [`${MOZILLA}X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0`, 'Firefox 140 on Linux'],
  [
    `${MOZILLA}Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36`,
    'Chrome 141 on Windows',
  ],
  [`${MOZILLA}Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36 Edg/141.0.1`, 'Edge 141 on Windows'],
  [
    `${MOZILLA}Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15`,
    'Safari 18 on macOS',
  ],
  [
    `${MOZILLA}iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1`,
    'Safari 18 on iOS',
  ],
  [`${MOZILLA}Linux; Android 15) AppleWebKit/537.36 Chrome/141.0.0.0 Mobile Safari/537.36`, 'Chrome 141 on Android'],
  ['curl/8.5.0', 'curl 8'],
  ['node', 'node'],
  ['', 'Unknown browser'],
  [null, 'Unknown browser'],
])('%s is %s', (userAgent, name) => {
  expect(browserName(userAgent)).toBe(name);
});
