import { checkDatabase, parseDatabaseUrl } from './connection.js';
import { type EmbeddedOptions, startEmbedded } from './embedded/server.js';

/** A PostgreSQL server that answers; both kinds are used by the same code from here on. */
export interface OpenedDatabase {
  /** Holds the password: not for logs. */
  readonly url: string;
  readonly embedded: boolean;
  /** Stops an embedded server; leaves an external one alone. */
  close(): Promise<void>;
}

/**
 * The external server that `databaseUrl` names, or else the embedded one of `dataDir`.
 * @throws WarrenError as `checkDatabase` or `startEmbedded`.
 */
export async function openDatabase(
  options: EmbeddedOptions & { readonly databaseUrl?: string | undefined },
): Promise<OpenedDatabase> {
  if (options.databaseUrl) {
    await checkDatabase(parseDatabaseUrl(options.databaseUrl));
    return { url: options.databaseUrl, embedded: false, close: async () => {} };
  }
  const server = await startEmbedded(options);
  return { url: server.url, embedded: true, close: () => server.close() };
}
