import { openDatabase } from '@warren/db';
import pg from 'pg';

/** Each finds what no transaction leaves behind: rows of one change without the others. */
const QUESTIONS: Readonly<Record<string, string>> = {
  'revisions without their row in the change log': `
    SELECT n.name, n.revision FROM network n
    WHERE n.revision <= 10000 AND n.revision - 1 <> (SELECT count(*) FROM change_log c WHERE c.network_id = n.id)`,
  'active nodes without an address of each family': `
    SELECT id, name FROM node WHERE status = 'active'
      AND (SELECT count(*) FROM node_address a WHERE a.node_id = node.id AND a.state = 'in-use') <> 2`,
  'revoked nodes that have an address': `
    SELECT id FROM node JOIN node_address a ON a.node_id = node.id WHERE node.status = 'revoked'`,
  'addresses in use by nobody': `SELECT address FROM node_address WHERE state = 'in-use' AND node_id IS NULL`,
  'nodes without their keys': `
    SELECT id FROM node WHERE status = 'active' AND kind = 'agent'
      AND (SELECT count(*) FROM node_key k WHERE k.node_id = node.id AND k.state = 'current') <> 2`,
  'revoked nodes without tombstone': `
    SELECT id FROM node WHERE status = 'revoked' AND NOT EXISTS (SELECT FROM tombstone t WHERE t.node_id = node.id)`,
  'revoked nodes whose keys are not banned': `
    SELECT id FROM node WHERE status = 'revoked'
      AND EXISTS (SELECT FROM node_key k WHERE k.node_id = node.id AND k.state <> 'banned')`,
  'tokens whose uses are not those of nodes': `
    SELECT id, uses FROM join_token t WHERE uses <> (SELECT count(*) FROM token_use u WHERE u.token_id = t.id)`,
  'uses without a join in the audit log, or the other way': `
    SELECT uses, joins FROM (SELECT count(*) AS uses FROM token_use) u,
      (SELECT count(*) AS joins FROM audit_log WHERE action = 'node.join') a WHERE uses <> joins`,
  'nodes that the change log has under another name': `
    SELECT node.id, node.name FROM node WHERE status = 'active' AND name <> (
      SELECT after->>'name' FROM change_log c WHERE c.node_id = node.id ORDER BY revision DESC LIMIT 1)`,
  'changes without an entry of the audit log': `
    SELECT c.revision FROM change_log c WHERE c.node_id IS NOT NULL
      AND NOT EXISTS (SELECT FROM audit_log a WHERE a.subject = c.node_id::text)`,
};

/**
 * What is half made in the database of a data dir that nobody uses, and how many entries the audit log has of each
 * action.
 */
export async function lookIntoDatabase(
  dataDir: string,
): Promise<{ halfMade: Record<string, unknown[]>; audited: Record<string, number> }> {
  const database = await openDatabase({ dataDir });
  const client = new pg.Client({ connectionString: database.url });
  try {
    await client.connect();
    const halfMade: Record<string, unknown[]> = {};
    for (const [what, question] of Object.entries(QUESTIONS)) {
      const { rows } = await client.query(question);
      if (rows.length > 0) halfMade[what] = rows.slice(0, 5);
    }
    const { rows } = await client.query<{ action: string; count: string }>(
      'SELECT action, count(*) FROM audit_log GROUP BY action',
    );
    return { halfMade, audited: Object.fromEntries(rows.map(({ action, count }) => [action, Number(count)])) };
  } finally {
    await client.end();
    await database.close();
  }
}
