import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { equalBytes, toBase64Url, WarrenError } from '@warren/base';
import type { IdempotentRequests, KeptAnswer } from '../store-requests.js';
import type { Database, Transaction } from './database.js';
import { guard } from './guard.js';
import { open, seal } from './secrets.js';

/** For how long an answer is kept, seconds. */
const LIFE = 24 * 3600;
/**
 * A request whose lease was not renewed for so long has lost its process, and whoever asks again takes over: seconds.
 * One that was only slow cannot commit any more (`noteCommitted`).
 */
const LEASE = 12;
/** Milliseconds. */
const RENEW_INTERVAL = 4_000;
/** Bytes; a longer answer is not kept. */
const MAX_BODY = 64 * 1024;
/** Rows beyond which the oldest go before their time. */
const MAX_ROWS = 100_000;
/** Milliseconds. */
const PRUNE_INTERVAL = 60_000;

interface Claim {
  readonly id: Uint8Array;
  readonly holder: string;
}

interface Row {
  readonly fingerprint: Uint8Array;
  readonly committed: boolean;
  readonly status: number | null;
  readonly contentType: string | null;
  readonly sealed: Uint8Array | null;
}

/** The claim under which the current request runs. */
const current = new AsyncLocalStorage<Claim>();

/**
 * Called by every writing transaction before it commits: notes in it that the request was done, so that a crash before
 * the answer is kept cannot make it happen twice. @throws WarrenError `idempotency-in-progress` when another took over.
 */
export async function noteCommitted(tx: Transaction): Promise<void> {
  const claim = current.getStore();
  if (!claim) return;
  const count = await tx.$executeRaw`
    UPDATE idempotent_request SET committed = true WHERE id = ${claim.id} AND holder = ${claim.holder}::uuid`;
  if (count === 0)
    throw new WarrenError('idempotency-in-progress', 'this request took too long: another one took over');
}

/** Makes the store's `idempotent`. */
export function idempotentRequests(database: Database, sealingKey: Uint8Array): IdempotentRequests {
  const { sql } = database;
  const sealName = (id: Uint8Array): string => `idempotent ${toBase64Url(id)}`;
  let prunedAt = Number.NEGATIVE_INFINITY;

  const claim = async (id: Uint8Array, fingerprint: Uint8Array, holder: string): Promise<boolean> => {
    const rows = await sql`
      INSERT INTO idempotent_request AS r (id, fingerprint, holder, lease_until)
      VALUES (${id}, ${fingerprint}, ${holder}, now() + make_interval(secs => ${LEASE}))
      ON CONFLICT (id) DO UPDATE SET fingerprint = EXCLUDED.fingerprint, holder = EXCLUDED.holder,
        lease_until = EXCLUDED.lease_until, committed = false, status = NULL, content_type = NULL, sealed = NULL,
        created_at = now()
      WHERE r.created_at < now() - make_interval(secs => ${LIFE})
        OR (r.status IS NULL AND NOT r.committed AND r.lease_until < now() AND r.fingerprint = EXCLUDED.fingerprint)
      RETURNING id`;
    return rows.length > 0;
  };
  /** Renews the lease for as long as the work takes; a renewal that fails is made up for by the next, or by nobody. */
  const renewing = async <T>({ id, holder }: Claim, work: () => Promise<T>): Promise<T> => {
    const renew = async (): Promise<void> => {
      await sql`
        UPDATE idempotent_request SET lease_until = now() + make_interval(secs => ${LEASE})
        WHERE id = ${id} AND holder = ${holder}`;
    };
    const timer = setInterval(() => void renew().catch(() => undefined), RENEW_INTERVAL).unref();
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  };
  const keep = guard(async ({ id, holder }: Claim, answer: KeptAnswer) => {
    const body = Buffer.from(answer.body);
    if (answer.status >= 500 || body.length > MAX_BODY) {
      await sql`DELETE FROM idempotent_request WHERE id = ${id} AND holder = ${holder} AND NOT committed`;
      return;
    }
    await sql`
      UPDATE idempotent_request SET status = ${answer.status}, content_type = ${answer.contentType},
        sealed = ${seal(sealingKey, sealName(id), body)}
      WHERE id = ${id} AND holder = ${holder}`;
  });
  const prune = async (): Promise<void> => {
    if (performance.now() - prunedAt < PRUNE_INTERVAL) return;
    prunedAt = performance.now();
    await sql`
      DELETE FROM idempotent_request WHERE created_at < now() - make_interval(secs => ${LIFE}) OR created_at <
        (SELECT created_at FROM idempotent_request ORDER BY created_at DESC OFFSET ${MAX_ROWS} LIMIT 1)`;
  };

  return {
    begin: guard(async (id, fingerprint) => {
      await prune();
      const holder = randomUUID();
      if (await claim(id, fingerprint, holder)) {
        const mine = { id, holder };
        return { run: (work) => renewing(mine, () => current.run(mine, work)), keep: (answer) => keep(mine, answer) };
      }
      const [row] = await sql<Row[]>`
        SELECT fingerprint, committed, status, content_type AS "contentType", sealed
        FROM idempotent_request WHERE id = ${id}`;
      return keptAnswer(row, fingerprint, (sealed) => open(sealingKey, sealName(id), sealed));
    }),
  };
}

function keptAnswer(
  row: Row | undefined,
  fingerprint: Uint8Array,
  unseal: (sealed: Uint8Array) => Uint8Array,
): KeptAnswer {
  if (row && !equalBytes(row.fingerprint, fingerprint)) {
    const text = 'this Idempotency-Key came with another body before: use a new one';
    throw new WarrenError('idempotency-key-reused', text);
  }
  if (row?.status != null) {
    return { status: row.status, contentType: row.contentType!, body: Buffer.from(unseal(row.sealed!)).toString() };
  }
  if (row?.committed) {
    const text = 'the request with this Idempotency-Key was done, but its answer was lost: look what is there';
    throw new WarrenError('idempotency-answer-lost', text);
  }
  const text = 'the request with this Idempotency-Key still runs: ask again soon';
  throw new WarrenError('idempotency-in-progress', text);
}
