import type postgres from 'postgres';
import { guard } from './guard.js';

/** Each holds a connection while it works; the pool has ten, and the work itself may need some. */
const AT_ONCE = 4;

/** Makes the store's `exclusive`: PostgreSQL's advisory locks, which end with their connection, so with a process. */
export function createExclusive(sql: postgres.Sql): <T>(name: string, work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = AT_ONCE;
  const enter = async (): Promise<void> => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  const lock = guard(async (name: string) => {
    const connection = await sql.reserve();
    try {
      await connection`SELECT pg_advisory_lock(hashtextextended(${name}, 0))`;
      return connection;
    } catch (error) {
      connection.release();
      throw error;
    }
  });
  return async (name, work) => {
    await enter();
    try {
      const connection = await lock(name);
      try {
        return await work();
      } finally {
        await unlock(connection, name);
      }
    } finally {
      leave();
    }
  };
}

/** Never rejects: a connection that is lost has lost its locks, too, and the work is done. */
async function unlock(connection: postgres.ReservedSql, name: string): Promise<void> {
  await connection`SELECT pg_advisory_unlock(hashtextextended(${name}, 0))`.catch(() => undefined);
  connection.release();
}
