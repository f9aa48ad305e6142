import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane } from '@warren/netlab';
import pg from 'pg';

/** One statement on the database of a control plane that runs: hours pass for what is in it. */
export async function changeDatabase(control: ControlPlane, statement: string): Promise<number> {
  const home = join(control.dataDir, 'postgres');
  const note = join(home, 'socket-directory');
  const client = new pg.Client({
    host: existsSync(note) ? readFileSync(note, 'utf8') : home,
    user: 'postgres',
    password: readFileSync(join(home, '18/warren-password'), 'utf8').trim(),
    database: 'postgres',
  });
  await client.connect();
  try {
    return (await client.query(statement)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
