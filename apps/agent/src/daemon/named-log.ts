import type { Log } from '../log.js';

/** A public key in base64. */
const KEY = /[A-Za-z0-9+/]{43}=/g;
const RELAY = /\brelay (\S+)/g;

/** What keys and ids are called. */
export interface Names {
  /** @returns undefined for a key that is no peer's. */
  peer(publicKey: string): string | undefined;
  /** @returns undefined for an id that is no signal server's. */
  server(id: string): string | undefined;
}

/** The data plane knows peers by their keys and signal servers by their ids: a person who reads its log wants names. */
export const namedLog =
  (log: Log, names: Names): Log =>
  (level, message) =>
    log(
      level,
      message
        .replace(KEY, (key) => names.peer(key) ?? key)
        .replace(RELAY, (_, id: string) => `relay ${names.server(id) ?? id}`),
    );
