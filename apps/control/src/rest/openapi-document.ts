import { buildRest } from './app.js';
import type { RestContext } from './context.js';

/** The OpenAPI document of this version, made without a running control plane: no route is called. */
export async function openApiDocument(): Promise<unknown> {
  const { app } = await buildRest({} as RestContext);
  try {
    return (await app.inject('/api/openapi.json')).json();
  } finally {
    await app.close();
  }
}
