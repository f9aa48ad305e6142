import { PrismaPg } from '@prisma/adapter-pg';
import postgres from 'postgres';
import { type Connection, pgConfig } from '../connection.js';
import { type Prisma, PrismaClient } from '../gen/prisma/client.js';
import { noteCommitted } from './idempotent-requests.js';

/** The two clients of one database: Prisma for single rows, `sql` where speed or LISTEN matters. */
export interface Database {
  readonly prisma: PrismaClient;
  readonly sql: postgres.Sql;
}

/** What the work inside a transaction may use. */
export type Transaction = Prisma.TransactionClient;

const POOL_SIZE = 10;
/** Writers of one network wait for each other: a crowd of joins may take this long to get through. */
const WAIT = 30_000;
const MAX_ATTEMPTS = 5;
/** A replica that froze or lost power inside a transaction would else keep a network locked for hours, revocations too. */
const IDLE_IN_TRANSACTION = WAIT + 5_000;
/** PostgreSQL: serialization_failure, deadlock_detected; Prisma calls both a write conflict. */
const RETRIED = new Set(['40001', '40P01', 'P2034']);

/** Opens both clients; neither connects before its first query, and both connect again after a loss. */
export function openClients(connection: Connection): Database {
  const { host, port, user, password, database, ssl } = connection;
  const socket = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : {};
  return {
    prisma: new PrismaClient({
      adapter: new PrismaPg({
        ...pgConfig(connection),
        max: POOL_SIZE,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
      }),
      errorFormat: 'minimal',
    }),
    sql: postgres({
      ...socket,
      ...{ host, port, user, password, database, ssl: ssl || false },
      max: POOL_SIZE,
      connect_timeout: 10,
      // A dead server is noticed by a failing query; waiting ever longer for its return would delay everything after.
      backoff: (retries) => Math.min(0.1 * 2 ** retries, 2),
      onnotice: () => {},
      connection: { application_name: 'warren' },
    }),
  };
}

/** Runs `work` in one transaction, again when the database asks for that. `work` may therefore run several times. */
export async function transaction<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await database.prisma.$transaction(
        async (tx) => {
          const result = await work(tx);
          await noteCommitted(tx);
          return result;
        },
        { maxWait: WAIT, timeout: WAIT },
      );
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !errorCodes(error).some((code) => RETRIED.has(code))) throw error;
    }
  }
}

/** Whether a write failed because of a unique constraint. */
export function isUniqueViolation(error: unknown): boolean {
  return errorCodes(error).some((code) => code === 'P2002' || code === '23505');
}

/** All codes in an error and its causes: Prisma wraps what its driver said, sometimes twice. */
export function errorCodes(error: unknown): string[] {
  const codes: string[] = [];
  for (let at = error, depth = 0; at && depth < 5; depth++) {
    const { code, originalCode, meta, cause, syscall } = at as ErrorShape;
    // A file that a callback of the caller's did not find is not the server's socket.
    if (syscall !== undefined && syscall !== 'connect' && code === 'ENOENT') break;
    for (const found of [code, originalCode, meta?.code]) if (typeof found === 'string') codes.push(found);
    at = cause ?? meta?.driverAdapterError;
  }
  return codes;
}

interface ErrorShape {
  code?: unknown;
  syscall?: unknown;
  originalCode?: unknown;
  cause?: unknown;
  meta?: { code?: unknown; driverAdapterError?: unknown };
}
