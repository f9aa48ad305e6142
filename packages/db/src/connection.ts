import { readFileSync } from 'node:fs';
import { WarrenError } from '@warren/base';
import type { ClientConfig } from 'pg';
import pg from 'pg';

/** Where a PostgreSQL server is and who we are to it. `host` is a name, an address or the directory of a unix socket. */
export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly ssl: false | { readonly rejectUnauthorized: boolean; readonly ca?: string };
}

const CONNECT_TIMEOUT = 10_000;
/** The oldest server that the migrations and queries are written for. */
const OLDEST_VERSION = 140_000;

/**
 * Reads a PostgreSQL URL. One reader for both clients, because they disagree about sockets and `sslmode`.
 * Known parameters: `host` (socket directory, as in libpq), `sslmode` (disable, require, verify-ca, verify-full) and
 * `sslrootcert`. @throws WarrenError `database-url-invalid`.
 */
export function parseDatabaseUrl(text: string): Connection {
  // libpq writes `@/` for a socket; the standard parser wants a host there.
  const url = parseUrl(text.replace(/@\//, '@localhost/'));
  if (!url || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw invalid('it must look like postgresql://user:password@host:5432/database');
  }
  const database = decode(url.pathname.slice(1));
  if (!database) throw invalid('the name of the database is missing at its end');
  const host = url.searchParams.get('host') ?? decode(url.hostname).replace(/^\[|\]$/g, '');
  return {
    host: host || 'localhost',
    port: Number(url.port || url.searchParams.get('port') || 5432),
    user: decode(url.username) || 'postgres',
    password: decode(url.password),
    database,
    ssl: parseSsl(url.searchParams.get('sslmode') ?? 'disable', url.searchParams.get('sslrootcert')),
  };
}

/** The URL of a connection, as `parseDatabaseUrl` reads it. */
export function formatDatabaseUrl(connection: Omit<Connection, 'ssl'>): string {
  const { host, port, user, password, database } = connection;
  const socket = host.startsWith('/');
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const place = `${socket ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}/${encodeURIComponent(database)}`;
  return `postgresql://${login}@${place}${socket ? `?host=${encodeURIComponent(host)}` : ''}`;
}

/** What `pg` and Prisma's adapter want. */
export function pgConfig(connection: Connection): ClientConfig {
  return { ...connection, connectionTimeoutMillis: CONNECT_TIMEOUT, application_name: 'warren' };
}

/**
 * A connection that is not open yet. Without a listener, a server that dies between two statements would end the whole
 * process; the next statement says the same as an error that can be caught.
 */
export function makeClient(connection: Connection): pg.Client {
  return new pg.Client(pgConfig(connection)).on('error', () => undefined);
}

/**
 * Connects once and leaves. @throws WarrenError `database-unreachable`, `database-login-failed`, `database-missing`
 * or `database-too-old`; no message holds the password.
 */
export async function checkDatabase(connection: Connection): Promise<void> {
  const client = makeClient(connection);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>('select current_setting($1) as version', [
      'server_version_num',
    ]);
    if (Number(rows[0]?.version) < OLDEST_VERSION) {
      throw new WarrenError('database-too-old', `${place(connection)} is too old: PostgreSQL 14 or newer is needed`);
    }
  } catch (error) {
    throw explainConnectError(error, connection);
  } finally {
    await client.end();
  }
}

/** A failed connection in one line that says what to do. */
export function explainConnectError(error: unknown, connection: Connection): WarrenError {
  if (error instanceof WarrenError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const where = place(connection);
  if (code === '28P01' || code === '28000') {
    const text = `${where} refuses user "${connection.user}": check user and password in DATABASE_URL`;
    return new WarrenError('database-login-failed', text, { cause: error });
  }
  if (code === '3D000') {
    const text = `${where} has no database "${connection.database}": create it (createdb ${connection.database})`;
    return new WarrenError('database-missing', text, { cause: error });
  }
  const why = (message || (code ?? 'no answer')).split('\n')[0];
  const text = `${where} cannot be reached (${why}): check that it runs and that DATABASE_URL is right`;
  return new WarrenError('database-unreachable', text, { cause: error });
}

function place({ host, port, database }: Connection): string {
  return `PostgreSQL at ${host.startsWith('/') ? host : `${host}:${port}`} (database ${database})`;
}

function parseSsl(mode: string, rootFile: string | null): Connection['ssl'] {
  if (mode === 'disable' || mode === 'allow' || mode === 'prefer') return false;
  const ca = rootFile && rootFile !== 'system' ? { ca: readRoot(rootFile) } : {};
  if (mode === 'require' || mode === 'no-verify') return { rejectUnauthorized: false, ...ca };
  if (mode === 'verify-ca' || mode === 'verify-full') return { rejectUnauthorized: true, ...ca };
  throw invalid(`sslmode "${mode}" is unknown; use disable, require or verify-full`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('a % in it must be written %25');
  }
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function readRoot(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(`its sslrootcert ${file} cannot be read (${(error as Error).message})`);
  }
}

const invalid = (why: string): WarrenError =>
  new WarrenError('database-url-invalid', `DATABASE_URL cannot be used: ${why}`);
