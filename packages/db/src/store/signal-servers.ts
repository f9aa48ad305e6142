import { equalBytes, type HostPort, KEY_LENGTH, parseHostPort, WarrenError } from '@warren/base';
import type * as Rows from '../gen/prisma/client.js';
import type { Actor } from '../store-api.js';
import type { SignalLoad, SignalServerInput, SignalServerRow } from '../store-signals.js';
import { badRequest } from './checks.js';
import { type Database, transaction } from './database.js';
import { writeAudit } from './network-change.js';
import { plain } from './rows.js';
import { spendSignalToken } from './signal-tokens.js';
import { randomId } from './tokens.js';

/** TLS addresses of one server, as in a join token. */
const MAX_TLS = 8;
/** What the column holds. */
const MOST_CLIENTS = 2 ** 31 - 1;
/** Every agent hears of every server: more would make each message to each agent large. */
const MAX_SERVERS = 64;

/** Idempotent by (token, identity key). @throws WarrenError `token-…`, `bad-request`, `too-many-signal-servers`. */
export async function enrollSignalServer(
  database: Database,
  input: { tokenId: string; tokenSecret: Uint8Array; identityKey: Uint8Array; key: Uint8Array },
  actor: Actor,
): Promise<SignalServerRow> {
  const [key, identityKey] = [checkedKey(input.key), checkedKey(input.identityKey)];
  return transaction(database, async (tx) => {
    const region = await spendSignalToken(tx, input.tokenId, input.tokenSecret, identityKey);
    const known = await tx.signalServer.findUnique({ where: { identityKey } });
    if (known) return toSignalServerRow(known);
    if ((await tx.signalServer.count()) >= MAX_SERVERS) {
      const text = `there are ${MAX_SERVERS} signal servers already: remove one with \`warren signal delete\``;
      throw new WarrenError('too-many-signal-servers', text);
    }
    const row = await tx.signalServer.create({
      data: { id: randomId(), kind: 'enrolled', region, tls: [], key, identityKey },
    });
    await writeAudit(tx, null, { action: 'signal-server.enroll', subject: row.id, details: { region } }, actor);
    return toSignalServerRow(row);
  });
}

/** @throws WarrenError `signal-server-unknown`, the same for a wrong identity, so that ids cannot be probed. */
export async function renewSignalServer(
  { prisma }: Database,
  id: string,
  identityKey: Uint8Array,
  input: SignalServerInput,
): Promise<SignalServerRow> {
  const data = checked(input);
  const row = await prisma.signalServer.findUnique({ where: { id } });
  if (!row?.identityKey || !equalBytes(row.identityKey, identityKey)) {
    const text =
      'the control plane does not know this signal server: enrol it again, with a new token and data directory';
    throw new WarrenError('signal-server-unknown', text);
  }
  return toSignalServerRow(await prisma.signalServer.update({ where: { id }, data: { ...data, seenAt: new Date() } }));
}

/** One statement, by the database's clock: replicas say it every few seconds. */
export async function announceSignalServer(
  { sql }: Database,
  id: string,
  region: string,
  input: SignalServerInput,
): Promise<void> {
  const { udp, tls, key, clients, relayedBytes, relayedRate } = checked(input);
  await sql`
    INSERT INTO signal_server (id, kind, region, udp, tls, key, clients, relayed_bytes, relayed_rate, seen_at)
    VALUES (${id}, 'control', ${region}, ${udp}, ${tls}, ${Buffer.from(key)}, ${clients}, ${numberOrNull(relayedBytes)},
      ${numberOrNull(relayedRate)}, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET region = EXCLUDED.region, udp = EXCLUDED.udp, tls = EXCLUDED.tls, key = EXCLUDED.key,
      clients = EXCLUDED.clients, relayed_bytes = EXCLUDED.relayed_bytes, relayed_rate = EXCLUDED.relayed_rate, seen_at = EXCLUDED.seen_at
    WHERE signal_server.kind = 'control'`;
}

/** One clock for all replicas: theirs may differ. A server that has enrolled and not said yet where it is has no address. */
export async function listSignalServers({ sql }: Database, staleMs: number): Promise<readonly SignalServerRow[]> {
  const rows = await sql<Omit<Rows.SignalServer, 'identityKey'>[]>`
    SELECT id, kind, region, udp, coalesce(tls, '{}') AS tls, key, clients, relayed_bytes AS "relayedBytes",
      relayed_rate AS "relayedRate", seen_at AS "seenAt", created_at AS "createdAt"
    FROM signal_server
    WHERE kind = 'enrolled' OR seen_at > clock_timestamp() - ${staleMs}::float8 * interval '1 millisecond'
    ORDER BY id`;
  return rows.map(toSignalServerRow);
}

/** @throws WarrenError `not-found`. */
export async function deleteSignalServer(database: Database, id: string, actor: Actor): Promise<void> {
  await transaction(database, async (tx) => {
    const server = await tx.signalServer.findUnique({ where: { id } });
    const { count } = await tx.signalServer.deleteMany({ where: { id } });
    if (!server || count === 0) {
      throw new WarrenError('not-found', `there is no signal server ${id}: list them with \`warren signal list\``);
    }
    const details = { region: server.region };
    await writeAudit(tx, null, { action: 'signal-server.delete', subject: id, details }, actor);
  });
}

function checked({ udp, tls, key, load }: SignalServerInput): {
  udp: HostPort | null;
  tls: HostPort[];
  key: Uint8Array<ArrayBuffer>;
  clients: number | null;
  relayedBytes: bigint | null;
  relayedRate: bigint | null;
} {
  const bad = [...tls, ...(udp === null ? [] : [udp])].find(
    (address) => address.length > 255 || !parseHostPort(address),
  );
  if (bad !== undefined) throw badRequest('an address of a signal server must be host:port, such as 203.0.113.5:3478');
  if (tls.length > MAX_TLS) throw badRequest(`a signal server has at most ${MAX_TLS} TLS addresses`);
  if (udp === null && tls.length === 0) throw badRequest('a signal server needs a UDP or a TLS address');
  return {
    ...{ udp, tls: [...tls], key: checkedKey(key) },
    clients: load ? Math.min(load.clients, MOST_CLIENTS) : null,
    relayedBytes: load ? BigInt(load.relayedBytes) : null,
    relayedRate: load ? BigInt(load.relayedRate) : null,
  };
}

function checkedKey(key: Uint8Array): Uint8Array<ArrayBuffer> {
  if (key.length !== KEY_LENGTH) throw badRequest(`the keys of a signal server have ${KEY_LENGTH} bytes`);
  return plain(key);
}

const toSignalServerRow = (row: Omit<Rows.SignalServer, 'identityKey'>): SignalServerRow => ({
  id: row.id,
  kind: row.kind as SignalServerRow['kind'],
  region: row.region,
  udp: row.udp as HostPort | null,
  tls: row.tls as HostPort[],
  key: plain(row.key),
  load: row.clients === null ? null : loadOf(row.clients, row),
  seenAt: row.seenAt,
  createdAt: row.createdAt,
});

const loadOf = (
  clients: number,
  { relayedBytes, relayedRate }: Pick<Rows.SignalServer, 'relayedBytes' | 'relayedRate'>,
): SignalLoad => ({ clients, relayedBytes: Number(relayedBytes ?? 0), relayedRate: Number(relayedRate ?? 0) });

/** As the driver takes it. */
const numberOrNull = (value: bigint | null): number | null => (value === null ? null : Number(value));
