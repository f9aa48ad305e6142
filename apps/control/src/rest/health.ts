import { WarrenError } from '@warren/base';
import { renderMetrics } from '../metrics/render-metrics.js';
import { type Api, PUBLIC, type RestContext } from './context.js';

/** Milliseconds; probes give up after a few seconds themselves. */
const READY_TIMEOUT = 2_000;
const HIDDEN = { config: PUBLIC, schema: { hide: true } };

/** For whoever watches the process: alive, ready, and numbers. */
export function healthRoutes(app: Api, context: RestContext): void {
  app.get('/healthz', HIDDEN, async () => ({ status: 'ok' }));
  app.get('/readyz', HIDDEN, async () => {
    const missing = await missingMigrations(context);
    if (missing.length > 0) {
      const text = `the database lacks ${missing.length} migrations (${missing[0]}): restart the control plane to apply them`;
      throw new WarrenError('database-outdated', text);
    }
    return { status: 'ok', database: 'ok', migrations: 'ok' };
  });
  app.get('/metrics', HIDDEN, async (_request, reply) =>
    reply
      .header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
      .send(await renderMetrics(context.metrics, context)),
  );
}

async function missingMigrations({ store, log }: RestContext): Promise<readonly string[]> {
  try {
    return await inTime(store.missingMigrations(), READY_TIMEOUT);
  } catch (error) {
    log.warn({ err: error }, 'the database does not answer');
    throw new WarrenError('database-unavailable', 'the database does not answer', { cause: error });
  }
}

/** Rejects when the answer takes longer, in milliseconds: a database that hangs is not ready either. */
async function inTime<T>(answer: Promise<T>, limit: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
