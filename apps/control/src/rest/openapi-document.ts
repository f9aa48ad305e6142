import { buildRest } from './app.js';
import type { RestContext } from './context.js';
import { REST_RATES } from './rate-limits.js';

/** The OpenAPI document of this version, made without a running control plane: no route is called. */
export async function openApiDocument(): Promise<unknown> {
  const { app } = await buildRest({ rates: REST_RATES } as RestContext);
  try {
    return (await app.inject('/api/openapi.json')).json();
  } finally {
    await app.close();
  }
}
