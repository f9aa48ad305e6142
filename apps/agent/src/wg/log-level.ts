import type { LogLevel } from '../config.js';

/** What `LOG_LEVEL` of `wireguard-go` means here; anything that it does not know is its default, `error`. */
export type WgLogLevel = LogLevel | 'silent';

export function parseWgLogLevel(text: string | undefined): WgLogLevel {
  switch (text?.toLowerCase()) {
    case 'verbose':
    case 'debug':
      return 'debug';
    case 'silent':
      return 'silent';
    default:
      return 'error';
  }
}
